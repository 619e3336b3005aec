import { GATE_FORM, gateSchema, guardSame, type Gate } from '../../base/gate.js';
import { InputError } from '../../base/errors.js';
import type { Hosting } from '../../base/hosting.js';
import type { Compared, Comparison, Subject } from './compare.js';
import type { Metric } from '../../base/metric.js';
import { isWorse } from './judge.js';
import type { Judgement } from './judge.js';
import type { Obstacle } from './obstacle.js';

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
  /** fp32 itself, which the latencies of others are relative to: a machine that became slower is no regression of the model. */
  | { readonly kind: 'is-the-measure'; readonly judgement: Judgement }
  /** Measured again it was not broken: what decided it then. */
  | {
      readonly kind: 'not-confirmed';
      readonly judgement: Judgement;
      readonly again: GateReason;
    }
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
  /** Where the commits of both runs can be looked at; left out where nobody asked. */
  readonly hosting?: Hosting;
}

/**
 * Reads gates.
 *
 * @param text - such as `latency:2%,memory:5%,latency@int8:5%,accuracy:0.3pt`
 * @throws InputError when it is nothing of the kind, or guards the same twice
 */
export function parseGates(text: string): Gate[] {
  const gates: Gate[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    const gate = gateSchema.safeParse(part).data;
    const twice = gate && gates.some((other) => guardSame(gate, other));
    if (gate === undefined || twice)
      throw new InputError({
        source: '--fail-on',
        found: twice ? `${guardedBy(gate)} twice` : part === '' ? 'an empty gate' : part,
        expected: `gates with commas between them: ${GATE_FORM}`,
        hint: 'For example --fail-on latency:2%,memory:5%,accuracy:0.3pt',
      });
    gates.push(gate);
  }
  return gates;
}

function guardedBy({ metric, variant }: Gate): string {
  return variant === undefined ? metric : `${metric}@${variant}`;
}

/**
 * Holds a comparison against gates.
 *
 * @param comparison - of two runs
 * @param gates - of which none guards the same as another
 * @returns for each gate one result for each place it looks at; one without a place, broken, where it found nothing to judge, as
 *   a gate that guards nothing must not look green
 */
export function checkGates(comparison: Comparison, gates: readonly Gate[]): GateResult[] {
  return gates.flatMap((gate) => {
    const guards = ({ recipe }: Subject): boolean =>
      gate.variant === undefined
        ? !gates.some(({ metric, variant }) => metric === gate.metric && variant === recipe)
        : gate.variant === recipe;
    const judgements = comparison.compared.filter(({ judgement }) => judgement.metric === gate.metric);
    const isRelative = ({ device }: Subject): boolean =>
      judgements.some(
        ({ subject, judgement }) => subject.device === device && judgement.relative !== undefined,
      );
    const compared = judgements
      .filter(({ subject }) => guards(subject))
      .map((each) =>
        isRelative(each.subject) && each.judgement.relative === undefined
          ? measureOf(gate, each)
          : resultOf(gate, each),
      );
    const others = comparison.uncompared
      .filter(
        ({ subject, metrics, obstacle }) =>
          guards(subject) && metrics.includes(gate.metric) && obstacle.kind !== 'not-in-reference',
      )
      .map(({ subject, obstacle, failed }): GateResult => ({
        gate,
        subject,
        outcome: failed ? 'broken' : isUndecided(obstacle) ? 'cannot tell' : 'not judged',
        because: { kind: 'not-compared', obstacle },
      }));
    const results = [...compared, ...others];
    if (results.some(({ outcome }) => outcome !== 'not judged')) return results;
    const because: GateReason = { kind: 'nothing-compared', metric: gate.metric };
    return [...results, { gate, subject: undefined, outcome: 'broken' as const, because }];
  });
}

/** Whether measuring again might tell. */
function isUndecided({ kind }: Obstacle): boolean {
  return kind === 'disturbed' || kind === 'no-rate-found';
}

/** fp32 is judged by no gate where others of its device are judged by what they are relative to it. */
function measureOf(gate: Gate, { subject, judgement }: Compared): GateResult {
  return { gate, subject, outcome: 'not judged', because: { kind: 'is-the-measure', judgement } };
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
