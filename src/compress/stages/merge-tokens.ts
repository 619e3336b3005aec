import { z } from 'zod';
import { stageFacts } from '../facts.js';
import { mergeTokensOptionsSchema } from '../merge-tokens/options.js';
import { candidatesFor, multiplications, SLOPES } from '../merge-tokens/schedule.js';
import { mergeTokens, withMerges } from '../merge-tokens/stage.js';
import { defineStage } from '../stage.js';
import type { ViT } from '../../vit/vit.js';
import type { MergeTokensOptions } from '../merge-tokens/options.js';
import { figure, valueOf } from './stored.js';

/** Merges similar tokens. */
export const mergeTokensStage = defineStage({
  name: 'merge-tokens',
  version: 5,
  description: 'Merges similar tokens between the attention and the MLP of each block.',
  options: mergeTokensOptionsSchema,
  report: z.object({
    images: figure,
    blocks: z.array(z.object({ layer: z.number(), before: z.number(), after: z.number() })).min(1),
    multiplications: z.object({ before: z.number(), after: z.number() }),
    schedules: z
      .array(z.object({ slope: figure, merges: z.array(z.number()), error: figure, agreement: figure }))
      .min(1),
  }),
  effort(vit, options) {
    const candidates = options.budget ? SLOPES.length : 1;
    const after = multiplications(merged(vit, options).config);
    return options.images * (multiplications(vit.config) + candidates * after);
  },
  shape: merged,
  once: true,
  mergesTokens: true,
  apply: mergeTokens,
  summarise: ({ images, blocks, multiplications: { before, after }, schedules }) => {
    const taken = schedules[0];
    return stageFacts({
      pictures: [{ kind: 'tokens', blocks }],
      headline: [
        { label: 'tokens left', value: valueOf(blocks.at(-1)?.after), of: blocks[0]?.before, unit: 'count' },
        { label: 'fewer multiplications, counted from shapes', value: before / after, unit: 'times' },
        ...(taken?.agreement === undefined
          ? []
          : [
              {
                label: 'held-out images that keep their class',
                value: taken.agreement,
                unit: 'share' as const,
              },
            ]),
        { label: 'held-out training images', value: valueOf(images), unit: 'count' },
      ],
      tables: [
        {
          title: 'tokens by block',
          columns: [
            { title: 'block', unit: 'count' },
            { title: 'attention', unit: 'count' },
            { title: 'MLP', unit: 'count' },
            { title: 'merged', unit: 'count' },
          ],
          rows: blocks.map((block) => [block.layer, block.before, block.after, block.before - block.after]),
        },
        ...(schedules.length < 2
          ? []
          : [
              {
                title: 'schedules that were tried, the one taken first',
                note: 'Error: mean squared difference of the logits from those before the stage, as a share of their variance.',
                columns: [
                  { title: 'merged in each block', unit: 'name' as const },
                  { title: 'error', unit: 'number' as const },
                  { title: 'same class', unit: 'share' as const },
                ],
                rows: schedules.map(({ merges, error, agreement }) => [
                  merges.join(' '),
                  valueOf(error),
                  valueOf(agreement),
                ]),
              },
            ]),
      ],
    });
  },
});

/** All schedules that meet a budget take about as long; which one it will be needs the weights: the even one stands for it. */
function merged(vit: ViT, options: MergeTokensOptions): ViT {
  const candidates = candidatesFor(vit.config, options);
  const even = candidates.find(({ slope }) => slope === 0) ?? candidates[0];
  return even === undefined ? vit : withMerges(vit, even.merges);
}
