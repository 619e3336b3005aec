import type { Design } from '../../base/design.js';
import type { AgainstReference } from '../../analysis/ablation/against.js';
import type { Ablation, AblationPanel, MissingVariant, PairMean } from '../../analysis/ablation/ablation.js';
import type { Replicates } from '../../analysis/ablation/estimator.js';
import type { AblationMetric } from '../../analysis/ablation/responses.js';
import type { Term, TermPart } from '../../analysis/ablation/terms.js';
import type { Estimate } from '../../stats/interval.js';
import { judgementDocument, type JudgementDocument } from '../compare/document.js';

/**
 * The effects of the factors of a run's matrix, for programs. Effects on latency, memory and file size are ratios, those on accuracy
 * differences of shares; `from` and `to` are milliseconds, bytes or shares.
 */
export interface AblationDocument {
  /** The factors with their levels, and which variant stands for which. */
  readonly design: Design;
  /** One for each figure of each model on each device. */
  readonly panels: readonly AblationPanelDocument[];
}

/** What `edgeflex ablation --json` prints. */
export interface AblationJson extends Partial<AblationDocument> {
  /** Increased when a field is removed or changes its meaning, not when one is added. */
  readonly schemaVersion: 1;
  /** The run's id. */
  readonly run: string;
  /** Name of the recipe that the others are compared with; null where none was named. */
  readonly reference: string | null;
  /** Every variant against that one; empty where none was named. */
  readonly against: readonly AgainstDocument[];
}

/** The effects on one figure of a model on a device. */
export interface AblationPanelDocument {
  readonly model: string;
  readonly device: string;
  readonly metric: AblationMetric;
  /** Null where the figure has none. */
  readonly batch: number | null;
  /** What intervals are of. */
  readonly replicates: Replicates;
  readonly effects: readonly {
    /** One part is a main effect, two are an interaction. */
    readonly term: Term;
    readonly effect: Estimate;
    /** Null where nothing is left to chance, or there is one round alone. */
    readonly p: number | null;
    readonly adjustedP: number | null;
    readonly significant: boolean;
    /** What it cannot be told from in this design. */
    readonly aliases: readonly Term[];
  }[];
  /** By Shapley's values; null where not every subset of the factors was measured. */
  readonly attribution: {
    readonly from: number;
    readonly to: number;
    readonly total: Estimate;
    readonly parts: readonly { readonly part: TermPart; readonly effect: Estimate }[];
  } | null;
  /** The figure at the levels of two factors, averaged over the others. */
  readonly means: readonly PairMean[];
  readonly missing: readonly MissingVariant[];
}

/** A variant against the one that was asked for. */
export interface AgainstDocument {
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  /** Null for accuracy. */
  readonly batch: number | null;
  readonly judgement: JudgementDocument;
}

/**
 * The effects of a run's factors, for programs.
 *
 * @param ablation - of the run
 */
export function ablationDocument({ design, panels }: Ablation): AblationDocument {
  return { design, panels: panels.map(panelDocument) };
}

function panelDocument(panel: AblationPanel): AblationPanelDocument {
  const { model, device, metric, batch, replicates, effects, attribution, means, missing } = panel;
  return {
    ...{ model, device: device.row.name, metric, batch: batch ?? null, replicates, means, missing },
    effects: effects.map(({ p, adjustedP, ...effect }) => ({
      ...effect,
      p: p ?? null,
      adjustedP: adjustedP ?? null,
    })),
    attribution: attribution ?? null,
  };
}

/**
 * Variants against one of them, for programs.
 *
 * @param against - of a run
 */
export function againstDocument(against: readonly AgainstReference[]): AgainstDocument[] {
  return against.map(({ cell: { variant, device, row }, judgement }) => ({
    ...{ model: variant.model, recipe: variant.recipe, device: device.row.name },
    batch: row.kind === 'accuracy' ? null : row.batch,
    judgement: judgementDocument(judgement),
  }));
}
