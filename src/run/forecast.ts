import type { PlannedCell } from '../suite/plan.js';
import { roundBounds } from '../suite/plan.js';

/** Starting an agent, loading a model and warming up, before anything is known. */
const OVERHEAD_SECONDS = 2;

/** Classifying the test images or listing kernels, before anything is known. */
const UNTIMED_SECONDS = 5;

/** Says how long a round will take: from what like rounds took, and from the tier where there were none. */
export class Forecast {
  private readonly seen = new Map<string, { seconds: number; rounds: number }>();

  /** Takes how long a round of a cell took. */
  add(cell: PlannedCell, seconds: number): void {
    for (const key of keysOf(cell)) {
      const known = this.seen.get(key) ?? { seconds: 0, rounds: 0 };
      this.seen.set(key, { seconds: known.seconds + seconds, rounds: known.rounds + 1 });
    }
  }

  /** Seconds that a round of a cell will take. */
  seconds(cell: PlannedCell): number {
    for (const key of keysOf(cell)) {
      const known = this.seen.get(key);
      if (known) return known.seconds / known.rounds;
    }
    const { scenario } = cell;
    if (scenario.kind !== 'performance') return UNTIMED_SECONDS;
    return roundBounds(scenario.tier, scenario.rounds).minSeconds + OVERHEAD_SECONDS;
  }
}

/** The cell itself, then all cells of its scenario. */
function keysOf({ variant, device, scenario }: PlannedCell): string[] {
  const alike = `${scenario.kind} ${scenario.batch} ${device}`;
  return [`${alike} ${variant}`, alike];
}
