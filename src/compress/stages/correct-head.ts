import { z } from 'zod';
import { correctHeadOptionsSchema, imagesOf } from '../correct-head/options.js';
import { correctHead } from '../correct-head/stage.js';
import { stageFacts, type Fact } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { defineStage } from '../stage.js';
import { figure, valueOf } from './stored.js';

/** The original model, whose shapes are not known here, takes about three times as long as what recipes make of it. */
const BOTH_MODELS = 4;

/** Adds to the classifier what compression took from the logits. */
export const correctHeadStage = defineStage({
  name: 'correct-head',
  version: 2,
  description:
    "Corrects the classifier so that the compressed model's logits come as close as possible to the original model's, by ridge regression in closed form, without labels. No stage that changes the model may follow.",
  options: correctHeadOptionsSchema,
  report: z.object({
    images: z.number(),
    holdout: z.number(),
    lambda: z.number().optional(),
    error: z.object({ before: figure, after: figure }).optional(),
    tried: z.array(z.object({ lambda: z.number(), squaredError: z.number() })),
  }),
  effort({ config }, options) {
    const { fit, check } = imagesOf(options);
    return BOTH_MODELS * (fit + check) * multiplications(config);
  },
  shape: (vit) => vit,
  once: true,
  classifier: 'corrects',
  apply: correctHead,
  summarise: ({ images, holdout, lambda, error, tried }) =>
    stageFacts(
      error === undefined
        ? { headline: [corrected('nothing (the model stays without a classifier)')] }
        : {
            headline: [
              { label: 'training images', value: images, unit: 'count' },
              { label: 'of them held out', value: holdout, unit: 'count' },
              lambda === undefined
                ? corrected('nothing (no penalty brings the logits closer)')
                : { label: 'penalty λ', value: lambda, unit: 'number' },
              {
                label: 'error of the logits before, on those held out',
                value: valueOf(error.before),
                unit: 'number',
              },
              { label: 'error of the logits after', value: valueOf(error.after), unit: 'number' },
            ],
            traits: lambda === undefined ? [] : ['head-corrected'],
            tables: [
              {
                title: 'penalties that were tried',
                note: 'On training images held out; λ is in units of the mean variance of a feature.',
                columns: [
                  { title: 'λ', unit: 'number' },
                  { title: 'squared error', unit: 'number' },
                ],
                rows: tried.map((each) => [each.lambda, each.squaredError]),
              },
            ],
          },
    ),
});

function corrected(what: string): Fact {
  return { label: 'corrected', value: what, unit: 'name' };
}
