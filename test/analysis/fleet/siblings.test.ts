import { describe, expect, it } from 'vitest';
import type { SeenBoard } from '../../../src/analysis/fleet/copies.js';
import { siblingsOf, type SiblingGroup } from '../../../src/analysis/fleet/siblings.js';
import type { Random } from '../../../src/base/random.js';
import { seededRandom } from '../../../src/base/random.js';
import { withResults } from '../../../src/library/results.js';
import { siblings } from '../../../src/library/siblings.js';
import { boardsTable, spreadTable } from '../../../src/text/fleet/siblings.js';
import { shareOf } from '../../support/simulate.js';
import { describeEachStore } from '../../support/stores.js';
import { storeExample } from '../support/example.js';

/** How boards of a test are. */
interface Wishes {
  readonly boards: number;
  readonly between: number;
  readonly within: number;
  readonly rounds?: number;
  readonly runs?: number;
  readonly cells?: number;
  /** By board: what its latency is a multiple of. */
  readonly factor?: (board: number) => number;
}

/** Copies of a board whose logarithms of latency are normal. */
function fleet(random: Random, wishes: Wishes): SeenBoard[] {
  const { boards, between, within, rounds = 5, runs = 1, cells = 1, factor = () => 1 } = wishes;
  const levels = Array.from({ length: boards }, (_, board) =>
    Array.from({ length: cells }, () => 1 + Math.log(factor(board)) + between * random.normal()),
  );
  return Array.from({ length: runs }, (_, run) =>
    levels.map((own, board): SeenBoard => ({
      ...{ name: `pi5-${board}`, label: `pi5-${board}`, emulated: false },
      ...{ runId: `run-${run}`, startedAt: `2026-11-${10 + run}T00:00:00.000Z` },
      kind: new Map([['processor', 'Cortex-A76']]),
      state: new Map([['frequency governor', board === 0 ? 'powersave' : 'performance']]),
      timings: own.map((level, cell) => ({
        ...{ model: 'vit', recipe: `recipe-${cell}`, artifact: `key-${cell}`, batch: 1 },
        logs: Array.from({ length: rounds }, () => level + within * random.normal()),
      })),
    })),
  ).flat();
}

const of = (wishes: Wishes, seed = 1): SiblingGroup =>
  siblingsOf(fleet(seededRandom(seed), wishes), { threshold: 0.02 })[0]!;

const oddOnes = ({ boards }: SiblingGroup): string[] =>
  boards.filter(({ verdict }) => verdict === 'odd').map(({ name }) => name);

describe('copies of a board', () => {
  it('with one that throttles are told from it, and what it is set up otherwise in', () => {
    const group = of({
      ...{ boards: 8, between: 0.005, within: 0.01, cells: 3 },
      factor: (board) => (board === 0 ? 1.3 : 1),
    });
    expect(oddOnes(group)).toEqual(['pi5-0']);
    expect(group.boards[0]!.differences).toEqual([
      { name: 'frequency governor', before: 'performance', after: 'powersave' },
    ]);
    for (const { boards } of group.cells) {
      const { deviation, p } = boards[0]!;
      expect(deviation.low).toBeGreaterThan(1.2);
      expect(deviation.high).toBeLessThan(1.4);
      expect(p).toBeLessThan(0.05);
    }
    expect(boardsTable(group, 'pi5-0', 0.02).notes.join(' ')).toContain('powersave instead of performance');
  });

  it('that are steady and the same are said to be alike', () => {
    const { boards, cells } = of({ boards: 6, between: 0.001, within: 0.002 });
    expect(boards.map(({ verdict }) => verdict)).toEqual(boards.map(() => 'alike'));
    expect(cells[0]!.components!.within.value).toBeCloseTo(0.002, 3);
  });

  it('that are two have no odd one, and that is said', () => {
    const group = of({ boards: 2, between: 0, within: 0.01, factor: (board) => 1 + board });
    expect(oddOnes(group)).toEqual([]);
    expect(group.cells[0]).toMatchObject({ method: undefined, detectable: undefined });
    expect(group.cells[0]!.boards.map(({ p }) => p)).toEqual([undefined, undefined]);
    expect(spreadTable(group).notes.join(' ')).toContain('at least 3');
  });

  it('are compared from run to run where every one has several runs', () => {
    const wishes = { boards: 4, between: 0.01, within: 0.01, runs: 3 };
    expect(of(wishes).cells[0]).toMatchObject({ unit: 'run', boards: Array(4).fill({ values: 3 }) });
    expect(of({ ...wishes, runs: 1 }).cells[0]).toMatchObject({ unit: 'round' });
  });

  it('count as outliers by chance in at most one fleet in twenty, over all cells', () => {
    // Deviations of any size matter here; 2.6 standard errors of 1,000 fleets.
    const share = shareOf(1000, 11, (random) => {
      const seen = fleet(random, { boards: 6, between: 0.01, within: 0.01, cells: 4 });
      return siblingsOf(seen, { threshold: 1e-9 }).some((group) => oddOnes(group).length > 0);
    });
    expect(share).toBeLessThanOrEqual(0.068);
  });

  it('have intervals that cover how far a board lies from its siblings', () => {
    const share = shareOf(1000, 13, (random) => {
      const seen = fleet(random, { boards: 5, between: 0, within: 0.01, factor: (board) => 1 + board / 10 });
      const { deviation } = siblingsOf(seen, { threshold: 0.02 })[0]!.cells[0]!.boards[0]!;
      // The median of 1.1, 1.2, 1.3 and 1.4 as multiples, of their logarithms.
      const truth = 1 / Math.sqrt(1.2 * 1.3);
      return deviation.low <= truth && truth <= deviation.high;
    });
    expect(share).toBeGreaterThanOrEqual(0.93);
  });

  it('of other hardware, and of another artifact, are none', () => {
    const seen = fleet(seededRandom(3), { boards: 3, between: 0.01, within: 0.01 });
    const others = seen.map((board, index) => ({ ...board, kind: new Map([['processor', `${index}`]]) }));
    expect(siblingsOf(others, { threshold: 0.02 })).toEqual([]);
    const remade = seen.map((board, index) => ({
      ...board,
      timings: board.timings.map((timing) => ({ ...timing, artifact: `made-${index}` })),
    }));
    expect(siblingsOf(remade, { threshold: 0.02 })[0]!.cells).toEqual([]);
  });
});

describeEachStore((place) => {
  it('copies of a board are found in stored runs', async () => {
    const devices = ['pi5-a', 'pi5-b', 'pi5-c', 'pi5-d', 'pi5-e', 'pi5-f'];
    await withResults(place(), {}, ({ db }) =>
      storeExample(db, { devices, smooth: true, slowness: [1, 1.001, 1, 0.999, 1.5, 1.002] }),
    );
    const { groups, alone } = await siblings(place());
    expect(alone).toEqual([]);
    expect(groups).toHaveLength(1);
    expect(oddOnes(groups[0]!)).toEqual(['pi5-e']);
    await expect(siblings(place(), { device: 'pi5-x' })).rejects.toThrow(/pi5-x.*pi5-/s);
    const named = await siblings(place(), { device: 'pi5-e' });
    expect(named.groups[0]!.boards).toHaveLength(6);
  });
});
