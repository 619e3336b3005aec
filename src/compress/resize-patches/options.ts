import { z } from 'zod';

/** Options of the `resize-patches` stage. */
export const resizePatchesOptionsSchema = z.strictObject({
  keep: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.75)
    .describe(
      'Smallest share of the patches to keep. Patches become as large as that and the size of the image allow; where no larger patch divides the image, the model stays as it is.',
    ),
  images: z
    .number()
    .int()
    .positive()
    .default(64)
    .describe('Held-out training images on which the change of the logits is measured.')
    .meta({ unit: 'images' }),
});

export type ResizePatchesOptions = z.infer<typeof resizePatchesOptionsSchema>;
