import type { Substitution } from '../base/substitution.js';
import type { ModelRecord } from '../model/record.js';
import { headOf, modelRecordOf, rawOf, type HeadState } from '../analysis/model.js';
import type { Estimate } from '../stats/interval.js';
import type { RatioEstimate } from '../stats/ratio.js';
import type { RunData, StoredDevice } from '../store/read.js';
import type { FeatureScoring } from '../store/feature-scoring.js';
import type { Stopping } from '../store/stopping.js';
import type { Takeover } from '../store/takeover.js';
import { NOTHING_MADE } from '../store/write.js';
import {
  judgementOf,
  type Analysis,
  type CellName,
  type FailedCell,
  type VariantFigures,
} from '../analysis/analysis.js';
import { ablationDocument, type AblationDocument } from './ablation/document.js';
import { judgementDocument, type JudgementDocument } from './compare/document.js';
import type { Judgement } from '../analysis/compare/judge.js';
import type { AccuracyFigures } from '../analysis/figures/accuracy.js';
import { acrossDevices, type DeviceAgreement } from '../analysis/figures/across-devices.js';
import type { FeatureFigures } from '../analysis/figures/features.js';
import { refitEffects, type RefitEffect } from '../analysis/figures/refit.js';
import type { KernelShare } from '../analysis/figures/kernels.js';
import type { Limits } from '../analysis/figures/limits.js';
import type { LatencyFigures } from '../analysis/figures/latency.js';
import { failureText } from '../text/failures.js';
import { substitutionsText } from '../text/substitutions.js';
import { flagText } from '../text/flags.js';
import { sizesOf } from '../analysis/figures/size.js';
import type { Flag } from '../analysis/figures/validity.js';
import {
  offlineDocument,
  serverDocument,
  type OfflineDocument,
  type ServerDocument,
} from './load-document.js';
import type { MemoryFigures } from '../analysis/figures/memory.js';
import { publishedOf, type Published } from '../analysis/published.js';
import { isEmulated } from '../analysis/label.js';
import { storedStagesOf } from '../analysis/stages.js';
import { sessionsOf, storedProfileOf, type SessionFacts } from '../analysis/sessions.js';

/** Version of the document: it grows when a field changes its meaning or goes, not when one is added. */
export const SCHEMA_VERSION = 2;

/** A value that is null where it is not known or does not apply. */
type Maybe<T> = T | null;

/**
 * A run's report for programs, as `report.json` holds it. Estimates are `{ value, low, high }` with 95 % intervals; shares
 * go from 0 to 1; units stand in the names or at the field.
 */
export interface ReportDocument {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly run: {
    readonly id: string;
    readonly suite: string;
    readonly command: string;
    readonly seed: number;
    /** EdgeFlex's. */
    readonly version: string;
    readonly planHash: string;
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    /** Null when the run is not finished. */
    readonly endedAt: Maybe<string>;
    /** Name, SHA-256, number of test images and class names. */
    readonly data: RunData;
    readonly pendingCells: number;
  };
  readonly devices: readonly DeviceDocument[];
  readonly variants: readonly VariantDocument[];
  /** One for each variant on each device. */
  readonly results: readonly ResultDocument[];
  /** How far devices answer alike; none for a run on one device. */
  readonly agreement: readonly AgreementDocument[];
  /** What heads that were fitted anew behind a recipe gave; none where no variant has one. */
  readonly refits: readonly RefitDocument[];
  /** What the factors of the suite's matrix do; null where it has none. */
  readonly ablation: Maybe<AblationDocument>;
}

/** `RefitEffect` with names. */
export interface RefitDocument {
  readonly model: string;
  readonly recipe: string;
  /** The recipe of the variant that is like it but for the head. */
  readonly without: string;
  readonly device: string;
  readonly images: number;
  /** Share of right answers without and with the new head; Wilson's intervals. */
  readonly top1Without: Estimate;
  readonly top1With: Estimate;
  /** Difference of shares; Tango's interval. */
  readonly change: Estimate;
  /** Exact, two-sided, of the two. */
  readonly mcnemarP: number;
}

/** `DeviceAgreement` with names, and null for undefined. */
export interface AgreementDocument {
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  readonly reference: string;
  readonly images: number;
  /** Share of images that get the same class; Wilson's interval. */
  readonly sameClass: Estimate;
  readonly mcnemarP: Maybe<number>;
  /** The largest difference of two logits, as a share of the largest logit of its image. */
  readonly largestLogitDifference: number;
}

