import { z } from 'zod';
import type { VariantRow } from '../store/tables.js';

const publishedSchema = z.object({
  source: z.string(),
  model: z.string(),
  hardware: z.string(),
  /** Their figures, in words. */
  figures: z.array(z.string()),
  /** The same by the columns of our table, in words; none in runs of older versions. */
  rows: z
    .array(z.object({ batch: z.number().optional() }).catchall(z.union([z.string(), z.number()])))
    .optional(),
});

/** What others published for a like variant, on their hardware. */
export type Published = z.infer<typeof publishedSchema>;

/**
 * What others published for a like variant.
 *
 * @param variant - of a run
 * @returns undefined when the suite names nothing, or when it is stored in a form that this version does not know
 */
export function publishedOf(variant: VariantRow): Published | undefined {
  if (variant.published_json === null) return undefined;
  return publishedSchema.safeParse(JSON.parse(variant.published_json)).data;
}
