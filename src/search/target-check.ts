import { typicalLatency } from '../analysis/figures/latency.js';
import { peakRange, peakShare } from '../analysis/figures/memory.js';
import type { Estimate } from '../stats/interval.js';
import { pairedRatio } from '../stats/ratio.js';
import { lossEstimate, type JudgedLoss } from './judged-loss.js';
import type { Rounds } from './measure.js';
import type { Target } from './target.js';

/** What a target is about; less is better. */
export interface Figures {
  /** A batch. */
  readonly milliseconds: number;
  /** Bytes over the runtime's base. */
  readonly peak: number;
  /** Percentage points: of a recipe that was measured, what `lossEstimate` says. */
  readonly loss: number;
}

/** How a measured recipe stands to one goal of a target. */
export interface GoalCheck {
  readonly goal: 'latency' | 'memory' | 'accuracy-loss';
  /** What estimate and limit count: times as fast as fp32, shares of its peak, percentage points. */
  readonly unit: 'times' | 'milliseconds' | 'share' | 'bytes' | 'points';
  /** Of accuracy the expected loss. */
  readonly estimate: Estimate;
  /** Of accuracy, what was counted. */
  readonly counted?: Estimate;
  readonly limit: number;
  /** Whether the estimate meets the goal, and what was counted, too. */
  readonly met: boolean;
  /** Whether the whole interval of the estimate lies on that side of the limit. */
  readonly certain: boolean;
}

/** What was measured of a recipe, and of fp32 in the same rounds. */
export interface Measured {
  readonly own: Rounds;
  readonly fp32: Rounds;
  readonly loss: JudgedLoss;
}

/**
 * The figures that a target allows; infinite where it asks for nothing.
 *
 * @param target - the target
 * @param fp32 - of the model as it was trained
 */
export function allowedFigures(
  { latency, memory, accuracyLoss }: Target,
  fp32: Pick<Figures, 'milliseconds' | 'peak'>,
): Figures {
  return {
    milliseconds: !latency
      ? Infinity
      : 'speed' in latency
        ? fp32.milliseconds / latency.speed
        : latency.milliseconds,
    peak: !memory ? Infinity : 'share' in memory ? fp32.peak * memory.share : memory.bytes,
    loss: accuracyLoss ?? Infinity,
  };
}

/** A point of accuracy weighs as much in a distance as a tenth of the time or the memory that is allowed. */
const SHARE_OF_A_POINT = 0.1;

/**
 * How far figures are from what is allowed: by which share time and memory exceed it, and a tenth for each point of accuracy
 * beyond it, added up. 0 where nothing is exceeded.
 */
export function distance({ milliseconds, peak, loss }: Figures, limits: Figures): number {
  return (
    excess(milliseconds / limits.milliseconds - 1) +
    excess(peak / limits.peak - 1) +
    excess(SHARE_OF_A_POINT * (loss - limits.loss))
  );
}

/** The same of a recipe that was measured. */
export function measuredDistance(checks: readonly GoalCheck[]): number {
  return checks.reduce((sum, { unit, estimate: { value }, counted, limit }) => {
    if (unit === 'points')
      return sum + excess(SHARE_OF_A_POINT * (Math.max(value, counted?.value ?? value) - limit));
    return sum + excess((unit === 'times' ? limit / value : value / limit) - 1);
  }, 0);
}

function excess(share: number): number {
  return Math.max(0, share);
}

/** How many times as fast as fp32 a recipe is. */
export function speedOf({ own, fp32 }: Measured): Estimate {
  const ratio = pairedRatio(fp32.latencies, own.latencies);
  if (ratio === undefined) throw new Error('a speed needs at least two rounds');
  const { value, low, high } = ratio;
  return { value, low, high };
}

/**
 * A recipe's peak as a share of fp32's, as reports have it: see `peakShare`.
 *
 * @throws Error when a model took nothing over the runtime's base
 */
export function peakShareOf({ own, fp32 }: Measured): Estimate {
  const share = peakShare(own.peaks, fp32.peaks);
  if (share === undefined) throw new Error('a peak that is not above the runtime’s base has no share');
  return share;
}

/**
 * Holds a measured recipe against each goal of a target.
 *
 * @param target - the target
 * @param measured - at least two rounds
 */
export function checkTarget({ latency, memory, accuracyLoss }: Target, measured: Measured): GoalCheck[] {
  const { own, loss } = measured;
  const checks: GoalCheck[] = [];
  if (latency && 'speed' in latency)
    checks.push(goalCheck('latency', 'times', speedOf(measured), latency.speed));
  if (latency && 'milliseconds' in latency) {
    const estimate = typicalLatency([...own.latencies.values()]);
    checks.push(goalCheck('latency', 'milliseconds', estimate, latency.milliseconds));
  }
  if (memory && 'share' in memory)
    checks.push(goalCheck('memory', 'share', peakShareOf(measured), memory.share));
  if (memory && 'bytes' in memory) {
    checks.push(goalCheck('memory', 'bytes', peakRange([...own.peaks.values()]), memory.bytes));
  }
  if (accuracyLoss !== undefined)
    checks.push(goalCheck('accuracy-loss', 'points', lossEstimate(loss), accuracyLoss, loss.points));
  return checks;
}

function goalCheck(
  goal: GoalCheck['goal'],
  unit: GoalCheck['unit'],
  estimate: Estimate,
  limit: number,
  counted?: Estimate,
): GoalCheck {
  // Of speed alone is more better.
  const keeps = (value: number): boolean => (unit === 'times' ? value >= limit : value <= limit);
  const met = keeps(estimate.value) && (counted === undefined || keeps(counted.value));
  const certain = keeps(estimate.low) === met && keeps(estimate.high) === met;
  return { goal, unit, estimate, ...(counted && { counted }), limit, met, certain };
}
