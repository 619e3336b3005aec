import { z } from 'zod';
import { stageFacts } from '../facts.js';
import { headOptionsSchema } from '../head/options.js';
import { head } from '../head/stage.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { defineStage } from '../stage.js';

/** Fits the classifier anew. */
export const headStage = defineStage({
  name: 'head',
  version: 1,
  description: 'Fits the classifier anew to what is left of the model: ridge regression in closed form.',
  options: headOptionsSchema,
  report: z.object({
    images: z.number(),
    holdout: z.number(),
    classes: z.number(),
    lambda: z.number(),
    holdoutAccuracy: z.number(),
    tried: z
      .array(z.object({ lambda: z.number(), squaredError: z.number(), accuracy: z.number() }))
      .default([]),
  }),
  // A third as many images as the head is fitted on choose the penalty.
  effort: (vit, { images }) => (images * 4 * multiplications(vit.config)) / 3,
  shape: (vit) => vit,
  once: true,
  apply: head,
  summarise: ({ images, holdout, classes, lambda, holdoutAccuracy, tried }) =>
    stageFacts({
      headline: [
        { label: 'classes', value: classes, unit: 'count' },
        { label: 'training images', value: images, unit: 'count' },
        { label: 'of them held out', value: holdout, unit: 'count' },
        { label: 'ridge penalty λ', value: lambda, unit: 'number' },
        { label: 'accuracy on those held out, fitted without them', value: holdoutAccuracy, unit: 'share' },
      ],
      tables: [
        {
          title: 'penalties that were tried',
          note: 'On training images held out; λ is in units of the mean variance of a feature.',
          columns: [
            { title: 'λ', unit: 'number' },
            { title: 'squared error', unit: 'number' },
            { title: 'accuracy', unit: 'share' },
          ],
          rows: tried.map((each) => [each.lambda, each.squaredError, each.accuracy]),
        },
      ],
      traits: ['head-refitted'],
    }),
});
