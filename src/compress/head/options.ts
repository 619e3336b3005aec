import { z } from 'zod';

/** How a head is fitted: ridge regression in closed form, or multinomial logistic regression. */
export const headKinds = ['ridge', 'logistic'] as const;

export type HeadKind = (typeof headKinds)[number];

/** Images of a fit at least, where nobody says how many, */
const LEAST_IMAGES = 768;

/** and for each class. */
const IMAGES_PER_CLASS = 32;

/** Options of the `head` stage. */
export const headOptionsSchema = z.strictObject({
  kind: z
    .enum(headKinds)
    .default('ridge')
    .describe(
      'ridge: regression on the classes in closed form; logistic: multinomial logistic regression. The penalty of either is chosen on images held out.',
    ),
  images: z
    .number()
    .int()
    .min(2)
    .optional()
    .describe(
      `Training images to fit the head on; a third as many more choose the penalty. Left out, ${LEAST_IMAGES}, or ${IMAGES_PER_CLASS} of each class where that is more.`,
    )
    .meta({ unit: 'images' }),
});

export type HeadOptions = z.infer<typeof headOptionsSchema>;

/**
 * How many training images a head asks for.
 *
 * @param options - of the stage
 * @param classes - how many there are
 * @returns those of the fit, and a third as many more that choose the penalty
 */
export function imagesOf(
  { images }: Pick<HeadOptions, 'images'>,
  classes: number,
): { readonly fit: number; readonly holdout: number } {
  const fit = images ?? Math.max(LEAST_IMAGES, IMAGES_PER_CLASS * classes);
  return { fit, holdout: Math.ceil(fit / 3) };
}
