import type { Compared, Comparison, Subject } from '../compare/compare.js';
import type { GateResult } from '../compare/gates.js';
import { isWorse, type Judgement } from '../compare/judge.js';
import type { Obstacle } from '../compare/obstacle.js';
import type { Metric } from '../../base/metric.js';
import type { Estimate } from '../../stats/interval.js';
import { studentQuantile, studentTail } from '../../stats/student.js';

/** What tells bad commits from good ones: a figure of a cell, and how far it changed from the good commit to the bad one. */
export interface Trait {
  readonly subject: Subject;
  readonly metric: Metric;
  /** From good to bad: value ÷ reference − 1, of scores a difference; undefined where the cell failed in the bad commit. */
  readonly change: Estimate | undefined;
}

/** What a test of a commit found. */
export type Evidence =
  /** From the good commit to this one; and how likely it is nearer to the bad one. */
  | { readonly kind: 'measured'; readonly change: Estimate; readonly bad: number }
  /** The cell failed, or the figure is not there. */
  | { readonly kind: 'failed'; readonly bad: number }
  /** It can be told neither way, and measuring again might. */
  | { readonly kind: 'undecided'; readonly obstacle: Obstacle }
  /** The commit does not have the cell. */
  | { readonly kind: 'absent' };

/**
 * What tells the bad commit from the good one: of the gates that it breaks, the place that changed most for what is known of it.
 *
 * @param comparison - of the bad commit with the good one
 * @param gates - what its gates say
 * @returns undefined where it breaks none
 */
export function traitOf(comparison: Comparison, gates: readonly GateResult[]): Trait | undefined {
  const traits = gates.flatMap(({ outcome, subject, gate, because }): Trait[] => {
    if (outcome !== 'broken' || subject === undefined) return [];
    const { metric } = gate;
    if (because.kind === 'judged') return [{ subject, metric, change: because.judgement.change }];
    return [{ subject, metric, change: undefined }];
  });
  const clarity = ({ metric, subject, change }: Trait): number => {
    if (change === undefined) return Infinity;
    const found = judgementOf(comparison, subject, metric);
    if (found === undefined) return 0;
    const { shift, error } = shiftOf(found.judgement);
    return Math.abs(shift) / error;
  };
  return traits.reduce<Trait | undefined>(
    (best, each) => (best === undefined || clarity(each) > clarity(best) ? each : best),
    undefined,
  );
}

/**
 * What the comparison of a commit with the good one says: how likely it is that the figure changed by more than half of what it changed by in the
 * bad commit (on the scale of logarithms for ratios), by Student's distribution about what was measured.
 *
 * @param comparison - of the commit with the good one
 * @param trait - what to look at
 */
export function evidenceOf(comparison: Comparison, trait: Trait): Evidence {
  const { subject, metric, change } = trait;
  const found = judgementOf(comparison, subject, metric);
  if (found !== undefined) {
    const { judgement } = found;
    if (change === undefined) return { kind: 'measured', change: judgement.change, bad: 0 };
    const { shift, error, degrees } = shiftOf(judgement);
    const sign = isWorse(metric, 1) ? 1 : -1;
    const half = scaled(metric, change.value) / 2;
    const beyond = sign * (shift - half);
    // Without any noise it is the one or the other.
    const bad = error === 0 ? Number(beyond >= 0) : 1 - studentTail(beyond / error, degrees);
    return { kind: 'measured', change: judgement.change, bad };
  }
  const missing = comparison.uncompared.find(
    (each) => isSame(each.subject, subject) && each.metrics.includes(metric),
  );
  if (missing === undefined || missing.obstacle.kind === 'not-in-new-run') return { kind: 'absent' };
  if (missing.failed) return { kind: 'failed', bad: change === undefined ? 1 : 0.5 };
  return { kind: 'undecided', obstacle: missing.obstacle };
}

function judgementOf({ compared }: Comparison, subject: Subject, metric: Metric): Compared | undefined {
  return compared.find((each) => each.judgement.metric === metric && isSame(each.subject, subject));
}

function isSame(one: Subject, other: Subject): boolean {
  const place = ({ model, recipe, device, batch, bound }: Subject): string =>
    JSON.stringify([model, recipe, device, batch, bound]);
  return place(one) === place(other);
}

/** A change, its standard error, and how many observations that rests on, on a scale on which changes add up. */
function shiftOf({ metric, change, observations }: Judgement): {
  readonly shift: number;
  readonly error: number;
  readonly degrees: number;
} {
  const degrees = Math.max(1, observations - 1);
  const width = scaled(metric, change.high) - scaled(metric, change.low);
  return {
    shift: scaled(metric, change.value),
    error: width / 2 / studentQuantile(0.975, degrees),
    degrees,
  };
}

/** Ratios as logarithms. */
function scaled(metric: Metric, change: number): number {
  return metric === 'accuracy' || metric === 'cosine' ? change : Math.log1p(change);
}
