import { defined } from '../../src/base/defined.js';
import type { StageContext } from '../../src/compress/context.js';
import type { Blas } from '../../src/compress/linalg/blas.js';
import { openStream, rowsOf } from '../../src/compress/observe/blocks.js';
import { momentsTap } from '../../src/compress/observe/moments.js';
import { allocate } from '../../src/compress/prune/allocation.js';
import { narrowed, type OrderedMlp } from '../../src/compress/prune/compensation.js';
import { mlpOf, withMlp } from '../../src/compress/prune/mlp.js';
import { widthsOfRatio } from '../../src/compress/prune/widths.js';
import type { ViT } from '../../src/vit/vit.js';
import {
  COUNTS,
  momentsAfter,
  observationOf,
  orderedBy,
  USUAL,
  withRidgeOf,
  type Observed,
} from './observed.js';

/** Widths are multiples of this. */
const MULTIPLE = 32;

/** Ridges, as shares of the mean variance of the neurons; pruning's own, from the number of rows, is beside them. */
const RIDGES = [1e-6, 1e-2, 1e-1];

/** A way to prune, and the model that it gives. */
export interface Variant {
  readonly question: 'widths' | 'training images' | 'ridge' | 'calibrated on' | 'compensation';
  readonly name: string;
  readonly widths: readonly number[];
  make(): Promise<ViT>;
}

/** How the neurons of each block are ordered, and what narrowing it costs. */
interface Usual {
  readonly ordered: readonly OrderedMlp[];
  readonly sizes: readonly number[];
}

/** What narrowing a block to half of its neurons is predicted to do, alone. */
export interface Alone {
  /** Squared error that is added to the residual stream, mean over tokens, summed over channels. */
  readonly squared: number;
  /** The same as the norms behind the block see it, by channel. */
  readonly relative: number;
  /** The model with this block narrowed and all others as they were. */
  readonly vit: ViT;
}

/** The neurons of all blocks as pruning orders them by default. */
export async function usualOrder(vit: ViT, blocks: readonly Observed[], blas: Blas): Promise<Usual> {
  const ordered: OrderedMlp[] = [];
  for (const [layer, block] of blocks.entries())
    ordered.push(
      await orderedBy(await observationOf(vit, layer, momentsAfter(block, USUAL)), 'least-squares', blas),
    );
  return { ordered, sizes: vit.config.mlpSizes };
}

/**
 * All that is compared: the widths by three rules, and with the widths of the usual rule everything else.
 *
 * @param context - runtime and training images
 * @param vit - the model
 * @param blocks - what was observed of it
 * @param usual - its neurons in their usual order
 * @param ratio - share of all neurons to remove
 * @param blas - float64 products
 */
export function variantsOf(
  context: StageContext,
  vit: ViT,
  blocks: readonly Observed[],
  { ordered, sizes }: Usual,
  ratio: number,
  blas: Blas,
): Variant[] {
  const total = Math.round((sizes.reduce((sum, size) => sum + size, 0) * (1 - ratio)) / MULTIPLE) * MULTIPLE;
  const costs = (relative: boolean) =>
    ordered.map(({ loss }, layer) => ({
      neurons: defined(sizes[layer], 'a width'),
      loss: relative ? loss.map((error) => error * blocks[layer]!.magnified) : loss,
    }));
  const allocated = (relative: boolean): readonly number[] =>
    defined(allocate(costs(relative), total, MULTIPLE), 'widths');
  const widths = allocated(true);
  const narrow = async (
    to: readonly number[],
    orderOf: (layer: number) => OrderedMlp | Promise<OrderedMlp>,
  ) => {
    let pruned = vit;
    for (const [layer, width] of to.entries())
      pruned = withMlp(
        pruned,
        layer,
        width,
        await narrowed(await mlpOf(vit, layer), await orderOf(layer), width, blas),
      );
    return pruned;
  };
  const usually = (layer: number): OrderedMlp => defined(ordered[layer], 'an order');
  const byWidths = (name: string, to: readonly number[]): Variant => ({
    ...{ question: 'widths', name, widths: to },
    make: () => narrow(to, usually),
  });
  const byMoments = (
    question: Variant['question'],
    name: string,
    momentsOf: (block: Observed) => ReturnType<typeof momentsAfter>,
    compensation: 'none' | 'mean' | 'least-squares' = 'least-squares',
  ): Variant => ({
    ...{ question, name, widths },
    make: () =>
      narrow(widths, async (layer) => {
        const moments = momentsOf(defined(blocks[layer], 'a block'));
        return orderedBy(await observationOf(vit, layer, moments), compensation, blas);
      }),
  });
  const usualMoments = (block: Observed) => momentsAfter(block, USUAL);
  return [
    byWidths('relative to the stream', widths),
    byWidths('the same in each block', defined(widthsOfRatio(sizes, ratio, MULTIPLE, undefined), 'widths')),
    byWidths('squared error', allocated(false)),
    {
      ...{ question: 'calibrated on', name: 'the pruned model', widths },
      make: () => blockByBlock(context, vit, widths, blas),
    },
    byMoments('compensation', 'means alone', usualMoments, 'mean'),
    byMoments('compensation', 'none', usualMoments, 'none'),
    ...COUNTS.filter((count) => count !== USUAL).map((count) =>
      byMoments('training images', String(count), (block) => momentsAfter(block, count)),
    ),
    ...RIDGES.map((share) =>
      byMoments('ridge', share.toExponential(0), (block) => withRidgeOf(usualMoments(block), share)),
    ),
  ];
}

/** Each block observed on what the pruned ones before it give, then pruned itself. */
async function blockByBlock(
  context: StageContext,
  vit: ViT,
  widths: readonly number[],
  blas: Blas,
): Promise<ViT> {
  const stream = await openStream(context, vit, await context.calibration.images(USUAL));
  let pruned = vit;
  for (const [layer, width] of widths.entries()) {
    const tap = momentsTap('fc2', rowsOf(stream, vit.config, layer, 'fc2').rowsPerBatch);
    await stream.observe(pruned, layer, [tap]);
    const observation = await observationOf(vit, layer, tap.result());
    const ordered = await orderedBy(observation, 'least-squares', blas);
    pruned = withMlp(pruned, layer, width, await narrowed(observation, ordered, width, blas));
    await stream.advance(pruned, layer);
  }
  return pruned;
}

/** What half of the neurons of each block are worth, one block at a time. */
export async function eachAlone(
  vit: ViT,
  blocks: readonly Observed[],
  { ordered, sizes }: Usual,
  blas: Blas,
): Promise<Alone[]> {
  const alone: Alone[] = [];
  for (const [layer, order] of ordered.entries()) {
    const width = Math.round(defined(sizes[layer], 'a width') / 2 / MULTIPLE) * MULTIPLE;
    const squared = order.loss[width]!;
    alone.push({
      ...{ squared, relative: squared * blocks[layer]!.magnified },
      vit: withMlp(vit, layer, width, await narrowed(await mlpOf(vit, layer), order, width, blas)),
    });
  }
  return alone;
}
