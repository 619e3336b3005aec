import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/base/sqlite.js';
import { pairOf, variantsOn, type DevicePair } from '../../../src/analysis/procure/pair.js';
import { pairTable } from '../../../src/text/procure/pair.js';
import { useFolder } from '../../support/folder.js';
import { average, middle } from '../support/reference.js';
import type { Stored } from '../support/stored.js';
import { twoDevices } from './support.js';

const folder = useFolder();

const named = (name: string, price?: number): DevicePair['first'] => ({
  name,
  label: name,
  emulated: false,
  price,
});

function pair({ analysis }: Stored, prices: readonly [number?, number?] = []): DevicePair {
  return pairOf(
    variantsOn(analysis.run, ['laptop', 'board']),
    named('laptop', prices[0]),
    named('board', prices[1]),
  );
}

const stored = (change?: (database: Database) => void): Promise<Stored> =>
  twoDevices(folder('results.db'), change);

describe('two devices', () => {
  it('are compared by the geometric means of their rounds', async () => {
    const run = await stored();
    const { figures, unmatched } = pair(run, [100, 50]);
    expect(unmatched).toEqual([]);
    expect(figures).toHaveLength(6);
    for (const { model, recipe, batch, speed, first, second, cost, agreement, memory } of figures) {
      const logs = (device: string): number =>
        average(
          run.raw
            .samples({ model, recipe, device, kind: 'performance', batch })
            .map((samples) => Math.log(middle(samples))),
        );
      expect(speed!.value).toBeCloseTo(Math.exp(logs('laptop') - logs('board')), 9);
      expect(speed!.low).toBeLessThan(speed!.value);
      expect(cost!.value).toBeCloseTo((50 / second.throughput!.value / 100) * first.throughput!.value, 9);
      expect(agreement).toMatchObject({ images: 300, same: { value: 1 }, mcnemarP: 1 });
      // The board does not tell its memory.
      expect([memory, second.memory]).toEqual([undefined, undefined]);
    }
  });

  it('agree as often as their classes do', async () => {
    const run = await stored((database) => {
      database.exec(`update predictions set predicted = (predicted + 1) % 10 where image < 30 and round_id in
        (select rounds.id from rounds join cells on cells.id = cell_id join devices on devices.id = device_id
         where devices.name = 'board')`);
    });
    for (const { agreement } of pair(run).figures) expect(agreement!.same.value).toBeCloseTo(0.9, 12);
  });

  it('have no ratio of speed where one was timed in a single process', async () => {
    const run = await stored((database) => {
      database.exec(`delete from rounds where round > 0 and cell_id in
        (select cells.id from cells join devices on devices.id = device_id where devices.name = 'board')`);
    });
    const found = pair(run);
    for (const { speed } of found.figures) expect(speed).toBeUndefined();
    for (const row of pairTable(found, undefined).rows) expect(row['speed']).toBe('not decided');
  });

  it('are not compared by what only one has, or by another artifact; both are named', async () => {
    const { analysis } = await stored();
    const seen = variantsOn(analysis.run, ['laptop', 'board']);
    const changed = seen.flatMap((each) => {
      if (each.device === 'laptop') return [each];
      if (each.recipe === 'int8') return [];
      return [each.recipe === 'pruned' ? { ...each, artifact: 'another' } : each];
    });
    const found = pairOf(changed, named('laptop'), named('board'));
    expect(new Set(found.figures.map(({ recipe }) => recipe))).toEqual(new Set(['fp32']));
    expect(found.unmatched.map(({ recipe, why }) => [recipe, why])).toEqual([
      ['int8', 'only on the first'],
      ['pruned', 'another artifact'],
    ]);
    const notes = pairTable(found, undefined).notes.join('\n');
    expect(notes).toContain('int8');
    expect(notes).toContain('laptop has no price');
  });
});
