import { isTimed, roundBounds, type Scenario } from '../suite/plan.js';
import { serverTiers } from '../suite/schema.js';
import type { Cell } from './cell.js';

/** Starting an agent, loading a model and warming up, before anything is known. */
const OVERHEAD_SECONDS = 2;

/** A search for a rate takes so much of its longest time, before anything is known. */
const SEARCH_SHARE = 0.5;

/** Seconds that classifying the test images or listing kernels is taken to need, before anything is known: few for a large model. */
export const UNTIMED_SECONDS = 5;

/** Seconds of some rounds together. */
interface Taken {
  readonly seconds: number;
  readonly rounds: number;
}

/**
 * Says how long a round will take: from what like rounds took, and from the tier where there were none. What repeating and waiting took
 * because others had disturbed rounds is spread over all that are timed: it hits one as well as another, and the cell that it hit is not
 * slower for it.
 */
export class Forecast {
  private readonly seen = new Map<string | number, Taken>();
  private disturbed: Taken = { seconds: 0, rounds: 0 };

  /**
   * Takes how long a round of a cell took.
   *
   * @param cell - of the round
   * @param seconds - of its last try, which counts
   * @param before - seconds of the tries before it and of waiting for quiet
   */
  add(cell: Cell, seconds: number, before: number): void {
    if (isTimed(cell.scenario))
      this.disturbed = { seconds: this.disturbed.seconds + before, rounds: this.disturbed.rounds + 1 };
    for (const key of keysOf(cell)) {
      const known = this.seen.get(key) ?? { seconds: 0, rounds: 0 };
      this.seen.set(key, { seconds: known.seconds + seconds, rounds: known.rounds + 1 });
    }
  }

  /** Seconds that a round of a cell will take. */
  seconds(cell: Cell): number {
    const { seconds, rounds } = this.disturbed;
    const more = isTimed(cell.scenario) && rounds > 0 ? seconds / rounds : 0;
    return this.ownSeconds(cell) + more;
  }

  /** Without what others cause. */
  private ownSeconds(cell: Cell): number {
    for (const key of keysOf(cell)) {
      const known = this.seen.get(key);
      if (known) return known.seconds / known.rounds;
    }
    return leastSeconds(cell.scenario);
  }
}

/**
 * Seconds that a round takes before anything is known: what its tier asks for at least, and starting an agent.
 *
 * @param scenario - of the round
 */
export function leastSeconds(scenario: Scenario): number {
  if (!isTimed(scenario)) return UNTIMED_SECONDS;
  if (scenario.kind === 'server')
    return serverTiers[scenario.tier].maxSeconds * SEARCH_SHARE + OVERHEAD_SECONDS;
  return roundBounds(scenario.tier, scenario.rounds).minSeconds + OVERHEAD_SECONDS;
}

/** The cell itself, then all cells of its scenario. */
function keysOf({ id, subject, scenario }: Cell): (string | number)[] {
  return [id, `${scenario.kind} ${scenario.batch} ${subject.session.device.profile.name}`];
}
