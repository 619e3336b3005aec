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
  /** Tokens that each block merges into others after its attention, first block first; undefined merges none. */
  readonly merges?: readonly number[] | undefined;
  readonly layerNormEpsilon: number;
  /**
   * Whether a distillation token stands behind the class token, and the head reads both (Touvron et al., "Training
   * data-efficient image transformers", arXiv 2012.12877).
   */
  readonly distilled: boolean;
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

/** How many tokens an image becomes: the patches and those before them. */
export function tokenCount(config: ViTConfig): number {
  return patchCount(config) + leadingTokens(config);
}

/**
 * How many neurons the MLP of a block has.
 *
 * @throws RangeError when there is no such block
 */
export function neuronsOf({ mlpSizes }: ViTConfig, layer: number): number {
  const neurons = mlpSizes[layer];
  if (neurons === undefined) throw new RangeError(`there is no block ${layer} among ${mlpSizes.length}`);
  return neurons;
}

/** How many tokens a block merges into others. */
export function mergesOf(config: ViTConfig, layer: number): number {
  return config.merges?.[layer] ?? 0;
}

/**
 * How many tokens reach a block's attention; what its MLP sees is what reaches the next block.
 *
 * @param config - the architecture
 * @param layer - which block; the number of blocks for the head
 */
export function tokensAt(config: ViTConfig, layer: number): number {
  const merged = config.merges?.slice(0, layer) ?? [];
  return tokenCount(config) - merged.reduce((sum, count) => sum + count, 0);
}

/**
 * How many tokens stand before the patches, the class token and in a distilled model the distillation token: what the head reads,
 * and what therefore is never merged.
 */
export function leadingTokens(config: ViTConfig): number {
  return config.distilled ? 2 : 1;
}

/**
 * The most tokens that a block can merge: every second one behind those that the head reads, each into one that stays
 * (ToMe, arXiv 2210.09461, section 3).
 *
 * @param tokens - how many reach the block
 * @param leading - how many of them the head reads: one or two
 */
export function mostMerges(tokens: number, leading: number): number {
  return Math.max(0, Math.floor((tokens - leading) / 2));
}
