/** The architecture of a plain Vision Transformer (Dosovitskiy et al., arXiv 2010.11929). */
export interface ViTConfig {
  /** Side of the square input image, in pixels. */
  readonly imageSize: number;
  /** Side of a square patch, in pixels; divides `imageSize`. */
  readonly patchSize: number;
  readonly channels: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  readonly heads: number;
  /** Hidden width of each block's MLP, first block first: pruning makes them differ. */
  readonly mlpSizes: readonly number[];
  readonly layerNormEpsilon: number;
  /** Class names in the order of the logits. */
  readonly labels: readonly string[];
}

/** How many transformer blocks there are. */
export function layerCount(config: ViTConfig): number {
  return config.mlpSizes.length;
}

/** How many patches an image is cut into. */
export function patchCount(config: ViTConfig): number {
  return (config.imageSize / config.patchSize) ** 2;
}

/** How many tokens run through the blocks: the patches and the class token. */
export function tokenCount(config: ViTConfig): number {
  return patchCount(config) + 1;
}
