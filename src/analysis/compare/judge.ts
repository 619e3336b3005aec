import { defined } from '../../base/defined.js';
import { holm } from '../../stats/holm.js';
import { isBetterHigher, type Metric } from '../../base/metric.js';
import type { Effect } from './effect.js';

/** Differences that chance alone makes at most so often, over all cells of a metric together, count as differences. */
export const SIGNIFICANCE = 0.05;

/** What is said of a difference. */
export type Verdict =
  | 'faster'
  | 'slower'
  | 'smaller'
  | 'larger'
  | 'better'
  | 'worse'
  | 'higher'
  | 'lower'
  | 'not distinguishable';

/** An effect and what is to be said of it. */
export interface Judgement extends Effect {
  /** `p` after Holm's correction over all judgements of the metric. */
  readonly adjustedP: number | undefined;
  /** The smallest change that counts, as a share: what the device can tell; undefined where nobody measured that. */
  readonly floor: number | undefined;
  readonly significant: boolean;
  readonly verdict: Verdict;
}

/** An effect, and the smallest one that counts. */
export interface Question {
  readonly effect: Effect;
  readonly floor: number | undefined;
}

/**
 * Judges effects together: a change counts when it is significant after Holm's correction, one family for each metric, and at
 * least as large as what the device can tell.
 *
 * @param questions - all effects of a comparison
 * @returns in the same order, what else is known of each question with it
 */
export function judge<Asked extends Question>(
  questions: readonly Asked[],
): (Asked & { judgement: Judgement })[] {
  const adjusted = new Map<Asked, number>();
  for (const metric of new Set(questions.map(({ effect }) => effect.metric))) {
    const family = questions.flatMap((question) => {
      const { metric: own, p } = question.effect;
      return own === metric && p !== undefined ? [{ question, p }] : [];
    });
    const corrected = holm(family.map(({ p }) => p));
    for (const [index, { question }] of family.entries())
      adjusted.set(question, defined(corrected[index], 'an adjusted p'));
  }
  return questions.map((question) => ({ ...question, judgement: judged(question, adjusted.get(question)) }));
}

/**
 * Whether a change is one for the worse: slower, larger, fewer right answers, fewer queries or images a second.
 *
 * @param metric - what changed
 * @param change - above 0 is slower, larger, more right answers, features that lie nearer, or more queries or images a second
 */
export function isWorse(metric: Metric, change: number): boolean {
  return isBetterHigher(metric) ? change < 0 : change > 0;
}

/** What a change of a metric is called. */
export function wordFor(metric: Metric, change: number): Exclude<Verdict, 'not distinguishable'> {
  const worse = isWorse(metric, change);
  switch (metric) {
    case 'latency':
    case 'p90':
      return worse ? 'slower' : 'faster';
    case 'memory':
    case 'file':
      return worse ? 'larger' : 'smaller';
    case 'cosine':
    case 'rate':
    case 'throughput':
      return worse ? 'lower' : 'higher';
    case 'accuracy':
      return worse ? 'worse' : 'better';
  }
}

function judged({ effect, floor }: Question, adjustedP: number | undefined): Judgement {
  const change = effect.change.value;
  // What is not left to chance is significant unless it is nothing.
  const significant = change !== 0 && (adjustedP === undefined || adjustedP <= SIGNIFICANCE);
  const counts = significant && Math.abs(change) >= (floor ?? 0);
  const verdict = counts ? wordFor(effect.metric, change) : 'not distinguishable';
  return { ...effect, adjustedP, floor, significant, verdict };
}
