import { describe, expect, it } from 'vitest';
import type { Database } from '../../../src/base/sqlite.js';
import { checkGates, parseGates } from '../../../src/analysis/compare/gates.js';
import { devicesInTurn } from '../../../src/analysis/compare/in-turn.js';
import { comparisonDocument } from '../../../src/report/compare/document.js';
import { comparisonTable } from '../../../src/text/compare/table.js';
import { useFolder } from '../../support/folder.js';
import { judgementOf, slower, twoRuns, type TwoRuns } from './support.js';

const folder = useFolder();
const SECONDS = 2;

/** When each round was measured: those of both runs by number, or those of one run after those of the other. */
function inOrder(order: (run: string, round: number, place: number) => number): (database: Database) => void {
  return (database) => {
    const rounds = database
      .prepare(
        `select rounds.id, run_id as run, round, row_number() over (partition by run_id, round order by rounds.id) as place
         from rounds join cells on cells.id = cell_id where kind = 'performance'`,
      )
      .all() as { id: number; run: string; round: number; place: number }[];
    const sorted = rounds.sort(
      (a, b) => order(a.run, a.round, a.place) - order(b.run, b.round, b.place) || a.id - b.id,
    );
    for (const [index, { id }] of sorted.entries()) {
      const at = new Date(Date.UTC(2026, 10, 22) + index * (SECONDS * 1000 + 5)).toISOString();
      database.prepare('update rounds set started_at = ?, seconds = ? where id = ?').run(at, SECONDS, id);
    }
  };
}

const inTurn = inOrder((_, round, place) => round * 100 + place);
const apart = inOrder((run, round) => (run === 'new' ? 1000 : 0) + round);

let stores = 0;
const two = (...changes: ((database: Database) => void)[]): Promise<TwoRuns> =>
  twoRuns(folder(`two-${stores++}.sqlite`), (database) => {
    for (const change of changes) change(database);
  });

const slightly = (database: Database): void => void database.exec(slower('fp32', 1, 1.004));

describe('two runs that were measured in turn', () => {
  it('are known by when their rounds were measured', async () => {
    const { reference, run } = await two(inTurn);
    expect([...devicesInTurn(reference, run)]).toEqual(['laptop']);
    expect([...devicesInTurn(run, reference)]).toEqual(['laptop']);
    expect([...devicesInTurn(run, run)]).toEqual(['laptop']);
  });

  it('are none where one came after the other, where rounds overlap, and where a round was made up for later', async () => {
    for (const change of [apart, () => undefined]) {
      const { reference, run } = await two(change);
      expect(devicesInTurn(reference, run).size).toBe(0);
    }
    const late = await two(
      inTurn,
      (database) =>
        void database.exec(
          `update rounds set started_at = '2026-11-23T00:00:00.000Z' where id =
            (select min(rounds.id) from rounds join cells on cells.id = cell_id where kind = 'performance' and run_id = 'new' and round = 0)`,
        ),
    );
    expect(devicesInTurn(late.reference, late.run).size).toBe(0);
  });

  it('are compared round by round: what differs from round to round hides no small change', async () => {
    const [together, lying] = [await two(inTurn, slightly), await two(apart, slightly)];
    const seen = judgementOf(together.compare(), 'latency', 'fp32', 1);
    expect(seen.change.value).toBeCloseTo(0.004, 9);
    expect(seen.significant).toBe(true);
    expect(judgementOf(lying.compare(), 'latency', 'fp32', 1).significant).toBe(false);
    // Five rounds in turn tell less than the default floor; what is below it does not count.
    expect(seen.verdict).toBe('not distinguishable');
  });

  it('are told to be, and gates judge fp32, too, which nothing is relative to', async () => {
    const runs = await two(inTurn, (database) => void database.exec(slower('fp32', 1, 1.1)));
    const comparison = runs.compare();
    const gates = checkGates(comparison, parseGates('latency:5%'));
    expect(
      gates
        .filter(({ outcome }) => outcome === 'broken')
        .map(({ subject }) => [subject?.recipe, subject?.batch]),
    ).toEqual([['fp32', 1]]);
    expect(gates.some(({ outcome }) => outcome === 'not judged')).toBe(false);
    expect(comparisonDocument({ comparison, gates }).inTurn).toEqual(['laptop']);
    expect(comparisonTable({ comparison, gates }).notes.join('\n')).toContain('in turn on laptop');
  });
});
