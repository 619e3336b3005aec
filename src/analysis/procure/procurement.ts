import { InputError } from '../../base/errors.js';
import type { Estimate } from '../../stats/interval.js';
import type { Analysis } from '../analysis.js';
import { candidatesOf, type Candidate } from './candidate.js';
import type { Constraints } from './constraints.js';

/** Whether another candidate is at least as good in everything that counts: surely, surely none, or not to be said. */
export type Pareto = 'on the front' | 'dominated' | 'cannot tell';

/** A candidate and its place among the others. */
export interface Ranked extends Candidate {
  /** From 1, by money for each image a second; undefined where that is not known or the candidate is not ranked. */
  readonly byCost: number | undefined;
  /** From 1, by energy for an image. */
  readonly byEnergy: number | undefined;
  /** Undefined for what is not ranked: what fails, and what is emulated: boards, and GPUs that the processor plays. */
  readonly pareto: Pareto | undefined;
}

/** What to buy. */
export interface Procurement {
  readonly runId: string;
  readonly suite: string;
  readonly batch: number;
  readonly constraints: Constraints;
  /** Whether emulators were ranked, which says nothing of the hardware they look like. */
  readonly emulatedToo: boolean;
  /** What meets everything first, then what may, then what fails; each by cost. */
  readonly candidates: readonly Ranked[];
}

/** What is asked of a run. */
export interface ProcureOptions {
  readonly batch: number;
  readonly constraints: Constraints;
  readonly emulatedToo: boolean;
}

/**
 * Ranks what a run measured by what it costs.
 *
 * @param analysis - of the run
 * @param options - batch size and limits
 * @throws InputError when nothing was timed at the batch size, or prices are in several currencies
 */
export function procure(
  analysis: Analysis,
  { batch, constraints, emulatedToo }: ProcureOptions,
): Procurement {
  const sizes = [
    ...new Set(analysis.figures.flatMap(({ latencies }) => latencies.map((each) => each.batch))),
  ];
  if (!sizes.includes(batch))
    throw new InputError({
      source: '--batch',
      found: String(batch),
      expected: sizes.length > 0 ? `a batch size that was timed: ${sizes.join(', ')}` : 'a run with timings',
    });
  const all = candidatesOf(analysis, batch, constraints);
  const currencies = [...new Set(all.flatMap(({ cost }) => (cost ? [cost.currency] : [])))];
  if (currencies.length > 1)
    throw new InputError({
      source: `run ${analysis.run.row.id}`,
      place: 'price.currency of the device profiles',
      found: currencies.join(', '),
      expected: 'one currency, so that prices can be compared',
    });
  const ranked = all.filter(({ answer, emulated }) => answer !== 'fails' && (emulatedToo || !emulated));
  const byCost = placesBy(ranked, ({ cost }) => cost);
  const byEnergy = placesBy(ranked, ({ energy }) => energy);
  const candidates = all.map((each) => ({
    ...each,
    byCost: byCost.get(each),
    byEnergy: byEnergy.get(each),
    pareto: ranked.includes(each) ? paretoOf(each, ranked) : undefined,
  }));
  const { id: runId, suite } = analysis.run.row;
  return { runId, suite, batch, constraints, emulatedToo, candidates: candidates.sort(inOrder) };
}

function placesBy(
  candidates: readonly Candidate[],
  quantity: (candidate: Candidate) => Estimate | undefined,
): Map<Candidate, number> {
  const known = candidates.flatMap((candidate) => {
    const estimate = quantity(candidate);
    return estimate === undefined ? [] : [{ candidate, value: estimate.value }];
  });
  known.sort((a, b) => a.value - b.value);
  return new Map(known.map(({ candidate }, index) => [candidate, index + 1]));
}

const order = ['meets', 'cannot tell', 'fails'];

function inOrder(a: Ranked, b: Ranked): number {
  const byAnswer = order.indexOf(a.answer) - order.indexOf(b.answer);
  if (byAnswer !== 0) return byAnswer;
  if (a.emulated !== b.emulated) return a.emulated ? 1 : -1;
  // Infinity less itself is no number.
  return a.byCost === b.byCost ? 0 : (a.byCost ?? Infinity) - (b.byCost ?? Infinity);
}

/** What counts, each as an interval in which less is better. */
const objectives: readonly ((candidate: Candidate) => Estimate | undefined)[] = [
  ({ cost }) => cost,
  ({ energy }) => energy,
  ({ throughput }) =>
    throughput && { value: 1 / throughput.value, low: 1 / throughput.high, high: 1 / throughput.low },
  ({ top1 }) => top1 && { value: 1 - top1.value, low: 1 - top1.high, high: 1 - top1.low },
];

/**
 * One candidate surely dominates another when in everything the worst it may be is no worse than the best the other may be; it
 * may dominate when the best it may be is no worse than the worst of the other. What is known of one of them alone may be
 * anything for the other; what is known of neither does not count. A variant is as accurate on one device as on another.
 */
function paretoOf(candidate: Candidate, all: readonly Candidate[]): Pareto {
  const anything: Estimate = { value: NaN, low: 0, high: Infinity };
  const pairs = (other: Candidate): [Estimate, Estimate][] =>
    objectives.flatMap((objective, index): [Estimate, Estimate][] => {
      const [own, its] = [objective(candidate), objective(other)];
      const isAccuracy = index === objectives.length - 1;
      if ((own ?? its) === undefined || (isAccuracy && candidate.variant === other.variant)) return [];
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
