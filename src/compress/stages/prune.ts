import { z } from 'zod';
import { stageFacts, type Fact } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { withWidths } from '../stand-ins.js';
import { pruneOptionsSchema } from '../prune/options.js';
import { prune } from '../prune/stage.js';
import { defineStage } from '../stage.js';
import { judgingEffort, rankingEffort } from './effort.js';
import { accuracyOutcome, spentFacts, triedTable } from './spent.js';
import { figure, valueOf } from './stored.js';

/** What a budget is taken for before anybody knows what it leaves. */
const USUAL_RATIO = 0.5;

const outcome = accuracyOutcome({ ratio: z.number(), predicted: figure });

/** Removes MLP neurons. */
export const pruneStage = defineStage({
  name: 'prune',
  version: 6,
  description: 'Removes MLP neurons physically and adjusts the remaining ones in closed form to compensate.',
  options: pruneOptionsSchema,
  report: z.object({
    images: figure,
    neuronsBefore: z.number(),
    neuronsAfter: z.number(),
    blocks: z.array(z.object({ layer: z.number(), before: z.number(), after: z.number(), loss: figure })),
    /** In bytes. */
    budget: z.object({ budget: z.number(), predicted: figure, measured: figure }).optional().catch(undefined),
    /** In percentage points. */
    accuracy: outcome.optional().catch(undefined),
  }),
  effort({ config }, { images, budget, importance, compensation }) {
    const judged = budget !== undefined && 'accuracy' in budget ? budget.images : 0;
    const solved = Number(importance === 'obs') * 2 + Number(compensation === 'least-squares') * 2;
    return (images + judgingEffort(judged)) * multiplications(config) + rankingEffort(config, images, solved);
  },
  shape: (vit, { ratio = USUAL_RATIO }) => withWidths(vit, narrowed(vit.config.mlpSizes, ratio)),
  needsFloat: true,
  looksAhead: ({ budget }) => budget !== undefined && !('accuracy' in budget),
  measuresPeak: ({ budget }) => budget !== undefined && 'memory' in budget,
  apply: prune,
  summarise: ({ images, neuronsBefore, neuronsAfter, blocks, budget, accuracy }) =>
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
        ...(accuracy === undefined ? [] : accuracyFacts(accuracy)),
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
        ...(accuracy === undefined
          ? []
          : [
              triedTable(accuracy, [
                { title: 'removed', unit: 'share', of: ({ ratio }) => ratio },
                { title: 'predicted error', unit: 'number', of: ({ predicted }) => valueOf(predicted) },
              ]),
            ]),
      ],
      pictures: [{ kind: 'mlp-widths', blocks }],
    }),
});

function narrowed(sizes: readonly number[], ratio: number): number[] {
  return sizes.map((size) => Math.ceil(size * (1 - ratio)));
}

/** What a budget of accuracy came to. */
function accuracyFacts(accuracy: z.infer<typeof outcome>): Fact[] {
  return spentFacts(accuracy, ({ ratio, predicted }) => [
    { label: 'removed', value: ratio, unit: 'share' },
    { label: 'predicted error in the streams', value: valueOf(predicted), unit: 'number' },
  ]);
}
