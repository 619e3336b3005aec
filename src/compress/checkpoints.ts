import type { TensorSource } from '../onnx/tensor.js';
import type { BytePatches } from '../vit/byte-patches.js';
import type { ViTConfig } from '../vit/config.js';
import type { LinearForm, LinearName } from '../vit/linears.js';
import { withWeights, type ViT } from '../vit/vit.js';

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, TensorSource>;

/** A part of a stage's work. */
export interface Kept<T> {
  /** Anything that can be cloned, typed arrays included. */
  readonly value: T;
  readonly tensors: Tensors;
}

/**
 * Where a stage leaves what it has made so far, so that interrupted work goes on where it stopped, with the very same result.
 * What is kept there was made by the same version of the stages from the same model, recipe and images.
 */
export interface CheckpointStore {
  /**
   * What was kept under a name.
   *
   * @returns undefined where there is nothing, or not all of it
   */
  take<T>(name: string): Promise<Kept<T> | undefined>;
  /**
   * Keeps something under a name, in place of what was there.
   *
   * @returns the tensors as they are read from now on: from disk, where the store is on one
   */
  put(name: string, kept: Kept<unknown>): Promise<Tensors>;
  /** Removes what was kept under a name. */
  drop(name: string): Promise<void>;
}

/** A store that keeps nothing. */
export const noCheckpoints: CheckpointStore = {
  take: () => Promise.resolve(undefined),
  put: (_name, { tensors }) => Promise.resolve(tensors),
  drop: () => Promise.resolve(),
};

/** In what a model differs from the one it was made of, but for its tensors. */
export interface Changes {
  readonly config: ViTConfig;
  readonly forms: readonly (readonly [LinearName, LinearForm])[];
  readonly bytePatches: BytePatches | undefined;
}

/**
 * In what a model differs from the one it was made of.
 *
 * @param before - the one
 * @param after - the other; it shares the tensors that did not change
 */
export function changesOf(before: ViT, after: ViT): Kept<Changes> {
  return {
    value: {
      config: after.config,
      forms: [...after.forms].filter(([linear, form]) => before.forms.get(linear) !== form),
      bytePatches: after.bytePatches,
    },
    tensors: new Map([...after.weights].filter(([name, tensor]) => before.weights.get(name) !== tensor)),
  };
}

/**
 * The model that differs from another as was kept.
 *
 * @param vit - the model that the changes were made to
 * @param kept - the changes
 */
export function withChanges(vit: ViT, { value, tensors }: Kept<Changes>): ViT {
  const { config, bytePatches } = value;
  return withWeights({ ...vit, config, bytePatches }, tensors, value.forms);
}
