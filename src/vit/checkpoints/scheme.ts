import { defined } from '../../base/defined.js';
import type { TensorSource } from '../../onnx/tensor.js';

/** Where a tensor of EdgeFlex lies in a checkpoint. */
export interface Place {
  /** Its name there. */
  readonly tensor: string;
  /** Which part of its rows, where q, k and v (or two of them) lie in one tensor. */
  readonly part?: { readonly index: number; readonly of: 2 | 3 };
  /** A tensor whose rows come below its own. */
  readonly below?: string;
  /** Whether rows and columns are the other way round there. */
  readonly transposed?: true;
  /** A vector that multiplies the rows (LayerScale); it is folded in where the checkpoint has it. */
  readonly scale?: string;
  /** Whether all layers of its kind may do without it, which is to have zeros. */
  readonly optional?: true;
}

/** A tensor that changes what a model computes in a way that EdgeFlex has no form for. */
export interface Refused {
  readonly pattern: RegExp;
  /** What is expected instead. */
  readonly expected: string;
}

/** Tensors that are left out, and said to be. */
export interface Aside {
  readonly pattern: RegExp;
  /** What they are, in words. */
  readonly what: string;
}

/** How a library names the tensors of a ViT: one table. */
export interface Scheme {
  /** Whose names they are. */
  readonly name: SchemeName;
  /** EdgeFlex's names of the tensors outside the blocks, the head's left out, and where they lie. */
  readonly fixed: Readonly<Record<string, Place>>;
  /**
   * Where the tensors of a block lie, by EdgeFlex's name without `layers.N.`: `q.weight`.
   *
   * @param layer - which block
   */
  readonly block: (layer: number) => Readonly<Record<string, Place>>;
  /** Tensors that a model does without when it classifies: they are of use for training alone. */
  readonly harmless: readonly RegExp[];
  /** Tensors of what is no part of a classifier of images. */
  readonly aside: readonly Aside[];
  /** What the names of classifiers match, whatever their form. */
  readonly headLike: RegExp;
  /**
   * The classifiers, whose logits are averaged: the first reads the class token, a second the distillation token. The first
   * set that is all there counts.
   */
  readonly heads: readonly (readonly string[])[];
  readonly refused: readonly Refused[];
}

/** The naming schemes. */
export type SchemeName = 'Hugging Face' | 'timm' | 'torchvision' | 'open_clip';

/** Weight and bias of a layer. */
export function layerPlaces(
  ours: string,
  theirs: string,
  more: Omit<Place, 'tensor'> = {},
): [string, Place][] {
  return [
    [`${ours}.weight`, { tensor: `${theirs}.weight`, ...more }],
    [`${ours}.bias`, { tensor: `${theirs}.bias`, ...more }],
  ];
}

/**
 * Weight and bias of a linear, whose bias all blocks may do without.
 *
 * @param more - LayerScale, and the layer whose rows come below its own
 */
export function linearPlaces(
  ours: string,
  theirs: string,
  { below, ...more }: Pick<Place, 'scale' | 'below'> = {},
): [string, Place][] {
  const part = (ending: string): Place => ({
    tensor: `${theirs}.${ending}`,
    ...more,
    ...(below !== undefined && { below: `${below}.${ending}` }),
  });
  return [
    [`${ours}.weight`, part('weight')],
    [`${ours}.bias`, { ...part('bias'), optional: true }],
  ];
}

/**
 * How wide the projection of what was pooled is.
 *
 * @param scheme - how the tensors are named
 * @param tensors - of the checkpoint
 * @returns undefined where there is none
 */
export function projectionOf(
  { fixed }: Scheme,
  tensors: ReadonlyMap<string, TensorSource>,
): number | undefined {
  const place = fixed['projection.weight'];
  const dims = place && tensors.get(place.tensor)?.dims;
  return dims?.at(place?.transposed ? -1 : 0);
}

/**
 * Where a tensor of EdgeFlex lies.
 *
 * @param places - of a scheme: those outside the blocks, or those of a block
 * @param name - EdgeFlex's name of it
 * @throws Error when the scheme's table leaves it out
 */
export function placeIn(places: Readonly<Record<string, Place>>, name: string): Place {
  return defined(places[name], `the place of ${name} in a scheme`);
}
