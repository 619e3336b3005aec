import { z } from 'zod';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { shrinkOptionsSchema } from '../shrink/options.js';
import { shrink, shrunkShape } from '../shrink/stage.js';
import { defineStage } from '../stage.js';
import { judgingEffort, rankingEffort } from './effort.js';
import { accuracyOutcome, spentFacts, triedTable } from './spent.js';
import { figure, valueOf } from './stored.js';

/** Amounts that run on the images that they are compared on. */
const COMPARED = 20;

const level = { error: figure, agreement: figure };

/** What an amount does alone, as a row says it. */
const doneBy = ({ error, agreement }: { error?: number | undefined; agreement?: number | undefined }) => [
  valueOf(error),
  valueOf(agreement),
];

/** Channels of queries and keys, of which reports before version 7 say nothing: none went. */
const channels = z.number().optional();

/** Prunes and merges together. */
export const shrinkStage = defineStage({
  name: 'shrink',
  version: 11,
  description:
    'Removes MLP neurons, makes queries and keys narrower and merges similar tokens: the combination with the fewest multiplications within an accuracy budget.',
  options: shrinkOptionsSchema,
  report: z.object({
    images: figure,
    compared: figure,
    neuronsBefore: z.number(),
    neuronsAfter: z.number(),
    queryKeyBefore: channels,
    queryKeyAfter: channels,
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
      queryKeys: z.array(z.object({ ratio: z.number(), ...level })).default([]),
      merges: z.array(z.object({ speed: z.number(), merges: z.array(z.number()), ...level })),
    }),
    accuracy: accuracyOutcome({
      ratio: z.number(),
      queryKeys: z.number().default(0),
      merged: z.number(),
      speed: z.number(),
      predicted: figure,
    }),
  }),
  effort({ config }, { images, compared, budget }) {
    const passes = images + compared * COMPARED + judgingEffort(budget.images);
    return passes * multiplications(config) + rankingEffort(config, images, 4);
  },
  shape: shrunkShape,
  once: true,
  needsFloat: true,
  needsAllTokens: true,
  apply: shrink,
  summarise: (report) => {
    const { images, neuronsBefore, neuronsAfter, blocks, accuracy, levels } = report;
    const { before, after } = report.multiplications;
    const last = blocks.at(-1);
    return stageFacts({
      headline: [
        { label: 'MLP neurons left', value: neuronsAfter, of: neuronsBefore, unit: 'count' },
        ...(report.queryKeyAfter === undefined
          ? []
          : [
              {
                label: 'channels of queries and keys left of each head',
                value: report.queryKeyAfter,
                of: report.queryKeyBefore,
                unit: 'count' as const,
              },
            ]),
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
            { title: 'queries and keys removed', unit: 'share' },
            { title: 'merged in each block', unit: 'name' },
            { title: 'error', unit: 'number' },
            { title: 'same class', unit: 'share' },
          ],
          rows: [
            ...levels.prunes.slice(1).map((each) => [each.ratio, null, null, ...doneBy(each)]),
            ...levels.queryKeys.slice(1).map((each) => [null, each.ratio, null, ...doneBy(each)]),
            ...levels.merges.slice(1).map((each) => [null, null, each.merges.join(' '), ...doneBy(each)]),
          ],
        },
        triedTable(accuracy, [
          { title: 'removed', unit: 'share', of: ({ ratio }) => ratio },
          { title: 'queries and keys', unit: 'share', of: ({ queryKeys }) => queryKeys },
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
