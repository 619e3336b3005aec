import type { Limited } from './constraints.js';
import type { Test } from './limits.js';
import type { Procurement, Ranked } from './procurement.js';

/** In what a candidate falls short. */
export interface Lack {
  readonly limited: Limited | 'fleet';
  readonly test: Test;
}

/** What a procurement comes to. */
export type Decision =
  /** The cheapest of all that qualify: several where their costs cannot be told apart. */
  | { readonly kind: 'buy'; readonly best: readonly Ranked[]; readonly runnersUp: readonly Ranked[] }
  /** Some qualify, but none has a place: what they cost is not known, or how fast they are is unsure. */
  | { readonly kind: 'undecided'; readonly qualifying: readonly Ranked[] }
  /** The one that is nearest to it, and what it lacks; undefined where there is no candidate at all. */
  | {
      readonly kind: 'nothing qualifies';
      readonly nearest: { readonly candidate: Ranked; readonly lacks: readonly Lack[] } | undefined;
      /** Whether emulators would, which are no hardware that one can buy. */
      readonly emulatedWould: boolean;
    };

/** So many are named behind the best. */
const RUNNERS_UP = 2;

/**
 * What to buy: the first tie by cost, and the ties behind it until there are two runners-up. A tie is never taken apart, so that there may
 * be more.
 *
 * @param procurement - what was found
 */
export function decisionOf({ candidates, emulatedToo }: Procurement): Decision {
  const tieOf = (place: number): Ranked[] => candidates.filter(({ byCost }) => byCost?.tie === place);
  const best = tieOf(1);
  if (best.length > 0) {
    const runnersUp: Ranked[] = [];
    for (let tie = 2; runnersUp.length < RUNNERS_UP && tieOf(tie).length > 0; tie++)
      runnersUp.push(...tieOf(tie));
    return { kind: 'buy', best, runnersUp };
  }
  const real = candidates.filter(({ emulated }) => emulatedToo || !emulated);
  const qualifying = real.filter(({ answer }) => answer === 'meets');
  if (qualifying.length > 0) return { kind: 'undecided', qualifying };
  const [nearest] = real.map((candidate) => ({ candidate, lacks: lacksOf(candidate) })).sort(byDistance);
  return {
    kind: 'nothing qualifies',
    nearest,
    emulatedWould: candidates.some(({ emulated, answer }) => emulated && answer === 'meets'),
  };
}

/** Whether something qualifies: what the exit code says. */
export function qualifies(decision: Decision): boolean {
  return decision.kind !== 'nothing qualifies';
}

function lacksOf({ tests }: Ranked): Lack[] {
  return Object.entries(tests).flatMap(([limited, test]) =>
    test.answer === 'meets' ? [] : [{ limited: limited as Lack['limited'], test }],
  );
}

interface Distant {
  readonly candidate: Ranked;
  readonly lacks: readonly Lack[];
}

/**
 * Nearest is what has most measured, then what is least beyond its worst limit (as a factor, from the nearest end of the interval), then
 * what misses the fewest.
 */
function byDistance(a: Distant, b: Distant): number {
  const unmeasured = ({ lacks }: Distant): number =>
    lacks.filter(({ test }) => test.beyond === undefined).length;
  const worst = ({ lacks }: Distant): number => Math.max(1, ...lacks.map(({ test }) => test.beyond ?? 1));
  return unmeasured(a) - unmeasured(b) || worst(a) - worst(b) || a.lacks.length - b.lacks.length;
}
