import { describe, expect, it } from 'vitest';
import { evidenceOf, traitOf, type Trait } from '../../../src/analysis/bisect/evidence.js';
import type { Comparison } from '../../../src/analysis/compare/compare.js';
import { checkGates, parseGates } from '../../../src/analysis/compare/gates.js';
import { useFolder } from '../../support/folder.js';
import { slower, twoRuns } from '../compare/support.js';

const folder = useFolder();
let stores = 0;

async function comparison(sql: string): Promise<Comparison> {
  const runs = await twoRuns(folder(`two-${stores++}.sqlite`), (database) => void database.exec(sql));
  return runs.compare();
}

function traitIn(compared: Comparison, gates: string): Trait | undefined {
  return traitOf(compared, checkGates(compared, parseGates(gates)));
}

const larger = (times: number): string =>
  `update variants set file_bytes = file_bytes * ${times * 100} / 100 where run_id = 'new' and recipe = 'int8';`;

describe('what tells a bad commit', () => {
  it('is what breaks a gate, the clearest of it; nothing where none is broken', async () => {
    const bad = await comparison(slower('int8', 8, 1.2) + slower('pruned', 1, 1.5));
    expect(traitIn(bad, 'latency:5%')).toMatchObject({
      ...{ metric: 'latency', subject: { recipe: 'pruned', batch: 1 } },
    });
    expect(traitIn(bad, 'latency@int8:5%')).toMatchObject({ subject: { recipe: 'int8', batch: 8 } });
    expect(traitIn(bad, 'memory:5%')).toBeUndefined();
    const failed = await comparison(
      `update cells set status = 'failed', reason = '{"kind":"text","text":"no memory"}' where run_id = 'new' and kind = 'performance' and batch = 8`,
    );
    expect(traitIn(failed, 'latency:5%')).toMatchObject({ change: undefined, subject: { batch: 8 } });
  });
});

describe('what a test of a commit tells', () => {
  it('is how likely it is nearer to the bad commit than to the good one, on the scale of ratios', async () => {
    const trait = traitIn(await comparison(slower('int8', 8, 1.21)), 'latency@int8:5%')!;
    const badAt = async (times: number): Promise<number> => {
      const evidence = evidenceOf(await comparison(slower('int8', 8, times)), trait);
      return evidence.kind === 'measured' ? evidence.bad : NaN;
    };
    expect(await badAt(1.21)).toBeGreaterThan(0.95);
    expect(await badAt(1)).toBeLessThan(0.05);
    expect(await badAt(1.1)).toBeCloseTo(0.5, 6);
    const [less, more] = [await badAt(1.09), await badAt(1.11)];
    expect(less).toBeLessThan(0.5);
    // Symmetric in logarithms, up to the second order.
    expect(less + more).toBeCloseTo(1, 1);
    // Better than good is good.
    expect(await badAt(0.8)).toBeLessThan(0.05);
  });

  it('is the one or the other where nothing is left to chance', async () => {
    const trait = traitIn(await comparison(larger(1.5)), 'file:1%')!;
    expect(evidenceOf(await comparison(larger(1.5)), trait)).toMatchObject({ bad: 1 });
    expect(evidenceOf(await comparison(larger(1.05)), trait)).toMatchObject({ bad: 0 });
  });

  it('is nothing where the commit does not have the cell, or others disturbed it', async () => {
    const trait = traitIn(await comparison(slower('int8', 8, 1.21)), 'latency@int8:5%')!;
    const absent = await comparison(
      `update variants set recipe = 'other' where run_id = 'new' and recipe = 'int8'`,
    );
    expect(evidenceOf(absent, trait)).toEqual({ kind: 'absent' });
    const one = await comparison(
      `delete from samples where round_id in (select rounds.id from rounds join cells on cells.id = cell_id where run_id = 'new' and round > 0)`,
    );
    expect(evidenceOf(one, trait)).toMatchObject({ kind: 'undecided', obstacle: { kind: 'one-round' } });
  });
});
