import { elementCount, float32, type TensorSource } from '../onnx/tensor.js';
import type { BytePatches } from './byte-patches.js';
import {
  attentionWidth,
  featureWidth,
  headWidth,
  layerCount,
  neuronsOf,
  patchCount,
  patchValues,
  pooledWidth,
  poolsByAttention,
  prefixOf,
  relativeDistances,
  tokenCount,
  type ViTConfig,
} from './config.js';
import { linearNames, linearRoles, linearWidths, type LinearForm, type LinearName } from './linears.js';

/**
 * A Vision Transformer: architecture, weights and the form each linear has. Immutable: a compression stage makes
 * a new one that shares the tensors it did not change.
 *
 * Weights (`[outputs, inputs]` for matrices, as PyTorch stores them):
 * `patch.weight` `[hidden, channels·patch height·patch width]`, `patch.bias`, `cls` `[hidden]`, `positions` `[tokens, hidden]`,
 * `layers.N.norm1.{weight,bias}`, `layers.N.{q,k,v,o,fc1,fc2}.{weight,bias}`, `layers.N.norm2.{weight,bias}`,
 * `norm.{weight,bias}`, `head.{weight,bias}`. What the configuration asks for besides: `distillation` `[hidden]`, `registers`
 * `[registers, hidden]`, `first_norm.{weight,bias}`, `layers.N.{q,k}_norm.{weight,bias}` `[head size]`, `layers.N.distances`
 * `[heads, distances]`, `layers.N.attention_norm.{weight,bias}`, `layers.N.mlp_norm.{weight,bias}`; the angles by which the first half of a
 * head's channels is turned into the second, `rotary` `[patches, head size / 2]` or `layers.N.rotary` `[heads, patches, head size / 2]`; pooling by attention has `pool.scores` `[pool heads, hidden]` (its query times the projection of the keys, scaled),
 * `pool.{v,o,fc1,fc2}.{weight,bias}` and `pool.norm.{weight,bias}`; a projection of what was pooled has `projection.weight` `[projection, pooled]`.
 * `head.weight` is as wide as the features: the class token's columns, then the distillation token's or those of
 * the mean. With SwiGLU, fc1's first half are the gates. A backbone without a head has no labels.
 */
export interface ViT {
  readonly config: ViTConfig;
  readonly weights: ReadonlyMap<string, TensorSource>;
  /** Linears that are not plain float. */
  readonly forms: ReadonlyMap<LinearName, LinearForm>;
  /** How the embedding reads its patches as bytes; undefined where it multiplies pixels by a float weight. */
  readonly bytePatches?: BytePatches | undefined;
}

/**
 * The tensor of a name.
 *
 * @throws Error when the model has no such tensor (a fault of the program: loaders check completeness)
 */
export function weightOf(vit: ViT, name: string): TensorSource {
  const tensor = vit.weights.get(name);
  if (tensor === undefined) throw new Error(`the model has no tensor ${name}`);
  return tensor;
}

/** The form of a linear; `float` unless a stage changed it. */
export function formOf(vit: ViT, linear: LinearName): LinearForm {
  return vit.forms.get(linear) ?? { kind: 'float' };
}

/**
 * A model with some tensors and forms replaced.
 *
 * @param weights - new tensors by name
 * @param forms - new forms by linear
 */
export function withWeights(
  vit: ViT,
  weights: Iterable<readonly [string, TensorSource]>,
  forms: Iterable<readonly [LinearName, LinearForm]> = [],
): ViT {
  return {
    ...vit,
    weights: new Map([...vit.weights, ...weights]),
    forms: new Map([...vit.forms, ...forms]),
  };
}

/**
 * A model without its head: what it gives are features.
 *
 * @param vit - the model
 */
export function withoutHead(vit: ViT): ViT {
  const config = { ...vit.config, labels: [] };
  return withWeights({ ...vit, config }, [
    ['head.weight', float32([0, featureWidth(config)], [])],
    ['head.bias', float32([0], [])],
  ]);
}

