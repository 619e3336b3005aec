import { defined } from '../../base/defined.js';
import { InputError } from '../../base/errors.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openBlas } from '../linalg/blas.js';
import type { AccuracyOutcome } from '../spend.js';
import { withinLoss, type TriedWidths } from './accuracy.js';
import { widthsWithin, type BudgetOutcome } from './budget.js';
import { canPrune } from './mlp.js';
import type { PruneOptions } from './options.js';
import { narrowedTo, rankBlocks } from './ranked.js';
import { chosenWidths, widthsOfRatio } from './widths.js';

/** What of the stage's work observing is, where candidates are judged behind it, and where nothing but algebra is. */
const OBSERVED = { judged: 0.5, alone: 0.95 } as const;

/** What pruning did to one block. */
export interface PrunedBlock {
  readonly layer: number;
  readonly before: number;
  readonly after: number;
  /** Error added to FC2's output on the calibration images, relative to the output's variance, as predicted. */
  readonly loss: number;
}

/** The report of the stage. */
export interface PruneReport {
  readonly images: number;
  readonly neuronsBefore: number;
  readonly neuronsAfter: number;
  readonly blocks: readonly PrunedBlock[];
  /** How a budget of bytes was met; undefined for a ratio. */
  readonly budget: BudgetOutcome | undefined;
  /** How a budget of accuracy was spent; undefined without one. */
  readonly accuracy: AccuracyOutcome<TriedWidths> | undefined;
}

/**
 * Removes MLP neurons physically: rows of FC1 and columns of FC2. One pass over the calibration images observes all blocks of the
 * model as it is; what stays makes up for what goes by that, so that a model of any widths costs a triangular solve a block.
 *
 * @param vit - a float model
 * @param context - runtime and calibration images
 * @param options - how many, which, and what makes up for them
 * @throws InputError when nothing would be left, a budget cannot be met, or a norm stands behind the neurons
 */
export async function prune(
  vit: ViT,
  context: StageContext,
  options: PruneOptions,
): Promise<{ vit: ViT; report: PruneReport }> {
  if (!canPrune(vit.config))
    throw new InputError({
      source: 'recipe',
      place: 'prune',
      found:
        'a model with a norm between the activation and the second layer of its MLPs, which sees all neurons at once',
      expected: 'a model whose neurons do not depend on each other',
    });
  const { mlpSizes } = vit.config;
  const { budget, multiple } = options;
  const calibration = await context.calibration.images(options.images);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const judged = budget !== undefined && 'accuracy' in budget;
    const done = judged ? OBSERVED.judged : OBSERVED.alone;
    const blocks = await rankBlocks(vit, context, options, calibration, blas, done);
    const costs = options.allocation === 'uniform' ? undefined : blocks;
    const byRatio = (ratio: number): readonly number[] | undefined =>
      widthsOfRatio(mlpSizes, ratio, multiple, costs);
    let met: BudgetOutcome | undefined;
    let accuracy: AccuracyOutcome<TriedWidths> | undefined;
    let pruned: ViT;
    if (judged)
      ({ vit: pruned, outcome: accuracy } = await withinLoss(vit, blocks, byRatio, budget, context, blas));
    else {
      if (budget !== undefined) met = await widthsWithin(vit, blocks, budget, context, multiple);
      const widths = met?.widths ?? chosenWidths(mlpSizes, options, byRatio);
      pruned = await narrowedTo(vit, blocks, widths, blas);
    }
    const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
    return {
      vit: pruned,
      report: {
        images: calibration.count,
        neuronsBefore: sum(mlpSizes),
        neuronsAfter: sum(pruned.config.mlpSizes),
        blocks: blocks.map(({ neurons, share }, layer) => {
          const after = defined(pruned.config.mlpSizes[layer], `the width of block ${layer}`);
          return { layer, before: neurons, after, loss: share[after]! };
        }),
        ...{ budget: met, accuracy },
      },
    };
  } finally {
    await blas.close();
  }
}
