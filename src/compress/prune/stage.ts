import { layerCount } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openBlas } from '../linalg/blas.js';
import { walkBlocks } from '../observe/walk.js';
import type { BudgetOutcome } from './budget.js';
import { withMlp } from './mlp.js';
import type { PruneOptions } from './options.js';
import { chooseWidths, orderedMlp } from './widths.js';

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
  /** How a budget was met; undefined for a ratio. */
  readonly budget: BudgetOutcome | undefined;
}

/**
 * Removes MLP neurons physically: rows of FC1 and columns of FC2. Blocks are pruned first to last, each calibrated on
 * what the already pruned ones before it give.
 *
 * @param vit - a float model
 * @param context - runtime and calibration images
 * @param options - how many, which, and what makes up for them
 * @throws InputError when nothing would be left, or a budget cannot be met
 */
export async function prune(
  vit: ViT,
  context: StageContext,
  options: PruneOptions,
): Promise<{ vit: ViT; report: PruneReport }> {
  const calibration = await context.calibration.images(options.images);
  const layers = layerCount(vit.config);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const { widths, budget } = await chooseWidths(vit, context, options, blas);
    const { vit: pruned, values: blocks } = await walkBlocks<PrunedBlock>(context, vit, {
      name: 'prune',
      images: calibration,
      progress: [0.5, 1],
      async visit(reached, stream, layer) {
        const before = vit.config.mlpSizes[layer]!;
        const after = widths[layer]!;
        let loss = 0;
        let changed = reached;
        if (after < before) {
          const mlp = await orderedMlp(context, stream, reached, layer, options, blas, 'observe');
          // An MLP that gives the same whatever it reads loses nothing.
          loss = mlp.loss[after]! / (mlp.outputVariance || 1);
          changed = withMlp(reached, layer, after, await mlp.narrow(after));
        }
        if (layer + 1 < layers) await stream.advance(changed, layer);
        return { vit: changed, value: { layer, before, after, loss } };
      },
    });
    const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
    return {
      vit: pruned,
      report: {
        images: calibration.count,
        neuronsBefore: sum(vit.config.mlpSizes),
        neuronsAfter: sum(pruned.config.mlpSizes),
        blocks,
        budget,
      },
    };
  } finally {
    await blas.close();
  }
}
