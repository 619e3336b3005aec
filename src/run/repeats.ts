import type { Disturbance } from '../protocol/disturbance.js';

/** A round that was disturbed is measured so many times more at most. */
const MOST_PER_ROUND = 2;

/** All of them together may make a run so much longer, in rounds. */
const SHARE_OF_RUN = 0.5;
const LEAST_BUDGET = 4;

/** So long may a run wait for a quiet machine, all waiting together, in seconds, and for one round. */
const MOST_WAITING = 120;
const MOST_WAITING_PER_ROUND = 20;

/** How much a run may still repeat of what others disturbed. */
export class RepeatBudget {
  private left: number;
  private waiting = MOST_WAITING;

  /** @param rounds - of the run that may be repeated */
  constructor(rounds: number) {
    this.left = rounds === 0 ? 0 : Math.max(LEAST_BUDGET, Math.ceil(rounds * SHARE_OF_RUN));
  }

  /**
   * Takes one repeat out of the budget.
   *
   * @param disturbance - of the last try
   * @param repeats - how often the round was repeated already
   * @returns undefined where the round must stay as it is; else how many seconds it may wait for quiet
   */
  take(disturbance: Disturbance, repeats: number): number | undefined {
    if (repeats >= MOST_PER_ROUND || this.left === 0) return undefined;
    this.left -= 1;
    return disturbance.kind === 'moved' || disturbance.kind === 'slowed'
      ? 0
      : Math.min(MOST_WAITING_PER_ROUND, this.waiting);
  }

  /** Takes note of time that was spent waiting, in seconds. */
  waited(seconds: number): void {
    this.waiting = Math.max(0, this.waiting - seconds);
  }
}
