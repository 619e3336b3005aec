import { subjectDevice } from '../../text/compare/label.js';
import { isEmulated } from '../../analysis/label.js';
import { gateReasonText } from '../../text/compare/gates.js';
import { flagText } from '../../text/flags.js';
import { compareNoteText, obstacleText } from '../../text/compare/obstacles.js';
import type { Obstacle } from '../../analysis/compare/obstacle.js';
import type { Estimate } from '../../stats/interval.js';
import type { StoredRun } from '../../store/read.js';
import type { Comparison, Subject } from '../../analysis/compare/compare.js';
import type { Difference } from '../../analysis/compare/differences.js';
import type { Metric } from '../../base/metric.js';
import type { ComparisonReport } from '../../analysis/compare/gates.js';
import { gateName } from '../../base/gate.js';
import type { GateResult } from '../../analysis/compare/gates.js';
import type { Judgement, Verdict } from '../../analysis/compare/judge.js';
import { inWords } from '../../text/compare/words.js';

/** Version of the document: it grows when a field changes its meaning or goes, not when one is added. */
export const COMPARISON_SCHEMA_VERSION = 1;

/** A value that is null where it is not known or does not apply. */
type Maybe<T> = T | null;

/** What a comparison is about, for programs. */
interface SubjectDocument {
  readonly model: string;
  readonly recipe: string;
  /** Null where it does not depend on the device. */
  readonly device: Maybe<string>;
  /** The device is not the hardware that it looks like: timings and memory say nothing of that. */
  readonly emulated: boolean;
  /** Null where it does not depend on the batch size. */
  readonly batch: Maybe<number>;
}

/** A difference and what is said of it, for programs. Shares: 0.031 is 3.1 %. */
export interface JudgementDocument {
  readonly metric: Metric;
  /** Milliseconds, bytes, share of right answers. */
  readonly reference: number;
  readonly value: number;
  /** `value ÷ reference − 1` with its 95 % interval; of accuracy `value − reference`. */
  readonly change: Estimate;
  /** Null where nothing is left to chance. */
  readonly p: Maybe<number>;
  /** After Holm's correction over the figures of the metric. */
  readonly adjustedP: Maybe<number>;
  /** The smallest change the device can tell; null where nobody measured that. */
  readonly floor: Maybe<number>;
  readonly verdict: Verdict;
  readonly words: string;
}

/** A comparison for programs. */
export interface ComparisonDocument {
  readonly schemaVersion: typeof COMPARISON_SCHEMA_VERSION;
  readonly reference: RunDocument;
  readonly run: RunDocument;
  /** What differs and should not: none unless the comparison was forced. */
  readonly forcedDifferences: readonly Difference[];
  /** Devices on which both runs were measured in turn, so that rounds of one number were compared with each other. */
  readonly inTurn: readonly string[];
  readonly notes: readonly string[];
  readonly compared: readonly (SubjectDocument & JudgementDocument)[];
  readonly uncompared: readonly (SubjectDocument & {
    readonly metrics: readonly Metric[];
    readonly kind: Obstacle['kind'];
    readonly why: string;
    readonly failed: boolean;
  })[];
  /** What speaks against cells that were compared. */
  readonly doubts: readonly (SubjectDocument & {
    readonly run: 'reference' | 'new';
    readonly flags: readonly { readonly name: string; readonly text: string }[];
  })[];
  readonly gates: readonly {
    readonly gate: string;
    /** Null where there was nothing at all to judge. */
    readonly subject: Maybe<SubjectDocument>;
    readonly outcome: GateResult['outcome'];
    readonly kind: GateResult['because']['kind'];
    readonly why: string;
  }[];
}

interface RunDocument {
  readonly id: string;
  readonly suite: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/**
 * A comparison for programs.
 *
 * @param report - of a comparison
 */
export function comparisonDocument({ comparison, gates }: ComparisonReport): ComparisonDocument {
  const { reference, run, forced, inTurn, notes, compared, uncompared, doubts }: Comparison = comparison;
  return {
    schemaVersion: COMPARISON_SCHEMA_VERSION,
    reference: runDocument(reference),
    run: runDocument(run),
    forcedDifferences: forced,
    inTurn: [...inTurn],
    notes: notes.map(compareNoteText),
    compared: compared.map(({ subject, judgement }) => ({
      ...subjectDocument(subject, comparison),
      ...judgementDocument(judgement),
    })),
    uncompared: uncompared.map(({ subject, metrics, obstacle, failed }) => ({
      ...subjectDocument(subject, comparison),
      ...{ metrics, kind: obstacle.kind, why: obstacleText(obstacle), failed },
    })),
    doubts: doubts.map(({ subject, of, flags }) => ({
      ...subjectDocument(subject, comparison),
      run: of,
      flags: flags.map((flag) => ({ name: flag.kind, text: flagText(flag) })),
    })),
    gates: gates.map(({ gate, subject, outcome, because }) => ({
      gate: gateName(gate),
      subject: subject === undefined ? null : subjectDocument(subject, comparison),
      ...{ outcome, kind: because.kind, why: gateReasonText(because) },
    })),
  };
}

/** A judgement for programs. */
export function judgementDocument(judgement: Judgement): JudgementDocument {
  const { metric, reference, value, change, p, adjustedP, floor, verdict } = judgement;
  return {
    ...{ metric, reference, value, change, p: p ?? null, adjustedP: adjustedP ?? null, floor: floor ?? null },
    ...{ verdict, words: inWords(judgement) },
  };
}

function runDocument({ row: { id, suite, started_at } }: StoredRun): RunDocument {
  return { id, suite, startedAt: started_at };
}

function subjectDocument(subject: Subject, comparison: Comparison): SubjectDocument {
  const { model, recipe, device, batch } = subject;
  const known = subjectDevice(subject, comparison);
  return {
    ...{ model, recipe, device: device ?? null, batch: batch ?? null },
    emulated: known !== undefined && isEmulated(known),
  };
}
