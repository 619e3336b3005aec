import { InputError } from '../../base/errors.js';
import { layerCount } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openBlas, type Blas } from '../linalg/blas.js';
import { openStream } from '../observe/blocks.js';
import { allocate, type BlockCost } from './allocation.js';
import { orderMlp, type OrderedMlp } from './compensation.js';
import { importanceOf } from './importance.js';
import { observeMlp, withMlp } from './mlp.js';
import type { PruneOptions } from './options.js';

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
}

/**
 * Removes MLP neurons physically: rows of FC1 and columns of FC2. Blocks are pruned first to last, each calibrated on
 * what the already pruned ones before it give.
 *
 * @param vit - a float model
 * @param context - runtime and calibration images
 * @param options - how many, which, and what makes up for them
 * @throws InputError when nothing would be left
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
    const widths = await chooseWidths(vit, context, options, blas);
    const stream = await openStream(context, vit, calibration);
    const blocks: PrunedBlock[] = [];
    let pruned = vit;
    for (let layer = 0; layer < layers; layer++) {
      context.onProgress(0.5 + layer / layers / 2, `block ${layer + 1} of ${layers}`);
      const before = vit.config.mlpSizes[layer]!;
      const after = widths[layer]!;
      let loss = 0;
      if (after < before) {
        const mlp = await ordered(context, stream, pruned, layer, options, blas);
        loss = mlp.loss[after]! / mlp.outputVariance;
        pruned = withMlp(pruned, layer, after, await mlp.narrow(after));
      }
      blocks.push({ layer, before, after, loss });
      if (layer + 1 < layers) await stream.advance(pruned, layer);
    }
    const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
    return {
      vit: pruned,
      report: {
        images: calibration.count,
        neuronsBefore: sum(vit.config.mlpSizes),
        neuronsAfter: sum(pruned.config.mlpSizes),
        blocks,
      },
    };
  } finally {
    await blas.close();
  }
}

async function chooseWidths(
  vit: ViT,
  context: StageContext,
  options: PruneOptions,
  blas: Blas,
): Promise<readonly number[]> {
  const { mlpSizes } = vit.config;
  const { multiple } = options;
  const ratio = options.ratio!;
  if (options.allocation === 'uniform')
    return mlpSizes.map((size) => {
      const kept = Math.round((size * (1 - ratio)) / multiple) * multiple;
      if (kept === 0) throw nothingLeft(ratio, size, multiple);
      return Math.min(kept, size);
    });
  const costs: BlockCost[] = [];
  const stream = await openStream(context, vit, await context.calibration.images(options.images));
  for (const [layer, neurons] of mlpSizes.entries()) {
    context.onProgress(layer / mlpSizes.length / 2, `loss of block ${layer + 1} of ${mlpSizes.length}`);
    const mlp = await ordered(context, stream, vit, layer, options, blas);
    costs.push({ neurons, loss: mlp.loss });
    if (layer + 1 < mlpSizes.length) await stream.advance(vit, layer);
  }
  const total = mlpSizes.reduce((sum, size) => sum + size, 0);
  const widths = allocate(costs, Math.round((total * (1 - ratio)) / multiple) * multiple, multiple);
  if (widths === undefined) throw nothingLeft(ratio, total, multiple);
  return widths;
}

async function ordered(
  context: StageContext,
  stream: Awaited<ReturnType<typeof openStream>>,
  vit: ViT,
  layer: number,
  options: PruneOptions,
  blas: Blas,
): Promise<OrderedMlp> {
  const mlp = await observeMlp(context, stream, vit, layer);
  const scores = await importanceOf(options.importance, mlp, blas);
  return orderMlp(mlp, scores, options.compensation, blas);
}

function nothingLeft(ratio: number, neurons: number, multiple: number): InputError {
  return new InputError({
    source: 'recipe',
    place: 'prune.ratio',
    found: `${ratio}, which leaves fewer than ${multiple} of ${neurons} neurons`,
    expected: 'a ratio that leaves every block at least one multiple of neurons',
  });
}
