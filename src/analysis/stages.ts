import { z } from 'zod';
import { stageFactsSchema, type StageFacts } from '../compress/facts.js';
import { findStage } from '../compress/registry.js';
import type { VariantRow } from '../store/tables.js';

/** A figure that may be missing. */
const figure = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);

/** What reports read of the stage reports in `variants.stages_json`. Runs of older and newer versions stay readable. */
const stageSchema = z.object({
  stage: z.string(),
  options: z.record(z.string(), z.unknown()).default({}),
  seconds: figure,
  /** Of the model after the stage. */
  parameters: figure,
  /** Bytes of the model's constants after the stage. */
  constantBytes: figure,
  report: z.unknown(),
  facts: stageFactsSchema.optional().catch(undefined),
});

/** One stage of a variant's recipe, as reports show it. */
export interface StageSummary extends Omit<z.infer<typeof stageSchema>, 'report' | 'facts'> {
  /** What it did; undefined for a stage, or a form of a report, that this version does not know. */
  readonly facts: StageFacts | undefined;
}

/**
 * The stages that made a variant, in order.
 *
 * @param variant - of a run
 * @returns none for the baseline, and none when they are stored in a form that this version does not know
 */
export function stagesOf(variant: VariantRow): StageSummary[] {
  return stageSummaries(storedStagesOf(variant));
}

/**
 * The reports of the stages that made a variant, as they are stored.
 *
 * @param variant - of a run
 */
export function storedStagesOf({ stages_json }: VariantRow): unknown {
  return JSON.parse(stages_json);
}

/**
 * Stage reports, as reports show them.
 *
 * @param reports - what `stages_json` or the `report.json` of a compressed model holds
 * @returns none when they have a form that this version does not know
 */
export function stageSummaries(reports: unknown): StageSummary[] {
  const stages = z.array(stageSchema).safeParse(reports).data ?? [];
  return stages.map(({ report, facts, ...stage }) => {
    // Runs of older versions hold the report alone, or fewer pictures of it.
    const now = summarised(stage.stage, report, stage.options);
    return { ...stage, facts: facts && now ? { ...facts, pictures: now.pictures } : (facts ?? now) };
  });
}

function summarised(name: string, report: unknown, options: object): StageFacts | undefined {
  const stage = findStage(name);
  const known = stage?.report.safeParse(report);
  return known?.success ? stage?.summarise(known.data, options) : undefined;
}
