import { complement, quotient, exactly } from '../../stats/arithmetic.js';
import type { Estimate } from '../../stats/interval.js';
import type { Candidate } from './candidate.js';

/** Whether another candidate is at least as good in everything that counts: surely, surely none, or not to be said. */
export type Pareto = 'on the front' | 'dominated' | 'cannot tell';

/** Something in which less is better; undefined where it is not known. */
export interface Objective {
  of(candidate: Candidate): Estimate | undefined;
  /** Whether it is the same thing for two candidates, whose intervals then say nothing of a difference. */
  isSame?(one: Candidate, other: Candidate): boolean;
}

/** Time for an image, and wrong answers: a variant is as accurate on one device as on another. */
export const objectives: readonly Objective[] = [
  { of: ({ energy }) => energy },
  { of: ({ throughput }) => throughput && quotient(exactly(1), throughput) },
  {
    of: ({ accuracy }) => accuracy && complement(accuracy),
    isSame: (one, other) => one.model === other.model && one.recipe === other.recipe,
  },
];

/**
 * One candidate surely dominates another when in everything the worst it may be is no worse than the best the other may be; it
 * may dominate when the best it may be is no worse than the worst of the other. What is known of one of them alone may be
 * anything for the other; what is known of neither does not count.
 *
 * @param candidate - whose place is asked for
 * @param all - the candidates
 * @param by - what counts
 */
export function paretoOf(candidate: Candidate, all: readonly Candidate[], by: readonly Objective[]): Pareto {
  const anything: Estimate = { value: NaN, low: 0, high: Infinity };
  const pairs = (other: Candidate): [Estimate, Estimate][] =>
    by.flatMap((objective): [Estimate, Estimate][] => {
      const [own, its] = [objective.of(candidate), objective.of(other)];
      if ((own ?? its) === undefined || objective.isSame?.(candidate, other) === true) return [];
      return [[own ?? anything, its ?? anything]];
    });
  const others = all.filter((each) => each !== candidate).map(pairs);
  const surely = (pairsOf: [Estimate, Estimate][]): boolean =>
    pairsOf.every(([own, its]) => its.high <= own.low) && pairsOf.some(([own, its]) => its.high < own.low);
  const perhaps = (pairsOf: [Estimate, Estimate][]): boolean =>
    pairsOf.every(([own, its]) => its.low <= own.high);
  if (others.some(surely)) return 'dominated';
  return others.some(perhaps) ? 'cannot tell' : 'on the front';
}
