import { z } from 'zod';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { pruneAttentionOptionsSchema } from '../prune-attention/options.js';
import { narrowedSize, pruneAttention } from '../prune-attention/stage.js';
import { defineStage } from '../stage.js';
import { withQueryKeySize } from '../stand-ins.js';
import { OBSERVED_PASS } from './effort.js';
import { figure, valueOf } from './stored.js';

/** Makes queries and keys narrower. */
export const pruneAttentionStage = defineStage({
  name: 'prune-attention',
  version: 1,
  description:
    'Makes the queries and keys of all heads narrower, so that the scores of attention change least.',
  options: pruneAttentionOptionsSchema,
  report: z.object({
    images: figure,
    blocks: z
      .array(
        z.object({
          layer: z.number(),
          before: z.number(),
          after: z.number(),
          error: figure,
          scores: figure,
        }),
      )
      .min(1),
  }),
  effort: ({ config }, { images }) => OBSERVED_PASS * images * multiplications(config),
  shape: (vit, options) => withQueryKeySize(vit, narrowedSize(vit.config, options)),
  needsFloat: true,
  once: true,
  apply: pruneAttention,
  summarise: ({ images, blocks }) =>
    stageFacts({
      headline: [
        {
          label: 'channels of queries and keys left of each head',
          value: valueOf(blocks[0]?.after),
          of: blocks[0]?.before,
          unit: 'count',
        },
        { label: 'training images', value: valueOf(images), unit: 'count' },
      ],
      tables: [
        {
          title: 'scores by block',
          note: 'Predicted error of the scores on the calibration images: as a share of their variance over the keys of an image, and its root mean square in units of what softmax is given.',
          columns: [
            { title: 'block', unit: 'count' },
            { title: 'before', unit: 'count' },
            { title: 'left', unit: 'count' },
            { title: 'predicted error', unit: 'share' },
            { title: 'root mean square', unit: 'number' },
          ],
          rows: blocks.map(({ layer, before, after, error, scores }) => [
            ...[layer, before, after],
            ...[valueOf(error), valueOf(scores)],
          ]),
        },
      ],
    }),
});