/** A device of the run, and how models were run on it. */
export interface DeviceDocument {
  readonly name: string;
  /** Not the hardware but an emulator of it, or a GPU that the processor plays: timings and memory say nothing of the hardware. */
  readonly emulated: boolean;
  readonly threads: number;
  /** As the profile's file gave it. */
  readonly profile: unknown;
  readonly environment: StoredDevice['environment'];
  /** Runtime and session options of its agents: one, unless something changed during the run. */
  readonly sessions: readonly SessionFacts[];
  /**
   * Identical devices that went on in its place, in order: since when (ISO 8601, UTC), and how many rounds there were by then. Empty where
   * none did.
   */
  readonly takeovers: readonly Takeover[];
}

/** A variant of the run, and how it came to be. */
export interface VariantDocument {
  readonly model: string;
  readonly recipe: string;
  readonly description: string;
  /** Weights made from a seed, which have no accuracy. */
  readonly synthetic: boolean;
  /** Hash of everything the artifact was made from; null, as the next two, when nothing could be made of the variant. */
  readonly artifact: Maybe<string>;
  readonly fileBytes: Maybe<number>;
  readonly parameters: Maybe<number>;
  /** Images that the model runs at once; null runs whole batches. */
  readonly microBatch: Maybe<number>;
  /** Whether it is an ONNX file that was run as it is: `source.raw` says why it is not compressed. */
  readonly raw: boolean;
  /** Where the model came from; null where it is not known. */
  readonly source: Maybe<ModelRecord>;
  /** Who made the classifier. */
  readonly head: HeadState;
  /** The reports of the recipe's stages, as they are stored. */
  readonly stages: unknown;
  /** Measured by others, on other hardware. */
  readonly publishedByOthers: Maybe<Published>;
}

/** What was measured of a variant on a device. */
export interface ResultDocument {
  readonly model: string;
  readonly recipe: string;
  readonly device: string;
  readonly emulated: boolean;
  readonly isBaseline: boolean;
  /** In what the device's form of the variant differs from what the recipe asks for; null when in nothing. */
  readonly form: Maybe<string>;
  /** The same as facts. */
  readonly substitutions: readonly Substitution[];
  /** Of the form that the device runs; null when nothing could be made of the variant. */
  readonly fileBytes: Maybe<number>;
  readonly accuracy: Maybe<AccuracyDocument>;
  /** Of a variant without a head, whose accuracy is by a vote of neighbours; null of all others. */
  readonly features: Maybe<FeaturesDocument>;
  /** By batch size, ascending. */
  readonly performance: readonly PerformanceDocument[];
  /** Under load; empty where none was asked for. */
  readonly servers: readonly ServerDocument[];
  readonly offline: readonly OfflineDocument[];
  /** Null where none were listed. */
  readonly kernels: Maybe<{ readonly batch: number; readonly kernels: readonly KernelShare[] }>;
  /** Where the time goes and how far from the device's best; null where no roofline fits. */
  readonly limits: Maybe<Limits>;
  readonly failedCells: readonly FailedCellDocument[];
  readonly pendingCells: readonly CellName[];
}

/** A cell that could not be measured: why, in words and as facts. */
export interface FailedCellDocument extends Omit<FailedCell, 'reason'> {
  readonly reason: string;
  readonly failure: FailedCell['reason'];
}

/** `FeatureFigures` with null for undefined. */
export interface FeaturesDocument extends Omit<FeatureScoring, 'asked'> {
  /** How many training images were asked for, where there are fewer. */
  readonly asked: Maybe<number>;
  /** Mean of the cosines of the variant's features and fp32's on the same device; Student's interval. Null of fp32 itself. */
  readonly meanCosine: Maybe<Estimate>;
  readonly leastCosine: Maybe<number>;
}

/** `AccuracyFigures` with null for undefined. */
export interface AccuracyDocument {
  readonly images: number;
  readonly correct: Maybe<number>;
  /** Share; Wilson's interval. */
  readonly top1: Maybe<Estimate>;
  /** Exact, two-sided, against the baseline. */
  readonly mcnemarP: Maybe<number>;
  /** Share of images with the baseline's class; Wilson's interval. */
  readonly agreement: Maybe<Estimate>;
  readonly testSetSeconds: number;
  /** Against the baseline. */
  readonly judgement: Maybe<JudgementDocument>;
}

