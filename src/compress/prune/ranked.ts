import { defined } from '../../base/defined.js';
import { float32, viewAs, type TensorSource } from '../../onnx/tensor.js';
import { layerCount } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import type { Blas } from '../linalg/blas.js';
import { normGainTap } from '../observe/norm-gain.js';
import { walkBlocks } from '../observe/walk.js';
import type { BlockCost } from './allocation.js';
import { narrowed, orderMlp, type OrderedMlp } from './compensation.js';
import { importanceOf } from './importance.js';
import { headWeights } from './head-weights.js';
import { mlpOf, observeMlp, withMlp } from './mlp.js';
import type { PruneOptions } from './options.js';

/** What was observed of a block: what each width of its MLP costs, and how to make it so narrow. */
export interface RankedBlock extends BlockCost {
  /** The block's cost as a share of the variance of its MLP's output, for every width. */
  readonly share: Float64Array;
  /** The neurons in order, and what makes up for those that go. */
  ordered(): Promise<Pick<OrderedMlp, 'order' | 'mean' | 'factor'>>;
}

/** Raised whenever the same model and images would give other observations: recipes share them. */
const RANKING_VERSION = 2;

/** How neurons are judged, and what makes up for those that go. */
type Judging = Pick<PruneOptions, 'importance' | 'compensation'>;

/**
 * What a ranking of neurons depends on besides the model: of it the store of observations knows one again, and whatever is made of one
 * must know it, too.
 *
 * @param options - how neurons are judged
 * @param calibration - the images
 */
export function rankedBy({ importance, compensation }: Judging, calibration: Calibration): object {
  return { ranking: RANKING_VERSION, importance, compensation, images: calibration.hash };
}

/** What is kept of a block besides the factor. */
interface Ranking extends Pick<OrderedMlp, 'order' | 'mean' | 'loss' | 'outputVariance'> {
  readonly neurons: number;
  /** By how much the norms behind the block magnify its error. */
  readonly magnified: number;
}

/**
 * Observes all blocks of a model as it is, in one pass over the calibration images: what narrowing each of them would cost, which is
 * the squared error added to the residual stream, as the LayerNorms behind the block see it, by channel. The stream grows through
 * depth (in DINOv2-S its variance by a hundred times and more): errors compared as they are would leave the first blocks hardly a
 * neuron and the last ones nearly all.
 *
 * @param vit - the model before pruning
 * @param context - the stage's context
 * @param options - how neurons are judged, and what makes up for them
 * @param calibration - the images
 * @param blas - float64 products
 * @param done - what of the stage's progress this is
 */
export async function rankBlocks(
  vit: ViT,
  context: StageContext,
  options: Judging,
  calibration: Calibration<'calibration'>,
  blas: Blas,
  done: number,
): Promise<readonly RankedBlock[]> {
  const { importance, compensation } = options;
  const shared = { ...context, checkpoints: await context.observations(rankedBy(options, calibration)) };
  const { values, aside } = await walkBlocks<Ranking>(shared, vit, {
    name: 'costs',
    images: calibration,
    progress: [0, done],
    what: 'loss of ',
    async visit(_, stream, layer) {
      const weights =
        layer + 1 === layerCount(vit.config) ? headWeights(vit.config, stream.batchSize) : undefined;
      const gain = normGainTap(vit.config.layerNormEpsilon, weights);
      const mlp = await observeMlp(context, stream, vit, layer, 'advance', importance, [gain], weights);
      const scores = await importanceOf(importance, mlp, blas);
      const { factor, ...ranking } = await orderMlp(mlp, scores, compensation, blas);
      const magnified = gain.result() / vit.config.hiddenSize;
      return {
        vit,
        value: { ...ranking, neurons: mlp.neurons, magnified },
        ...(factor && { aside: new Map([[factorName(layer), packed(factor, mlp.neurons)]]) }),
      };
    },
  });
  return values.map(({ neurons, loss, magnified, outputVariance, order, mean }, layer) => ({
    neurons,
    loss: loss.map((error) => error * magnified),
    // An MLP that gives the same whatever it reads loses nothing.
    share: loss.map((error) => error / (outputVariance || 1)),
    async ordered() {
      const kept = aside.get(factorName(layer));
      return { order, mean, factor: kept && (await unpacked(kept, neurons)) };
    },
  }));
}

/**
 * A model with narrower MLPs, each compensated by what was observed in the model as it was.
 *
 * @param vit - the model that was observed
 * @param blocks - what was observed
 * @param widths - one for each block
 * @param blas - float64 products
 */
export async function narrowedTo(
  vit: ViT,
  blocks: readonly RankedBlock[],
  widths: readonly number[],
  blas: Blas,
): Promise<ViT> {
  let current = vit;
  for (const [layer, block] of blocks.entries()) {
    const width = defined(widths[layer], `the width of block ${layer}`);
    if (width === block.neurons) continue;
    const narrow = await narrowed(await mlpOf(vit, layer), await block.ordered(), width, blas);
    current = withMlp(current, layer, width, narrow);
  }
  return current;
}

const factorName = (layer: number): string => `factor.${layer}`;

/** The lower triangle of a matrix, row by row: float32 is enough, and a quarter of the memory. */
function packed(factor: Float64Array, n: number): TensorSource {
  const out = new Float32Array((n * (n + 1)) / 2);
  for (let i = 0, at = 0; i < n; at += ++i) out.set(factor.subarray(i * n, i * n + i + 1), at);
  return float32([out.length], out);
}

async function unpacked(kept: TensorSource, n: number): Promise<Float64Array> {
  const values = viewAs(await kept.read(), Float32Array);
  const out = new Float64Array(n * n);
  for (let i = 0, at = 0; i < n; at += ++i) out.set(values.subarray(at, at + i + 1), i * n);
  return out;
}
