import { z } from 'zod';

/** Options of the `resize-patches` stage. */
export const resizePatchesOptionsSchema = z.strictObject({
  keep: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.75)
    .describe(
      'Share of the patches to keep at least. Patches become as large as that and the size of the image allow; where no larger patch divides the image so, the model stays as it is.',
    ),
  images: z
    .number()
    .int()
    .positive()
    .default(64)
    .describe('Held-out training images on which is found what that does to the logits.')
    .meta({ unit: 'images' }),
});

export type ResizePatchesOptions = z.infer<typeof resizePatchesOptionsSchema>;