/** `LatencyFigures` without the samples, with null for undefined. */
export interface PerformanceDocument {
  readonly batch: number;
  readonly tier: string;
  readonly queries: number;
  readonly rounds: number;
  readonly unsteadyRounds: number;
  /** What speaks against the figures, in words. */
  readonly flags: readonly { readonly name: Flag['kind']; readonly text: string }[];
  /** Why there are no more rounds; null where their number was fixed, and for a baseline. */
  readonly stopping: Maybe<Stopping>;
  /** Queries that are outliers within their round; they count like all others. */
  readonly outlierQueries: number;
  readonly medianMilliseconds: Estimate;
  /** By LoadGen's early stopping; null with too few queries. */
  readonly p90Milliseconds: Maybe<Estimate>;
  readonly p99Milliseconds: Maybe<Estimate>;
  readonly throughputImagesPerSecond: Maybe<Estimate>;
  /** Processor time of a query, of all threads; null where the device does not tell. */
  readonly cpuMilliseconds: Maybe<Estimate>;
  /** How many times less of it than fp32. */
  readonly cpuSaving: Maybe<RatioEstimate>;
  /** Rounds that others disturbed; they are left out unless too few were not, and then the latency is not decided. */
  readonly disturbedRounds: number;
  readonly decided: boolean;
  /** Ratio to the baseline, larger is faster. */
  readonly speedup: Maybe<RatioEstimate>;
  readonly loadMilliseconds: Maybe<number>;
  readonly firstRunMilliseconds: Maybe<number>;
  /**
   * Of GPU buffers while the model was loaded and ran for the first time, in bytes over the runtime's; null where there are none.
   */
  readonly gpuBufferBytes: Maybe<Estimate>;
  /** In bytes; `reduction` is a share. */
  readonly memory: Maybe<
    Omit<MemoryFigures, 'byPhase' | 'reduction' | 'steady'> & {
      readonly steady: Maybe<Estimate>;
      readonly byPhase: Readonly<Record<string, number>>;
      readonly reduction: Maybe<number>;
    }
  >;
  /** Against the baseline. */
  readonly judgements: {
    readonly latency: Maybe<JudgementDocument>;
    readonly memory: Maybe<JudgementDocument>;
  };
}

/**
 * A run's report for programs.
 *
 * @param analysis - of the run
 */
export function reportDocument(analysis: Analysis): ReportDocument {
  const { row, data, devices, variants } = analysis.run;
  return {
    schemaVersion: SCHEMA_VERSION,
    run: {
      id: row.id,
      suite: row.suite,
      command: row.command,
      seed: row.seed,
      version: row.version,
      planHash: row.plan_hash,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      data,
      pendingCells: analysis.pending,
    },
    devices: devices.map((device) => ({
      name: device.row.name,
      emulated: isEmulated(device),
      threads: device.row.threads,
      profile: storedProfileOf(device),
      environment: device.environment,
      sessions: sessionsOf(device, analysis.run),
      takeovers: device.takeovers ?? [],
    })),
    variants: variants.map((variant) => ({
      model: variant.model,
      recipe: variant.recipe,
      description: variant.description,
      synthetic: variant.synthetic !== 0,
      artifact: variant.artifact === NOTHING_MADE ? null : variant.artifact,
      fileBytes: sizesOf(variant)?.fileBytes ?? null,
      parameters: sizesOf(variant)?.parameters ?? null,
      microBatch: variant.micro_batch,
      raw: rawOf(variant) !== undefined,
      source: modelRecordOf(variant) ?? null,
      head: headOf(variant),
      stages: storedStagesOf(variant),
      publishedByOthers: publishedOf(variant) ?? null,
    })),
    results: analysis.figures.map(resultDocument),
    agreement: acrossDevices(analysis.run).map(agreementDocument),
    refits: refitEffects(analysis.run).map(refitDocument),
    ablation: analysis.ablation ? ablationDocument(analysis.ablation) : null,
  };
}

