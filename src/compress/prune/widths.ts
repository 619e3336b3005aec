import { InputError } from '../../base/errors.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import type { Blas } from '../linalg/blas.js';
import type { BlockStream } from '../observe/blocks.js';
import { normGainTap } from '../observe/norm-gain.js';
import type { Tap } from '../observe/taps.js';
import { walkBlocks } from '../observe/walk.js';
import { allocate, type BlockCost } from './allocation.js';
import { widthsWithin, type BudgetOutcome } from './budget.js';
import { orderMlp, type OrderedMlp } from './compensation.js';
import { importanceOf } from './importance.js';
import { observeMlp } from './mlp.js';
import type { PruneOptions } from './options.js';

/** How wide each block's MLP is to be. */
export interface ChosenWidths {
  readonly widths: readonly number[];
  /** How a budget was met; undefined for a ratio. */
  readonly budget: BudgetOutcome | undefined;
}

/**
 * Chooses the widths of the pruned MLPs.
 *
 * @param vit - the model before pruning
 * @param context - runtime and calibration images
 * @param options - a ratio or a budget, and how to spread it
 * @param blas - float64 products
 * @throws InputError when nothing would be left, or a budget cannot be met
 */
export async function chooseWidths(
  vit: ViT,
  context: StageContext,
  options: PruneOptions,
  blas: Blas,
): Promise<ChosenWidths> {
  const { mlpSizes } = vit.config;
  const { multiple, ratio, budget } = options;
  if (budget !== undefined) {
    const costs = await narrowingCosts(vit, context, options, blas);
    const outcome = await widthsWithin(vit, costs, budget, context, multiple);
    return { widths: outcome.widths, budget: outcome };
  }
  // The schema lets exactly one of ratio and budget through.
  const share = 1 - ratio!;
  if (options.allocation === 'uniform') {
    // A block that is no wider than one step stays as it is, as in a global allocation.
    const widths = mlpSizes.map((size) =>
      size <= multiple ? size : Math.min(size, Math.round((size * share) / multiple) * multiple),
    );
    if (widths.includes(0) || mlpSizes.every((size) => size <= multiple))
      throw nothingLeft(ratio!, Math.min(...mlpSizes), multiple);
    return { widths, budget: undefined };
  }
  const total = mlpSizes.reduce((sum, size) => sum + size, 0);
  const kept = Math.round((total * share) / multiple) * multiple;
  const widths = allocate(await narrowingCosts(vit, context, options, blas), kept, multiple);
  if (widths === undefined) throw nothingLeft(ratio!, total, multiple);
  return { widths, budget: undefined };
}

/**
 * A block's MLP with its neurons in order of importance, as the images that reach it see it.
 *
 * @param context - the stage's context
 * @param stream - the calibration images before the block
 * @param vit - the model
 * @param layer - which block
 * @param options - of the stage
 * @param blas - float64 products
 * @param how - whether the images stay before the block or move through it
 * @param taps - what else to observe on the way
 */
export async function orderedMlp(
  context: StageContext,
  stream: BlockStream,
  vit: ViT,
  layer: number,
  options: PruneOptions,
  blas: Blas,
  how: 'observe' | 'advance',
  taps: readonly Tap<unknown>[] = [],
): Promise<OrderedMlp> {
  const mlp = await observeMlp(context, stream, vit, layer, how, taps);
  const scores = await importanceOf(options.importance, mlp, blas);
  return orderMlp(mlp, scores, options.compensation, blas);
}

/**
 * What narrowing each block would cost, with all blocks before it as they are: the squared error added to the residual stream, as
 * the LayerNorms behind the block see it, by channel. The stream grows through depth (in DINOv2-S its variance by a hundred times
 * and more): errors compared as they are would leave the first blocks hardly a neuron and the last ones nearly all.
 *
 * @param vit - the model before pruning
 * @param context - runtime and calibration images
 * @param options - of the stage
 * @param blas - float64 products
 */
export async function narrowingCosts(
  vit: ViT,
  context: StageContext,
  options: PruneOptions,
  blas: Blas,
): Promise<readonly BlockCost[]> {
  const { values } = await walkBlocks<BlockCost>(context, vit, {
    name: 'costs',
    images: await context.calibration.images(options.images),
    progress: [0, 0.5],
    what: 'loss of ',
    async visit(_, stream, layer) {
      const gain = normGainTap(vit.config.layerNormEpsilon);
      const { loss } = await orderedMlp(context, stream, vit, layer, options, blas, 'advance', [gain]);
      const magnified = gain.result() / vit.config.hiddenSize;
      return {
        vit,
        value: { neurons: vit.config.mlpSizes[layer]!, loss: loss.map((error) => error * magnified) },
      };
    },
  });
  return values;
}

function nothingLeft(ratio: number, neurons: number, multiple: number): InputError {
  return new InputError({
    source: 'recipe',
    place: 'prune.ratio',
    found: `${ratio}, which leaves fewer than ${multiple} of ${neurons} neurons`,
    expected: `a ratio that leaves every block at least ${multiple} neurons`,
    hint: 'With a smaller "multiple" blocks can become narrower.',
  });
}
