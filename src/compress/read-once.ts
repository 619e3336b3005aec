import { byteLength, type TensorSource } from '../onnx/tensor.js';
import type { ViT } from '../vit/vit.js';

/** Weights that may stay in memory. */
const HELD_BYTES = 512 * 1024 ** 2;

/**
 * A model whose weights are read from their files, and computed where they are computed, when they are first asked for and not again:
 * stages read all of them dozens of times. A large model stays in its files.
 *
 * @param vit - the model
 * @param limit - bytes of weights that may stay in memory
 */
export function readOnce(vit: ViT, limit: number = HELD_BYTES): ViT {
  let bytes = 0;
  for (const tensor of vit.weights.values()) bytes += byteLength(tensor);
  if (bytes > limit) return vit;
  return { ...vit, weights: new Map([...vit.weights].map(([name, tensor]) => [name, held(tensor)])) };
}

function held(tensor: TensorSource): TensorSource {
  let reading: Promise<Uint8Array> | undefined;
  return {
    dtype: tensor.dtype,
    dims: tensor.dims,
    read: () => (reading ??= tensor.read()),
  };
}
