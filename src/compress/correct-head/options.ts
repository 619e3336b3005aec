import { z } from 'zod';

/** Options of the `correct-head` stage. */
export const correctHeadOptionsSchema = z.strictObject({
  images: z
    .number()
    .int()
    .min(2)
    .default(2048)
    .describe(
      'Training images that run through both models to fit the correction; a third as many more choose the penalty.',
    )
    .meta({ unit: 'images' }),
});

export type CorrectHeadOptions = z.infer<typeof correctHeadOptionsSchema>;

/**
 * How many training images a correction asks for.
 *
 * @param options - of the stage
 * @returns those of the fit, and a third as many more that choose the penalty
 */
export function imagesOf({ images }: CorrectHeadOptions): { readonly fit: number; readonly check: number } {
  return { fit: images, check: Math.ceil(images / 3) };
}