function agreementDocument(agreement: DeviceAgreement): AgreementDocument {
  const { variant, device, reference, images, same, mcnemarP, difference } = agreement;
  return {
    model: variant.model,
    recipe: variant.recipe,
    device: device.row.name,
    reference: reference.row.name,
    images,
    sameClass: same,
    mcnemarP: mcnemarP ?? null,
    largestLogitDifference: difference,
  };
}

function refitDocument({
  variant,
  without,
  device,
  images,
  before,
  after,
  change,
  mcnemarP,
}: RefitEffect): RefitDocument {
  const { model, recipe } = variant;
  return {
    ...{ model, recipe, without: without.recipe, device: device.row.name, images },
    ...{ top1Without: before, top1With: after, change, mcnemarP },
  };
}

function resultDocument(figures: VariantFigures): ResultDocument {
  const { variant, device, isBaseline, accuracy, latencies, kernels, kernelBatch } = figures;
  return {
    model: variant.model,
    recipe: variant.recipe,
    device: device.row.name,
    emulated: isEmulated(device),
    isBaseline,
    form: figures.substitutions.length === 0 ? null : substitutionsText(figures.substitutions),
    substitutions: figures.substitutions,
    fileBytes: figures.fileBytes ?? null,
    accuracy: accuracy ? accuracyDocument(accuracy, judgementOf(figures, 'accuracy')) : null,
    features: figures.features ? featuresDocument(figures.features) : null,
    performance: latencies.map((latency) => performanceDocument(latency, figures)),
    servers: figures.loads.flatMap((each) => (each.kind === 'server' ? [serverDocument(each, figures)] : [])),
    offline: figures.loads.flatMap((each) =>
      each.kind === 'offline' ? [offlineDocument(each, figures)] : [],
    ),
    kernels: kernelBatch === undefined ? null : { batch: kernelBatch, kernels },
    limits: figures.limits ?? null,
    failedCells: figures.failures.map(({ reason, ...cell }) => ({
      ...cell,
      reason: failureText(reason),
      failure: reason,
    })),
    pendingCells: figures.pending,
  };
}

function accuracyDocument(
  { images, correct, top1, mcnemarP, agreement, testSetSeconds }: AccuracyFigures,
  judgement: Judgement | undefined,
): AccuracyDocument {
  return {
    images,
    correct: correct ?? null,
    top1: top1 ?? null,
    mcnemarP: mcnemarP ?? null,
    agreement: agreement ?? null,
    testSetSeconds,
    judgement: orNull(judgement),
  };
}

function featuresDocument({ scoring, cosine }: FeatureFigures): FeaturesDocument {
  return {
    ...{ ...scoring, asked: scoring.asked ?? null },
    ...{ meanCosine: cosine?.mean ?? null, leastCosine: cosine?.least ?? null },
  };
}

function orNull(judgement: Judgement | undefined): Maybe<JudgementDocument> {
  return judgement ? judgementDocument(judgement) : null;
}

function performanceDocument(latency: LatencyFigures, figures: VariantFigures): PerformanceDocument {
  const { batch, tier, queries, rounds, unsteadyRounds, median, p90, p99, speedup, load, firstRun, memory } =
    latency;
  return {
    batch,
    tier,
    queries,
    rounds,
    unsteadyRounds,
    flags: latency.flags.map((flag) => ({ name: flag.kind, text: flagText(flag) })),
    stopping: latency.stopping ?? null,
    outlierQueries: latency.outliers,
    medianMilliseconds: median,
    p90Milliseconds: p90 ?? null,
    p99Milliseconds: p99 ?? null,
    throughputImagesPerSecond: latency.throughput ?? null,
    cpuMilliseconds: latency.cpuTime ?? null,
    cpuSaving: latency.cpuSaving ?? null,
    disturbedRounds: latency.soundness.disturbed,
    decided: latency.soundness.decides,
    speedup: speedup ?? null,
    loadMilliseconds: Number.isFinite(load) ? load : null,
    firstRunMilliseconds: Number.isFinite(firstRun) ? firstRun : null,
    gpuBufferBytes: latency.gpuBuffers ?? null,
    memory: memory
      ? {
          ...memory,
          steady: memory.steady ?? null,
          byPhase: Object.fromEntries(memory.byPhase),
          reduction: memory.reduction ?? null,
        }
      : null,
    judgements: {
      latency: orNull(judgementOf(figures, 'latency', batch)),
      memory: orNull(judgementOf(figures, 'memory', batch)),
    },
  };
}
