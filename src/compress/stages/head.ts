import { z } from 'zod';
import { stageFacts, type FactTable } from '../facts.js';
import { headKinds, headOptionsSchema, imagesOf } from '../head/options.js';
import { head } from '../head/stage.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { defineStage } from '../stage.js';

const triedSchema = z.object({
  lambda: z.number(),
  squaredError: z.number(),
  /** Not in reports of older versions, which had ridge regression alone. */
  crossEntropy: z.number().optional(),
  accuracy: z.number(),
  search: z.object({ iterations: z.number(), gradient: z.number(), converged: z.boolean() }).optional(),
});

const reportSchema = z.object({
  kind: z.enum(headKinds).default('ridge'),
  images: z.number(),
  holdout: z.number(),
  classes: z.number(),
  lambda: z.number(),
  holdoutAccuracy: z.number(),
  tried: z.array(triedSchema).default([]),
});

/** Fits the classifier anew. */
export const headStage = defineStage({
  name: 'head',
  version: 4,
  description:
    'Refits the classifier to the compressed model, by ridge regression in closed form or by logistic regression.',
  options: headOptionsSchema,
  report: reportSchema,
  effort({ config }, options) {
    const { fit, holdout } = imagesOf(options, config.labels.length);
    return (fit + holdout) * multiplications(config);
  },
  shape: (vit) => vit,
  once: true,
  classifier: 'refits',
  apply: head,
  summarise: ({ kind, images, holdout, classes, lambda, holdoutAccuracy, tried }) =>
    stageFacts({
      headline: [
        { label: 'kind', value: kind, unit: 'name' },
        { label: 'classes', value: classes, unit: 'count' },
        { label: 'training images', value: images, unit: 'count' },
        { label: 'of them held out', value: holdout, unit: 'count' },
        { label: 'penalty λ', value: lambda, unit: 'number' },
        { label: 'accuracy on those held out, fitted without them', value: holdoutAccuracy, unit: 'share' },
      ],
      tables: [kind === 'ridge' ? ridgeTable(tried) : logisticTable(tried)],
      traits: ['head-refitted'],
    }),
});

type Tried = z.infer<typeof triedSchema>;

const TITLE = 'penalties that were tried';
const NOTE = 'On training images held out; λ is in units of the mean variance of a feature.';

function ridgeTable(tried: readonly Tried[]): FactTable {
  return {
    ...{ title: TITLE, note: NOTE },
    columns: [
      { title: 'λ', unit: 'number' },
      { title: 'squared error', unit: 'number' },
      { title: 'accuracy', unit: 'share' },
    ],
    rows: tried.map((each) => [each.lambda, each.squaredError, each.accuracy]),
  };
}

function logisticTable(tried: readonly Tried[]): FactTable {
  return {
    ...{ title: TITLE, note: `${NOTE} The gradient is its largest component where the search ended.` },
    columns: [
      { title: 'λ', unit: 'number' },
      { title: 'cross-entropy', unit: 'number' },
      { title: 'accuracy', unit: 'share' },
      { title: 'iterations', unit: 'count' },
      { title: 'gradient', unit: 'number' },
    ],
    rows: tried.map(({ lambda, crossEntropy = null, accuracy, search }) => [
      ...[lambda, crossEntropy, accuracy],
      ...[search?.iterations ?? null, search?.gradient ?? null],
    ]),
  };
}
