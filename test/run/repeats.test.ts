import { describe, expect, it } from 'vitest';
import { RepeatBudget } from '../../src/run/repeats.js';

const load = { kind: 'other-load', cores: 1 } as const;
const moved = { kind: 'moved', before: 50, after: 275 } as const;

/** How often something can be taken. */
function count(take: () => number | undefined): number {
  let taken = 0;
  while (taken < 1000 && take() !== undefined) taken += 1;
  return taken;
}

describe('the budget for what was disturbed', () => {
  it('allows a round few repeats', () => {
    const budget = new RepeatBudget(1000);
    expect(count(() => budget.take(load, 0))).toBeGreaterThan(100);
    expect(new RepeatBudget(1000).take(load, 1)).toBeDefined();
    expect(new RepeatBudget(1000).take(load, 2)).toBeUndefined();
  });

  it.each([
    [0, 0],
    [2, 4],
    [40, 20],
  ])('of a run of %d rounds is used up after %d repeats', (rounds, repeats) => {
    const budget = new RepeatBudget(rounds);
    expect(count(() => budget.take(load, 0))).toBe(repeats);
  });

  it('waits no longer than it may altogether, and not at all for a processor that moved', () => {
    const budget = new RepeatBudget(1000);
    expect(budget.take(moved, 0)).toBe(0);
    let waited = 0;
    for (let i = 0; i < 100; i++) {
      const seconds = budget.take(load, 0);
      budget.waited(seconds ?? 0);
      waited += seconds ?? 0;
    }
    expect(waited).toBe(120);
  });
});
