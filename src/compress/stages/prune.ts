import { z } from 'zod';
import { tokensAt } from '../../vit/config.js';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { withWidths } from '../stand-ins.js';
import { pruneOptionsSchema } from '../prune/options.js';
import { prune } from '../prune/stage.js';
import { defineStage } from '../stage.js';
import { FLOAT64 } from './effort.js';
import { figure, valueOf } from './stored.js';

/** What a budget is taken for before anybody knows what it leaves. */
const USUAL_RATIO = 0.5;

/** Removes MLP neurons. */
export const pruneStage = defineStage({
  name: 'prune',
  version: 2,
  description: 'Removes MLP neurons physically; those that stay make up for them in closed form.',
  options: pruneOptionsSchema,
  report: z.object({
    images: figure,
    neuronsBefore: z.number(),
    neuronsAfter: z.number(),
    blocks: z.array(z.object({ layer: z.number(), before: z.number(), after: z.number(), loss: figure })),
    /** In bytes. */
    budget: z.object({ budget: z.number(), predicted: figure, measured: figure }).optional().catch(undefined),
  }),
  effort(vit, { images, ratio = USUAL_RATIO, allocation, budget, importance, compensation }) {
    const { config } = vit;
    const image = multiplications(config);
    const passes = budget !== undefined || allocation === 'global' ? 2 : 1;
    const products = config.mlpSizes.reduce(
      (sum, size, layer) => sum + images * tokensAt(config, layer + 1) * size ** 2 * 0.6,
      0,
    );
    // Two factors and an inverse, n³ / 6 each.
    const solved = Number(importance === 'obs') * 2 + Number(compensation === 'least-squares') * 2;
    const algebra = config.mlpSizes.reduce((sum, size) => sum + (FLOAT64 * solved * size ** 3) / 6, 0);
    const after = { ...config, mlpSizes: narrowed(config.mlpSizes, ratio) };
    return passes * (images * image + products + algebra) + images * multiplications(after);
  },
  shape: (vit, { ratio = USUAL_RATIO }) => withWidths(vit, narrowed(vit.config.mlpSizes, ratio)),
  needsFloat: true,
  looksAhead: ({ budget }) => budget !== undefined,
  measuresPeak: ({ budget }) => budget !== undefined && 'memory' in budget,
  apply: prune,
  summarise: ({ images, neuronsBefore, neuronsAfter, blocks, budget }) =>
    stageFacts({
      headline: [
        { label: 'MLP neurons left', value: neuronsAfter, of: neuronsBefore, unit: 'count' },
        ...(budget === undefined
          ? []
          : [
              { label: 'budget', value: budget.budget, unit: 'bytes' as const },
              { label: 'predicted', value: valueOf(budget.predicted), unit: 'bytes' as const },
              { label: 'measured', value: valueOf(budget.measured), unit: 'bytes' as const },
            ]),
        { label: 'training images', value: valueOf(images), unit: 'count' },
      ],
      tables: [
        {
          title: 'widths by block',
          note: 'Predicted error: what is added to the output of the MLP on the calibration images, as a share of its variance.',
          columns: [
            { title: 'block', unit: 'count' },
            { title: 'before', unit: 'count' },
            { title: 'left', unit: 'count' },
            { title: 'predicted error', unit: 'share' },
          ],
          rows: blocks.map(({ layer, before, after, loss }) => [layer, before, after, valueOf(loss)]),
        },
      ],
      pictures: [{ kind: 'mlp-widths', blocks }],
    }),
});

function narrowed(sizes: readonly number[], ratio: number): number[] {
  return sizes.map((size) => Math.ceil(size * (1 - ratio)));
}
