import type { TensorSource } from '../../onnx/tensor.js';
import { InputError } from '../../base/errors.js';
import type { ViTConfig } from '../config.js';
import { placeIn, type Scheme } from './scheme.js';

/** What a configuration beside a checkpoint says that tensors do not show. */
export interface Told {
  readonly heads?: number;
  /** Side of the square input. */
  readonly imageSize?: number;
  readonly layerNormEpsilon?: number;
  /** Class names in the order of the logits. */
  readonly labels?: readonly string[];
}

/** An architecture that was read off a checkpoint's tensors. */
export interface InferredArchitecture {
  readonly config: ViTConfig;
  /** What was assumed, because nothing says it. */
  readonly notes: readonly string[];
}

/** Widths whose heads are not 64 wide, by who defined them: ViT-Huge, ViT-giant, ViT-gigantic, SoViT-400M. */
const WIDE_HEADS: Readonly<Record<number, number>> = { 1280: 16, 1408: 16, 1664: 16, 1152: 16 };

/**
 * Reads a model's architecture off the shapes of its tensors.
 *
 * @param source - the file, for messages
 * @param tensors - the checkpoint
 * @param scheme - how it names them
 * @param told - what is known besides
 * @param classes - rows of the classifier; 0 where there is none
 * @throws InputError when a tensor is missing or the shapes are those of no ViT
 */
export function inferArchitecture(
  source: string,
  tensors: ReadonlyMap<string, TensorSource>,
  scheme: Scheme,
  told: Told,
  classes: number,
): InferredArchitecture {
  const refuse = (tensor: string, found: string, expected: string): InputError =>
    new InputError({ source, place: `tensor ${tensor}`, found, expected });
  const dimsOf = (tensor: string, rank: number): readonly number[] => {
    const dims = tensors.get(tensor)?.dims;
    if (dims?.length === rank && dims.every((dim) => dim > 0)) return dims;
    throw refuse(
      tensor,
      dims ? `shape [${dims.join(', ')}]` : 'nothing',
      `a tensor of ${rank} dimensions, none of them 0`,
    );
  };
  const patchWeight = placeIn(scheme.fixed, 'patch.weight').tensor;
  const patch = dimsOf(patchWeight, 4);
  const [hiddenSize, channels, patchSize] = patch as [number, number, number];
  if (patch[3] !== patchSize) throw refuse(patchWeight, `shape [${patch.join(', ')}]`, 'square patches');
  const mlpSizes: number[] = [];
  for (let layer = 0; tensors.has(placeIn(scheme.block(layer), 'norm1.weight').tensor); layer++) {
    const [neurons = 0] = dimsOf(placeIn(scheme.block(layer), 'fc1.weight').tensor, 2);
    mlpSizes.push(neurons);
  }
  const distillation = scheme.fixed['distillation']?.tensor;
  const distilled = distillation !== undefined && tensors.has(distillation);
  const positions = placeIn(scheme.fixed, 'positions').tensor;
  const [, count = 0] = dimsOf(positions, 3);
  const leading = distilled ? 2 : 1;
  // timm has models whose positions are those of the patches alone (no_embed_class).
  const patches = scheme.name === 'timm' && Number.isInteger(Math.sqrt(count)) ? count : count - leading;
  const side = Math.round(Math.sqrt(patches));
  if (side ** 2 !== patches || side === 0)
    throw refuse(
      positions,
      `${count} positions`,
      `a square number of patches and ${distilled ? 'two tokens' : 'the class token'} before them`,
    );
  if (told.imageSize !== undefined && told.imageSize !== side * patchSize)
    throw refuse(
      positions,
      `${count} positions, which are those of images of ${side * patchSize} pixels`,
      `those of ${told.imageSize} pixels, as config.json says`,
    );
  const heads = told.heads ?? WIDE_HEADS[hiddenSize] ?? hiddenSize / 64;
  if (!Number.isInteger(heads) || heads < 1 || hiddenSize % heads !== 0)
    throw new InputError({
      source,
      place: 'number of attention heads',
      found:
        told.heads === undefined ? `nothing that says it, and a width of ${hiddenSize}` : String(told.heads),
      expected: 'a divisor of the width',
      hint: 'Put a config.json with "num_attention_heads" beside the weights.',
    });
  const labels = told.labels ?? Array.from({ length: classes }, (_, index) => `class ${index}`);
  if (labels.length !== classes && classes > 0)
    throw new InputError({
      source,
      place: 'classifier',
      found: `${classes} classes`,
      expected: `the ${labels.length} that config.json says`,
    });
  const assumed =
    `${heads} attention heads of ${hiddenSize / heads} are assumed, as is usual for a width of ${hiddenSize}: tensors do not ` +
    'show it, and no config.json says it.';
  return {
    config: {
      ...{ imageSize: side * patchSize, patchSize, channels, hiddenSize, heads, mlpSizes, distilled },
      layerNormEpsilon: told.layerNormEpsilon ?? 1e-6,
      labels: classes === 0 ? [] : labels,
    },
    notes: told.heads === undefined ? [assumed] : [],
  };
}
