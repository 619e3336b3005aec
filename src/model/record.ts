import { z } from 'zod';
import { square } from '../base/size.js';
import { unrecognisedSchema } from '../vit/onnx/unrecognised.js';

/** What is known of an ONNX file that was run as it is. */
export const rawRecordSchema = z.object({
  /** Why it is not compressed. */
  reason: unrecognisedSchema,
  /** Recipes of the suite that were therefore not applied to it. */
  leftOut: z.array(z.string()).readonly(),
  input: z.object({
    name: z.string(),
    dtype: z.enum(['float32', 'float16']),
    /** Images that it takes at once; null where any number goes. */
    batch: z.number().nullable(),
    /** Sides of the images; one number in records that are older than rectangles. */
    size: z.union([z.number().transform(square), z.object({ height: z.number(), width: z.number() })]),
    /** Three, one of grey, or as many as the images have. */
    channels: z.number().default(3),
  }),
  output: z.object({ name: z.string(), classes: z.number() }),
  /** Whether inputs are quantised by the range of the whole batch. */
  rangeOfBatch: z.boolean(),
});

export type RawRecord = z.infer<typeof rawRecordSchema>;

/** Where a model came from and what was done to make it usable, as it is stored with each of its variants. */
export const modelRecordSchema = z.object({
  /** Weights from a seed, files of a directory, a model of the Hugging Face Hub, or an ONNX file. */
  source: z.enum(['seed', 'directory', 'hub', 'onnx']),
  /** Whose names the checkpoint's tensors have: `timm`. */
  naming: z.string().optional(),
  /** Id on the Hub and the commit that was fetched. */
  hub: z.object({ repository: z.string(), revision: z.string(), commit: z.string() }).optional(),
  /** What was assumed of the model because nothing says it, in sentences. */
  notes: z.array(z.string()).readonly(),
  /** Given for an ONNX file that was run as it is. */
  raw: rawRecordSchema.optional(),
  /** The model's classes that are those of the images, by their names; left out where nothing says so. */
  classes: z
    .array(
      z.object({
        /** The class of the images. */
        images: z.string(),
        /** How the model calls it. */
        model: z.string(),
        /** Its place among the model's logits. */
        place: z.number(),
      }),
    )
    .readonly()
    .optional(),
  /** A classifier that was fitted here, because the model had none for these classes. */
  fittedHead: z
    .object({
      /** How: ridge regression, as older versions did without saying so, or logistic regression. */
      kind: z.enum(['ridge', 'logistic']).default('ridge'),
      /** Training images, those held out included. */
      images: z.number(),
      /** How many were asked for; left out where there were as many. */
      asked: z.number().optional(),
      holdout: z.number(),
      lambda: z.number(),
      holdoutAccuracy: z.number(),
    })
    .optional(),
});

export type ModelRecord = z.infer<typeof modelRecordSchema>;
