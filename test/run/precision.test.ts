import { describe, expect, it } from 'vitest';
import { findRun, loadRun, type StoredCell } from '../../src/store/read.js';
import type { Suite } from '../../src/suite/read.js';
import { useRuns } from './support.js';

const runs = useRuns();

function suiteWith(precision: number, rounds: number, maxRounds: number): Suite {
  return runs.suite({ performance: { batches: [2], tier: 'smoke', rounds, precision, maxRounds } });
}

/** The timed cells of the only run: fp32's and int8's. */
async function timedCells(): Promise<[StoredCell, StoredCell]> {
  const { cells } = await loadRun(runs.db(), await findRun(runs.db(), ''));
  const timed = cells.filter(({ row }) => row.kind === 'performance');
  return ['fp32', 'int8'].map((recipe) => timed.find(({ variant }) => variant.recipe === recipe)!) as [
    StoredCell,
    StoredCell,
  ];
}

const numbersOf = ({ rounds }: StoredCell): number[] => rounds.map(({ row }) => row.round);

describe('a run for a precision', () => {
  it('adds nothing where the suite’s rounds are enough', async () => {
    // So loose that the noisiest machine gets there.
    const asked = 1000;
    expect((await runs.execute(suiteWith(asked, 4, 4))).failedCells).toBe(0);
    const [fp32, int8] = await timedCells();
    for (const cell of [fp32, int8]) {
      expect(cell.row).toMatchObject({ status: 'done', rounds: 4 });
      expect(numbersOf(cell)).toEqual([0, 1, 2, 3]);
    }
    expect(fp32.stopping).toBeUndefined();
    // None is reached where others disturbed most of the four rounds.
    const { reached } = int8.stopping!;
    expect(int8.stopping).toMatchObject({ reason: reached === null ? 'cap' : 'precision', asked });
    expect(reached ?? 0).toBeLessThanOrEqual(asked);
  });

  it('adds rounds of fp32 and the variant up to the cap, also when it is interrupted among them', async () => {
    const suite = suiteWith(1e-6, 4, 6);
    const first: number[] = [];
    await runs.interrupt(suite, (stop) => ({
      measured: ({ position, round, rounds }) => {
        first.push(position);
        // The first one of the first added round.
        if (round === 4) {
          expect(rounds).toBe(4 + 8 + 2);
          stop();
        }
      },
    }));
    const [before] = await timedCells();
    expect(before.row).toMatchObject({ status: 'pending', rounds: 5 });
    const second: number[] = [];
    const shares: number[] = [];
    const outcome = await runs.execute(
      suite,
      {
        measured: ({ position, overall }) => {
          second.push(position);
          shares.push(overall);
        },
      },
      { resume: true },
    );
    expect(outcome.failedCells).toBe(0);
    expect([...first, ...second]).toEqual(Array.from({ length: 4 + 8 + 4 }, (_, index) => index));
    expect(shares.at(-1)).toBe(1);
    const [fp32, int8] = await timedCells();
    for (const cell of [fp32, int8]) {
      expect(cell.row).toMatchObject({ status: 'done', rounds: 6 });
      expect(numbersOf(cell)).toEqual([0, 1, 2, 3, 4, 5]);
    }
    expect(int8.stopping).toMatchObject({ reason: 'cap', asked: 1e-6 });
    // Null where others disturbed too many of the rounds.
    expect(int8.stopping!.reached ?? Infinity).toBeGreaterThan(1e-6);
    // Of each added round both were measured one after the other.
    for (const round of [4, 5]) {
      const [one, other] = [fp32, int8].map(({ rounds }) => rounds[round]!.row.position);
      expect(Math.abs(one! - other!)).toBe(1);
    }
  });
});
