import { z } from 'zod';

/** What a figure of a stage counts or measures: it decides how the figure is written. */
const unitSchema = z.enum([
  /** A whole number of things. */
  'count',
  /** A number without a unit. */
  'number',
  /** A share, 0 … 1. */
  'share',
  /** How many times as much. */
  'times',
  'bytes',
  'decibels',
  /** Percentage points. */
  'points',
  /** A name from the model or the recipe, or a list of them. */
  'name',
]);

/** What a fact may say; null is a figure that there is none of. */
const valueSchema = z.union([z.number(), z.string(), z.array(z.string()).readonly(), z.null()]);

const factSchema = z.object({
  /** What it is, in the field's terms: `MLP neurons left`. */
  label: z.string(),
  value: valueSchema,
  unit: unitSchema,
  /** What the value is out of: 1,024 of 2,048. */
  of: z.number().optional(),
  /** Its 95 % interval. */
  interval: z.object({ low: z.number(), high: z.number() }).optional(),
});

const tableSchema = z.object({
  title: z.string(),
  /** What a column means, where its title alone does not say. */
  note: z.string().optional(),
  columns: z.array(z.object({ title: z.string(), unit: unitSchema })).readonly(),
  rows: z.array(z.array(valueSchema).readonly()).readonly(),
});

const pictureSchema = z.discriminatedUnion('kind', [
  z.object({
    /** How wide the MLP of each block is before and after. */
    kind: z.literal('mlp-widths'),
    blocks: z
      .array(
        z.object({
          layer: z.number(),
          before: z.number(),
          after: z.number(),
          /** Predicted error as a share of the output's variance; left out where it is not known. */
          loss: z.number().optional(),
        }),
      )
      .readonly(),
  }),
  z.object({
    /** How near the output of each linear stays to what it was. */
    kind: z.literal('linear-sqnr'),
    linears: z
      .array(
        z.object({
          linear: z.string(),
          /** In decibels; left out where there is no error, or nobody measured. */
          sqnr: z.number().optional(),
          state: z.enum(['quantised', 'returned to float', 'kept float']),
        }),
      )
      .readonly(),
  }),
  z.object({
    /** In how many bits tensors are stored, and linears compute. */
    kind: z.literal('bits'),
    tensors: z
      .array(
        z.object({
          /** A linear of a block (`layers.0.q`), or another component. */
          name: z.string(),
          weights: z.number(),
          /** Of what it reads; left out where that stays as it was. */
          inputs: z.number().optional(),
        }),
      )
      .readonly(),
  }),
  z.object({
    /** How many tokens each block has. */
    kind: z.literal('tokens'),
    blocks: z
      .array(
        z.object({
          layer: z.number(),
          /** That reach its attention. */
          before: z.number(),
          /** That its MLP sees. */
          after: z.number(),
        }),
      )
      .readonly(),
  }),
]);

const traitSchema = z.enum([
  /** Its answers depend on which other images are in the batch. */
  'depends-on-batch',
  /** Its INT8 products are exact on x86-64 processors without VNNI, too: two neighbours never exceed 16 bits. */
  'exact-without-vnni',
  /** Its classifier is not the one that the model came with, but fitted to the classes, */
  'head-refitted',
  /** or that one, corrected. */
  'head-corrected',
]);

/** What a stage did, as data: reports, terminals and charts show it without knowing the stage. */
export const stageFactsSchema = z.object({
  /** The most important first. */
  headline: z.array(factSchema).readonly(),
  tables: z.array(tableSchema).readonly(),
  /** What charts can draw of it. */
  pictures: z.array(pictureSchema).readonly(),
  /** What else must be known of a variant that went through the stage. */
  traits: z.array(traitSchema).readonly(),
});

export type StageFacts = z.infer<typeof stageFactsSchema>;
/** One figure of what a stage did. */
export type Fact = z.infer<typeof factSchema>;
export type FactUnit = z.infer<typeof unitSchema>;
export type FactValue = z.infer<typeof valueSchema>;
/** A table of figures: of each block, each linear. */
export type FactTable = z.infer<typeof tableSchema>;
export type FactPicture = z.infer<typeof pictureSchema>;

/**
 * Facts of a stage, what is left out filled in.
 *
 * @param facts - the headline at least
 */
export function stageFacts(facts: Pick<StageFacts, 'headline'> & Partial<StageFacts>): StageFacts {
  return { tables: [], pictures: [], traits: [], ...facts };
}