/**
 * The shape of every tensor that a float model of this architecture has, by name.
 *
 * @param config - the architecture
 */
export function weightShapes(config: ViTConfig): Map<string, readonly number[]> {
  const { hiddenSize, labels } = config;
  const shapes = new Map<string, readonly number[]>([
    ['patch.weight', [hiddenSize, patchValues(config)]],
    ['patch.bias', [hiddenSize]],
  ]);
  for (const { name, count } of prefixOf(config))
    shapes.set(name, name === 'registers' ? [count, hiddenSize] : [hiddenSize]);
  if (config.positions !== false) shapes.set('positions', [tokenCount(config), hiddenSize]);
  const norm = (name: string, width = hiddenSize): void => {
    shapes.set(`${name}.weight`, [width]).set(`${name}.bias`, [width]);
  };
  if (config.firstNorm) norm('first_norm');
  if (config.rotary === 'shared') shapes.set('rotary', [patchCount(config), headWidth(config) / 2]);
  for (let layer = 0; layer < layerCount(config); layer++) {
    norm(`layers.${layer}.norm1`);
    norm(`layers.${layer}.norm2`);
    if (config.queryKeyNorms)
      for (const role of ['q', 'k']) norm(`layers.${layer}.${role}_norm`, headWidth(config));
    if (config.attentionNorm) norm(`layers.${layer}.attention_norm`, attentionWidth(config));
    if (config.mlpNorm) norm(`layers.${layer}.mlp_norm`, neuronsOf(config, layer));
    if (config.rotary === 'per-head')
      shapes.set(`layers.${layer}.rotary`, [config.heads, patchCount(config), headWidth(config) / 2]);
    if (config.relativePositions)
      shapes.set(`layers.${layer}.distances`, [config.heads, relativeDistances(config)]);
    for (const role of linearRoles) {
      const [inputs, outputs] = linearWidths(config, layer, role);
      shapes.set(`layers.${layer}.${role}.weight`, [outputs, inputs]);
      shapes.set(`layers.${layer}.${role}.bias`, [outputs]);
    }
  }
  if (config.lastNorm !== 'none') norm('norm');
  if (poolsByAttention(config)) {
    const { heads, poolHeads = heads, poolSize = 0 } = config;
    shapes.set('pool.scores', [poolHeads, hiddenSize]);
    for (const [layer, outputs, inputs] of [
      ['v', hiddenSize, hiddenSize],
      ['o', hiddenSize, hiddenSize],
      ['fc1', poolSize, hiddenSize],
      ['fc2', hiddenSize, poolSize],
    ] as const)
      shapes.set(`pool.${layer}.weight`, [outputs, inputs]).set(`pool.${layer}.bias`, [outputs]);
    norm('pool.norm');
  }
  if (config.projection !== undefined)
    shapes.set('projection.weight', [config.projection, pooledWidth(config)]);
  shapes.set('head.weight', [labels.length, featureWidth(config)]).set('head.bias', [labels.length]);
  return shapes;
}

/**
 * How many parameters an architecture has: weights and biases, whatever their number of bits. The scales and zero
 * points of quantised linears are not counted, nor are angles of rotary positions.
 */
export function parameterCount(config: ViTConfig): number {
  const learned = [...weightShapes(config)].filter(([name]) => !/(^|\.)rotary$/.test(name));
  return learned.reduce((sum, [, dims]) => sum + elementCount(dims), 0);
}

/** How many of a model's linears have each kind of form. */
export function formCounts(vit: ViT): Record<LinearForm['kind'], number> {
  const counts = { float: 0, int8: 0, qdq: 0, dynamic: 0, blockwise: 0 };
  for (const linear of linearNames(vit.config)) counts[formOf(vit, linear).kind] += 1;
  return counts;
}
