import type { Estimate } from '../../stats/interval.js';
import type { StoredRun } from '../../store/read.js';
import type { Comparison, Subject } from './compare.js';
import type { Difference } from './differences.js';
import type { Metric } from './effect.js';
import type { ComparisonReport } from './exporters/exporter.js';
import { gateName, type GateResult } from './gates.js';
import type { Judgement, Verdict } from './judge.js';
import { inWords } from './words.js';

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
  readonly notes: readonly string[];
  readonly compared: readonly (SubjectDocument & JudgementDocument)[];
  readonly uncompared: readonly (SubjectDocument & {
    readonly metrics: readonly Metric[];
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
  const { reference, run, forced, notes, compared, uncompared, doubts }: Comparison = comparison;
  return {
    schemaVersion: COMPARISON_SCHEMA_VERSION,
    reference: runDocument(reference),
    run: runDocument(run),
    forcedDifferences: forced,
    notes,
    compared: compared.map(({ subject, judgement }) => ({
      ...subjectDocument(subject),
      ...judgementDocument(judgement),
    })),
    uncompared: uncompared.map(({ subject, metrics, why, failed }) => ({
      ...subjectDocument(subject),
      ...{ metrics, why, failed },
    })),
    doubts: doubts.map(({ subject, of, flags }) => ({
      ...subjectDocument(subject),
      run: of,
      flags: flags.map(({ name, text }) => ({ name, text })),
    })),
    gates: gates.map(({ gate, subject, outcome, why }) => ({
      gate: gateName(gate),
      subject: subject === undefined ? null : subjectDocument(subject),
      ...{ outcome, why },
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

function subjectDocument({ model, recipe, device, batch }: Subject): SubjectDocument {
  return { model, recipe, device: device ?? null, batch: batch ?? null };
}
