import { z } from 'zod';

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
  /** A classifier that was fitted here, because the model had none for these classes. */
  fittedHead: z
    .object({
      /** Training images, those held out included. */
      images: z.number(),
      holdout: z.number(),
      lambda: z.number(),
      holdoutAccuracy: z.number(),
    })
    .optional(),
});

export type ModelRecord = z.infer<typeof modelRecordSchema>;
