import { z } from 'zod';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { shrinkOptionsSchema } from '../shrink/options.js';
import { shrink, shrunkShape } from '../shrink/stage.js';
import { defineStage } from '../stage.js';
import { JUDGED_PASSES, rankingEffort } from './effort.js';
import { accuracyOutcome, spentFacts, triedTable } from './spent.js';
import { figure, valueOf } from './stored.js';

/** Amounts that run on the images that they are compared on. */
const COMPARED = 20;

const level = { error: figure, agreement: figure };

/** Prunes and merges together. */
export const shrinkStage = defineStage({
  name: 'shrink',
  version: 6,
  description:
    'Removes MLP neurons and merges similar tokens: the combination with the fewest multiplications within an accuracy budget.',
  options: shrinkOptionsSchema,
  report: z.object({
    images: figure,
    compared: figure,
    neuronsBefore: z.number(),
    neuronsAfter: z.number(),
    blocks: z
      .array(
        z.object({
          ...{ layer: z.number(), before: z.number(), after: z.number() },
          ...{ tokens: z.number(), merged: z.number() },
        }),
      )
      .min(1),
    multiplications: z.object({ before: z.number(), after: z.number() }),
    levels: z.object({
      prunes: z.array(z.object({ ratio: z.number(), ...level })),
      merges: z.array(z.object({ speed: z.number(), merges: z.array(z.number()), ...level })),
    }),
    accuracy: accuracyOutcome({
      ratio: z.number(),
      merged: z.number(),
      speed: z.number(),
      predicted: figure,
    }),
  }),
  effort({ config }, { images, compared, budget }) {
    const passes = images + compared * COMPARED + budget.images * JUDGED_PASSES;
    return passes * multiplications(config) + rankingEffort(config, images, 4);
  },
  shape: shrunkShape,
  once: true,
  needsFloat: true,
  apply: shrink,
  summarise: (report) => {
    const { images, neuronsBefore, neuronsAfter, blocks, accuracy, levels } = report;
    const { before, after } = report.multiplications;
    const last = blocks.at(-1);
    return stageFacts({
      headline: [
        { label: 'MLP neurons left', value: neuronsAfter, of: neuronsBefore, unit: 'count' },
        {
          label: 'tokens left',
          value: last === undefined ? null : last.tokens - last.merged,
          of: blocks[0]?.tokens,
          unit: 'count',
        },
        { label: 'fewer multiplications, counted from shapes', value: before / after, unit: 'times' },
        ...spentFacts(accuracy, ({ predicted }) => [
          { label: 'predicted error of the logits', value: valueOf(predicted), unit: 'number' },
        ]),
        { label: 'training images', value: valueOf(images), unit: 'count' },
      ],
      tables: [
        {
          title: 'widths and tokens by block',
          columns: [
            { title: 'block', unit: 'count' },
            { title: 'neurons before', unit: 'count' },
            { title: 'left', unit: 'count' },
            { title: 'tokens', unit: 'count' },
            { title: 'merged', unit: 'count' },
          ],
          rows: blocks.map((each) => [each.layer, each.before, each.after, each.tokens, each.merged]),
        },
        {
          title: 'what each amount does alone',
          note: 'Error: mean squared difference of the logits from those before the stage, as a share of their variance, on training images held out.',
          columns: [
            { title: 'neurons removed', unit: 'share' },
            { title: 'merged in each block', unit: 'name' },
            { title: 'error', unit: 'number' },
            { title: 'same class', unit: 'share' },
          ],
          rows: [
            ...levels.prunes
              .slice(1)
              .map((each) => [each.ratio, null, valueOf(each.error), valueOf(each.agreement)]),
            ...levels.merges
              .slice(1)
              .map((each) => [null, each.merges.join(' '), valueOf(each.error), valueOf(each.agreement)]),
          ],
        },
        triedTable(accuracy, [
          { title: 'removed', unit: 'share', of: ({ ratio }) => ratio },
          { title: 'tokens merged', unit: 'share', of: ({ merged }) => merged },
          { title: 'fewer multiplications', unit: 'times', of: ({ speed }) => speed },
          { title: 'predicted error', unit: 'number', of: ({ predicted }) => valueOf(predicted) },
        ]),
      ],
      pictures: [
        {
          kind: 'mlp-widths',
          blocks: blocks.map(({ layer, before: from, after: to }) => ({ layer, before: from, after: to })),
        },
        {
          kind: 'tokens',
          blocks: blocks.map(({ layer, tokens, merged }) => ({
            ...{ layer, before: tokens, after: tokens - merged },
          })),
        },
      ],
    });
  },
});
