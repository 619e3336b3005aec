import { z } from 'zod';
import { InputError } from '../../base/errors.js';
import type { Compared, Comparison, Subject } from './compare.js';
import type { Metric } from './effect.js';
import { isWorse } from './judge.js';
import type { Judgement } from './judge.js';
import type { Obstacle } from './obstacle.js';

/** A limit for changes for the worse. */
export interface Gate {
  readonly metric: Metric;
  /** The smallest change for the worse that breaks it, as a share; of accuracy a difference of shares. */
  readonly limit: number;
}

/** What decided a gate. */
export type GateReason =
  | { readonly kind: 'judged'; readonly judgement: Judgement }
  /** The judgement leaves a break possible; `blunt` where the device cannot detect so little. */
  | {
      readonly kind: 'not-excluded';
      readonly judgement: Judgement;
      readonly limit: number;
      readonly blunt: boolean;
    }
  | { readonly kind: 'not-compared'; readonly obstacle: Obstacle }
  | { readonly kind: 'nothing-compared'; readonly metric: Metric };

/** What became of a gate at one place. */
export interface GateResult {
  readonly gate: Gate;
  /** Undefined where there was nothing at all to judge. */
  readonly subject: Subject | undefined;
  /**
   * `broken`: changed for the worse, significantly and at least as much as the gate, or failed where the reference did not.
   * `cannot tell`: a break is neither shown nor excluded.
   */
  readonly outcome: 'held' | 'broken' | 'cannot tell' | 'not judged';
  readonly because: GateReason;
}

/** A comparison, and what its gates say. */
export interface ComparisonReport {
  readonly comparison: Comparison;
  /** Empty where none were asked for. */
  readonly gates: readonly GateResult[];
}

const gatePattern = /^(latency|p90|memory|file):(\d+(?:\.\d+)?)%$|^(accuracy):(\d+(?:\.\d+)?)pt$/;

/** A gate guards nothing beyond a hundredfold change, or beyond all points that there are. */
const MOST_PERCENT = 10_000;
const MOST_POINTS = 100;

const gateSchema = z
  .string()
  .regex(gatePattern)
  .transform((text): Gate => {
    const [, metric, percent, accuracy, points] = gatePattern.exec(text)!;
    return { metric: (metric ?? accuracy) as Metric, limit: Number(percent ?? points) / 100 };
  })
  .refine(({ metric, limit }) => limit * 100 <= (metric === 'accuracy' ? MOST_POINTS : MOST_PERCENT));

/**
 * Reads gates.
 *
 * @param text - such as `latency:2%,memory:5%,accuracy:0.3pt`
 * @throws InputError when it is nothing of the kind, or names a metric twice
 */
export function parseGates(text: string): Gate[] {
  const gates: Gate[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    const gate = gateSchema.safeParse(part).data;
    const twice = gate && gates.some(({ metric }) => metric === gate.metric);
    if (gate === undefined || twice)
      throw new InputError({
        source: '--fail-on',
        found: twice ? `${gate.metric} twice` : part === '' ? 'an empty gate' : part,
        expected:
          `gates with commas between them: latency, p90, memory or file with a percentage up to ${MOST_PERCENT}, accuracy with ` +
          `points up to ${MOST_POINTS}`,
        hint: 'For example --fail-on latency:2%,memory:5%,accuracy:0.3pt',
      });
    gates.push(gate);
  }
  return gates;
}

/**
 * Holds a comparison against gates.
 *
 * @param comparison - of two runs
 * @param gates - with different metrics
 * @returns for each gate one result for each place it looks at; one without a place, broken, where it found nothing to judge, as
 *   a gate that guards nothing must not look green
 */
export function checkGates(comparison: Comparison, gates: readonly Gate[]): GateResult[] {
  return gates.flatMap((gate) => {
    const compared = comparison.compared
      .filter(({ judgement }) => judgement.metric === gate.metric)
      .map((each) => resultOf(gate, each));
    const others = comparison.uncompared
      .filter(
        ({ metrics, obstacle }) => metrics.includes(gate.metric) && obstacle.kind !== 'not-in-reference',
      )
      .map(({ subject, obstacle, failed }): GateResult => ({
        gate,
        subject,
        outcome: failed ? 'broken' : 'not judged',
        because: { kind: 'not-compared', obstacle },
      }));
    const results = [...compared, ...others];
    if (results.some(({ outcome }) => outcome !== 'not judged')) return results;
    const because: GateReason = { kind: 'nothing-compared', metric: gate.metric };
    return [...results, { gate, subject: undefined, outcome: 'broken' as const, because }];
  });
}

/** A gate as a user writes it: `latency:2%`. */
export function gateName({ metric, limit }: Gate): string {
  const number = Number((limit * 100).toPrecision(12));
  return `${metric}:${number}${metric === 'accuracy' ? 'pt' : '%'}`;
}

function resultOf(gate: Gate, { subject, judgement }: Compared): GateResult {
  const { metric, change, verdict, floor } = judgement;
  const worst = isWorse(metric, 1) ? change.high : -change.low;
  const judged = { gate, subject, because: { kind: 'judged', judgement } } as const;
  if (
    verdict !== 'not distinguishable' &&
    isWorse(metric, change.value) &&
    Math.abs(change.value) >= gate.limit
  )
    return { ...judged, outcome: 'broken' };
  // A change of exactly the gate breaks it; where nothing is left to chance, anything less holds.
  if (worst < gate.limit || judgement.p === undefined) return { ...judged, outcome: 'held' };
  const blunt = floor !== undefined && floor > gate.limit;
  return {
    ...{ gate, subject, outcome: 'cannot tell' },
    because: { kind: 'not-excluded', judgement, limit: gate.limit, blunt },
  };
}
