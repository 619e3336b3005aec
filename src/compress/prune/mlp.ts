import { fc1Parts, type ViTConfig } from '../../vit/config.js';
import { withWeights, type ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { rowsOf, type BlockStream } from '../observe/blocks.js';
import { channelTap } from '../observe/channels.js';
import { momentsTap, type Moments } from '../observe/moments.js';
import type { Tap } from '../observe/taps.js';
import { floatEntry, floatsOf } from '../weights.js';
import type { Importance } from './options.js';

/** The weights of one block's MLP. */
export interface MlpWeights {
  readonly neurons: number;
  readonly hidden: number;
  /** Rows of FC1 for each neuron: 2 where the first half of the rows are gates (SwiGLU). */
  readonly parts: 1 | 2;
  /** `[parts·neurons, hidden]`. */
  readonly fc1: Float32Array;
  /** `[parts·neurons]`. */
  readonly fc1Bias: Float32Array;
  /** `[hidden, neurons]`. */
  readonly fc2: Float32Array;
  /** `[hidden]`. */
  readonly fc2Bias: Float32Array;
}

/** Whether a model's MLPs can be narrowed: not where a norm sees all neurons at once. */
export function canPrune({ mlpNorm = false }: ViTConfig): boolean {
  return !mlpNorm;
}

/** One block's MLP and what its hidden neurons give over the calibration images. */
export interface MlpObservation extends MlpWeights {
  /** Of what the neurons give to FC2. */
  readonly moments: Moments;
  /** E|x| of the neurons; undefined unless they are judged by it. */
  readonly meanAbs: Float64Array | undefined;
}

/**
 * Observes a block's MLP on the stream.
 *
 * @param context - the stage's context
 * @param stream - the calibration images before the block
 * @param vit - the model
 * @param layer - which block
 * @param how - whether the images stay before the block or move through it
 * @param importance - how the neurons will be judged: nothing is observed that it does not ask for
 * @param taps - what else to observe on the way
 * @param weights - how much each token of a batch counts, one on average; all alike unless given
 */
export async function observeMlp(
  context: StageContext,
  stream: BlockStream,
  vit: ViT,
  layer: number,
  how: 'observe' | 'advance',
  importance: Importance,
  taps: readonly Tap<unknown>[],
  weights?: Float32Array,
): Promise<MlpObservation> {
  const { rows, rowsPerBatch } = rowsOf(stream, vit.config, layer, 'fc2');
  const moments = momentsTap('fc2', rowsPerBatch, weights);
  const channels = importance === 'activation' ? channelTap('fc2', rows, rowsPerBatch) : undefined;
  context.throwIfStopped();
  await stream[how](vit, layer, [moments, ...(channels ? [channels] : []), ...taps]);
  return {
    ...(await mlpOf(vit, layer)),
    moments: moments.result(),
    meanAbs: channels?.result().meanAbs,
  };
}

/**
 * The weights of a block's MLP.
 *
 * @param vit - the model
 * @param layer - which block
 * @throws InputError when they are quantised, or not finite
 */
export async function mlpOf(vit: ViT, layer: number): Promise<MlpWeights> {
  const at = `layers.${layer}`;
  return {
    neurons: vit.config.mlpSizes[layer]!,
    hidden: vit.config.hiddenSize,
    parts: fc1Parts(vit.config),
    fc1: await floatsOf(vit, `${at}.fc1.weight`),
    fc1Bias: await floatsOf(vit, `${at}.fc1.bias`),
    fc2: await floatsOf(vit, `${at}.fc2.weight`),
    fc2Bias: await floatsOf(vit, `${at}.fc2.bias`),
  };
}

/** The weights of a narrower MLP. */
export interface NarrowMlp {
  readonly fc1: Float32Array;
  readonly fc1Bias: Float32Array;
  readonly fc2: Float64Array;
  readonly fc2Bias: Float64Array;
}

/**
 * A model with one block's MLP replaced by a narrower one.
 *
 * @param vit - the model
 * @param layer - which block
 * @param width - neurons of the new MLP
 * @param mlp - its weights
 */
export function withMlp(vit: ViT, layer: number, width: number, mlp: NarrowMlp): ViT {
  const { hiddenSize, mlpSizes } = vit.config;
  const config: ViTConfig = {
    ...vit.config,
    mlpSizes: mlpSizes.map((size, index) => (index === layer ? width : size)),
  };
  const at = `layers.${layer}`;
  return withWeights({ ...vit, config }, [
    floatEntry(vit, `${at}.fc1.weight`, [fc1Parts(config) * width, hiddenSize], mlp.fc1),
    floatEntry(vit, `${at}.fc1.bias`, [fc1Parts(config) * width], mlp.fc1Bias),
    floatEntry(vit, `${at}.fc2.weight`, [hiddenSize, width], mlp.fc2),
    floatEntry(vit, `${at}.fc2.bias`, [hiddenSize], mlp.fc2Bias),
  ]);
}
