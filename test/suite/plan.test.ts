import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { planOf, roundBounds, type Plan } from '../../src/suite/plan.js';
import { readSuite, type Suite } from '../../src/suite/read.js';
import { tiers, type Tier } from '../../src/suite/schema.js';

const quickstart = await readSuite(join(packageRoot(), 'suites', 'quickstart.yaml'));

/** The quickstart's models and recipes on two devices. */
function suiteWith(changes: Partial<Suite>): Suite {
  const performance = { batches: [1, 8], tier: 'rapid', rounds: 3 } as const;
  return {
    ...quickstart,
    ...{ seed: 1, devices: ['a.yaml', 'b.yaml'], accuracy: { batch: 64 } },
    performance: { ...performance, batches: [...performance.batches] },
    ...changes,
  };
}

const plan = planOf(suiteWith({}));
const isTimed = ({ cells }: Plan, cell: number): boolean => cells[cell]!.scenario.kind === 'performance';

describe('a plan', () => {
  it('has one cell for every variant on every device in every scenario', () => {
    const { variants, cells } = plan;
    expect(variants.map(({ recipe }) => recipe)).toEqual(quickstart.recipes);
    const named = cells.map(({ variant, device, scenario }) =>
      [variant, device, scenario.kind, scenario.batch].join(' '),
    );
    expect(new Set(named).size).toBe(named.length);
    for (const variant of variants.keys())
      for (const device of [0, 1])
        for (const scenario of ['accuracy 64', 'kernels 8', 'performance 1', 'performance 8'])
          expect(named).toContain(`${variant} ${device} ${scenario}`);
    expect(named).toHaveLength(quickstart.recipes.length * 2 * 4);
  });

  it('is refused where it would take days', () => {
    const performance = { batches: [1, 2, 4, 8], tier: 'rapid' as const, rounds: 1000 };
    const devices = Array.from({ length: 20 }, (_, index) => `${index}.yaml`);
    expect(() => planOf(suiteWith({ devices, performance }))).toThrow(
      /measurements.*20 devices.*4000 rounds, of 4 scenarios/,
    );
  });

  it('gives each cell its rounds', () => {
    for (const [index, { scenario }] of plan.cells.entries()) {
      const rounds = plan.rounds.filter(({ cell }) => cell === index).map(({ round }) => round);
      expect(rounds).toEqual(scenario.kind === 'performance' ? [0, 1, 2] : [0]);
    }
  });

  it('scores and lists kernels before it times', () => {
    const firstTimed = plan.rounds.findIndex(({ cell }) => isTimed(plan, cell));
    expect(plan.rounds.slice(firstTimed).every(({ cell }) => isTimed(plan, cell))).toBe(true);
    const untimed = plan.rounds.slice(0, firstTimed).map(({ cell }) => plan.cells[cell]!.scenario.kind);
    expect(untimed.lastIndexOf('accuracy')).toBeLessThan(untimed.indexOf('kernels'));
  });

  it('goes through all timed cells in each round, every time in another order', () => {
    const timed = plan.rounds.filter(({ cell }) => isTimed(plan, cell));
    const perRound = timed.length / 3;
    const orders = [0, 1, 2].map((round) => {
      const part = timed.slice(round * perRound, (round + 1) * perRound);
      expect(part.every((each) => each.round === round)).toBe(true);
      return part.map(({ cell }) => cell);
    });
    const sorted = orders.map((order) => [...order].sort((a, b) => a - b));
    expect(new Set(sorted[0]).size).toBe(quickstart.recipes.length * 2 * 2);
    expect(sorted[1]).toEqual(sorted[0]);
    expect(sorted[2]).toEqual(sorted[0]);
    expect(new Set(orders.map(String)).size).toBe(3);
  });

  it('times load in turn with the rest, in as many rounds as that has', () => {
    const load = {
      ...{ server: { batches: [1, 2], p99: 20 }, offline: { batches: [8] } },
      ...{ tier: 'smoke' as const, rounds: 2 },
    };
    const loaded = planOf(suiteWith({ load }));
    const subjects = quickstart.recipes.length * 2;
    const scenarios = loaded.cells.map(({ scenario }) => scenario);
    expect(scenarios.filter(({ kind }) => kind === 'server')).toHaveLength(2 * subjects);
    expect(scenarios.find(({ kind }) => kind === 'server')).toEqual({
      ...{ kind: 'server', batch: 1, p99: 20, tier: 'smoke', rounds: 2 },
    });
    for (const [cell, scenario] of scenarios.entries()) {
      const own = loaded.rounds.filter((each) => each.cell === cell).map(({ round }) => round);
      const rounds = { performance: 3, server: 2, offline: 2, accuracy: 1, kernels: 1 }[scenario.kind];
      expect(own).toEqual(Array.from({ length: rounds }, (_, round) => round));
    }
    // The rounds of one number come together.
    const timed = loaded.rounds.filter(({ cell }) => 'tier' in scenarios[cell]!).map(({ round }) => round);
    expect(timed).toEqual([...timed].sort((a, b) => a - b));
  });

  it('is the same for the same seed and in another order for another', () => {
    expect(planOf(suiteWith({}))).toEqual(plan);
    const other = planOf(suiteWith({ seed: 2 }));
    expect(other.cells).toEqual(plan.cells);
    expect(other.rounds).not.toEqual(plan.rounds);
  });

  it('puts every variant first in about as many rounds as any other', () => {
    const { rounds, cells } = planOf(
      suiteWith({ performance: { batches: [1], tier: 'rapid', rounds: 800 } }),
    );
    const begun = new Map<number, number>();
    let last = -1;
    for (const { cell, round } of rounds.filter(({ cell }) => cells[cell]!.scenario.kind === 'performance')) {
      if (round !== last) begun.set(cell, (begun.get(cell) ?? 0) + 1);
      last = round;
    }
    const cellCount = quickstart.recipes.length * 2;
    expect(begun.size).toBe(cellCount);
    // Binomial: six standard deviations are at most 6 · √(n p).
    const mean = 800 / cellCount;
    for (const count of begun.values()) expect(Math.abs(count - mean)).toBeLessThan(6 * Math.sqrt(mean));
  });
});

describe('the rounds of a cell', () => {
  it.each(Object.keys(tiers) as Tier[])('together are no less than the tier %s asks for', (tier) => {
    for (const rounds of [1, 3, 7]) {
      const { minQueries, minSeconds, maxSeconds } = roundBounds(tier, rounds);
      expect(Number.isInteger(minQueries)).toBe(true);
      expect(minQueries * rounds).toBeGreaterThanOrEqual(tiers[tier].minQueries);
      expect(minSeconds * rounds).toBeCloseTo(tiers[tier].minSeconds, 9);
      expect(maxSeconds * rounds).toBeCloseTo(tiers[tier].maxSeconds, 9);
    }
  });
});
