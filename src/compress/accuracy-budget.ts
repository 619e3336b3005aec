import { z } from 'zod';

/** What a stage may lose in accuracy, and how that is judged. */
export const accuracyBudget = z.strictObject({
  accuracy: z
    .number()
    .positive()
    .max(100)
    .describe(
      'Percentage points of top-1 accuracy that may be lost on held-out training images: as much goes as that allows. With weights from a seed, which have no accuracy, images that may get another class.',
    )
    .meta({ unit: 'percentage points' }),
  confidence: z
    .number()
    .min(0.5)
    .lt(1)
    .default(0.75)
    .describe('How sure it must be that no more is lost, given the number of images.'),
  images: z
    .number()
    .int()
    .positive()
    .default(1024)
    .describe('Held-out training images on which the loss is judged.')
    .meta({ unit: 'images' }),
});
