import { z } from 'zod';
import type { VariantRow } from '../store/tables.js';

/**
 * What reports read of the stage reports in `variants.stages_json`. Everything else is ignored and every figure may be
 * missing (JSON has no infinite SQNR either), so that runs of older and newer versions stay readable.
 */
const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);

const names = z.array(z.string()).default([]);

const profileSchema = z.object({
  images: figure,
  inputs: z.array(
    z.object({ linear: z.string(), min: figure, max: figure, rms: figure, outlierRatio: figure }),
  ),
  activations: z
    .object({ batch: z.number(), peakBytes: z.number(), peakNode: z.string() })
    .optional()
    .catch(undefined),
});

const pruneSchema = z.object({
  images: figure,
  neuronsBefore: z.number(),
  neuronsAfter: z.number(),
  blocks: z.array(z.object({ layer: z.number(), before: z.number(), after: z.number(), loss: figure })),
  /** In bytes. */
  budget: z.object({ budget: z.number(), predicted: figure, measured: figure }).optional().catch(undefined),
});

const mergeTokensSchema = z.object({
  images: figure,
  blocks: z.array(z.object({ layer: z.number(), before: z.number(), after: z.number() })).min(1),
  multiplications: z.object({ before: z.number(), after: z.number() }),
  schedules: z
    .array(z.object({ slope: figure, merges: z.array(z.number()), error: figure, agreement: figure }))
    .min(1),
});

const precisionSchema = z.object({
  images: figure,
  components: z.array(
    z.object({
      component: z.string(),
      stored: z.string(),
      because: z.string().optional(),
      largestWeight: figure,
      sqnr: figure,
    }),
  ),
  savedBytes: figure,
  arithmetic: z.string().default(''),
});

const quantizeSchema = z.object({
  format: z.string(),
  images: figure,
  linears: z.array(z.object({ linear: z.string(), sqnr: figure, alpha: figure })),
  kept: names,
  returned: names,
  agreement: figure,
  withinBudget: z.boolean().optional(),
});

const headSchema = z.object({
  images: z.number(),
  holdout: z.number(),
  classes: z.number(),
  lambda: z.number(),
  holdoutAccuracy: z.number(),
  tried: z
    .array(z.object({ lambda: z.number(), squaredError: z.number(), accuracy: z.number() }))
    .default([]),
});

const stageSchema = z.object({
  stage: z.string(),
  options: z.record(z.string(), z.unknown()).default({}),
  seconds: figure,
  /** Of the model after the stage. */
  parameters: figure,
  /** Bytes of the model's constants after the stage. */
  constantBytes: figure,
  report: z.unknown(),
});

/** What pruning did. */
export type PruneSummary = z.infer<typeof pruneSchema>;
/** How tokens are merged. */
export type MergeTokensSummary = z.infer<typeof mergeTokensSchema>;
/** What was stored as float16. */
export type PrecisionSummary = z.infer<typeof precisionSchema>;
/** What quantisation did. */
export type QuantizeSummary = z.infer<typeof quantizeSchema>;
/** How the head was fitted anew. */
export type HeadSummary = z.infer<typeof headSchema>;
/** What was observed. */
export type ProfileSummary = z.infer<typeof profileSchema>;

/** A stage's own report: `other` is a stage, or a form of a report, that this version does not know. */
export type OwnSummary =
  | { readonly kind: 'profile'; readonly report: ProfileSummary }
  | { readonly kind: 'prune'; readonly report: PruneSummary }
  | { readonly kind: 'merge-tokens'; readonly report: MergeTokensSummary }
  | { readonly kind: 'precision'; readonly report: PrecisionSummary }
  | { readonly kind: 'quantize'; readonly report: QuantizeSummary }
  | { readonly kind: 'head'; readonly report: HeadSummary }
  | { readonly kind: 'other' };

/** One stage of a variant's recipe, as reports show it. */
export type StageSummary = Omit<z.infer<typeof stageSchema>, 'report'> & { readonly own: OwnSummary };

/**
 * The stages that made a variant, in order.
 *
 * @param variant - of a run
 * @returns none for the baseline, and none when they are stored in a form that this version does not know
 */
export function stagesOf(variant: VariantRow): StageSummary[] {
  return stageSummaries(JSON.parse(variant.stages_json));
}

/**
 * Stage reports, as reports show them.
 *
 * @param reports - what `stages_json` or the `report.json` of a compressed model holds
 * @returns none when they have a form that this version does not know
 */
export function stageSummaries(reports: unknown): StageSummary[] {
  const stages = z.array(stageSchema).safeParse(reports).data ?? [];
  return stages.map(({ report, ...stage }) => ({ ...stage, own: ownSummary(stage.stage, report) }));
}

function ownSummary(stage: string, report: unknown): OwnSummary {
  const read = <T>(schema: z.ZodType<T>): T | undefined => schema.safeParse(report).data;
  switch (stage) {
    case 'profile': {
      const profile = read(profileSchema);
      return profile ? { kind: 'profile', report: profile } : { kind: 'other' };
    }
    case 'prune': {
      const prune = read(pruneSchema);
      return prune ? { kind: 'prune', report: prune } : { kind: 'other' };
    }
    case 'merge-tokens': {
      const merging = read(mergeTokensSchema);
      return merging ? { kind: 'merge-tokens', report: merging } : { kind: 'other' };
    }
    case 'precision': {
      const precision = read(precisionSchema);
      return precision ? { kind: 'precision', report: precision } : { kind: 'other' };
    }
    case 'quantize': {
      const quantize = read(quantizeSchema);
      return quantize ? { kind: 'quantize', report: quantize } : { kind: 'other' };
    }
    case 'head': {
      const fitted = read(headSchema);
      return fitted ? { kind: 'head', report: fitted } : { kind: 'other' };
    }
    default:
      return { kind: 'other' };
  }
}
