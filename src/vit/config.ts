import { area, divided, type Size } from '../base/size.js';

/** What stands between the two layers of an MLP. */
export type Activation =
  /** x · Φ(x), by the error function. */
  | 'gelu'
  /** GELU by its tanh approximation (Hendrycks & Gimpel, arXiv 1606.08415, section 2). */
  | 'gelu-tanh'
  /** x · σ(1.702 · x), as CLIP has it. */
  | 'quick-gelu'
  /** x · σ(x). */
  | 'silu'
  | 'relu'
  /** The first half of fc1's outputs through SiLU, times the second half (Shazeer, arXiv 2002.05202): fc1 is twice as wide as fc2. */
  | 'swiglu';

/** What the head reads of the tokens behind the last block. */
export type Pooling =
  /** The class token, and behind it the distillation token where there is one. */
  | 'class'
  /** The mean of the patches. */
  | 'patches'
  /** The mean of all tokens. */
  | 'tokens'
  /** The class token, and beside it the mean of the patches (DINOv2, arXiv 2304.07193). */
  | 'class-patches'
  /**
   * What attention gives of the patches for a query of its own, with an MLP behind it (SigLIP; Lee et al., "Set Transformer", arXiv
   * 1810.00825).
   */
  | 'patches-attention'
  /** The same of all tokens. */
  | 'tokens-attention';

/** Where the LayerNorm behind the last block stands: before pooling, behind it, or nowhere. */
export type LastNorm = 'tokens' | 'pooled' | 'none';

/**
 * The architecture of a Vision Transformer. What the first one (Dosovitskiy et al., arXiv 2010.11929) does not have is in fields of
 * their own, each of which may be left out.
 */
export interface ViTConfig {
  /** Sides of the input image, in pixels. */
  readonly imageSize: Size;
  /** Sides of a patch, in pixels; they divide those of the image. */
  readonly patchSize: Size;
  readonly channels: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  readonly heads: number;
  /** Width of an attention head; `hiddenSize / heads` unless given. */
  readonly headSize?: number | undefined;
  /**
   * Width of the queries and keys of a head in each block, first block first: pruning makes them narrower than the values, whose width is
   * that of a head. As wide as those unless given. Scores are divided by the square root of this width.
   */
  readonly queryKeySizes?: readonly number[] | undefined;
  /** Hidden width of each block's MLP, first block first: pruning makes them differ. */
  readonly mlpSizes: readonly number[];
  /** Exact GELU unless given. */
  readonly activation?: Activation | undefined;
  /** Tokens that each block merges into others after its attention, first block first; undefined merges none. */
  readonly merges?: readonly number[] | undefined;
  readonly layerNormEpsilon: number;
  /** Whether a class token stands before the patches; true unless given. */
  readonly classToken?: boolean | undefined;
  /**
   * Whether a distillation token stands behind the class token, and the head reads both (Touvron et al., "Training
   * data-efficient image transformers", arXiv 2012.12877).
   */
  readonly distilled: boolean;
  /** Tokens behind the class token that no head reads (Darcet et al., arXiv 2309.16588); none unless given. */
  readonly registers?: number | undefined;
  /** Whether a learned position is added to every token before the first block; true unless given. */
  readonly positions?: boolean | undefined;
  /**
   * Whether a learned number for each head and each distance between two patches is added to the scores of attention (BEiT, arXiv
   * 2106.08254); false unless given. With at most one token before the patches.
   */
  readonly relativePositions?: boolean | undefined;
  /**
   * Whether pairs of the queries' and keys' channels are rotated by angles that depend on where a patch lies (Su et al., arXiv
   * 2104.09864; in two dimensions EVA-02, arXiv 2303.11331): the same in all blocks and heads, or in each other ones (Heo et al., arXiv
   * 2403.13298). Tokens before the patches are not rotated. None unless given.
   */
  readonly rotary?: 'shared' | 'per-head' | undefined;
  /**
   * Whether the LayerNorms of a block norm what attention and MLP give, before it is added to the residual stream, and not what they are
   * given (Swin V2, arXiv 2111.09883, section 3.2); false unless given.
   */
  readonly resPostNorm?: boolean | undefined;
  /** Whether a LayerNorm stands before the first block (CLIP, arXiv 2103.00020); false unless given. */
  readonly firstNorm?: boolean | undefined;
  /** Whether the queries and keys of each head pass through LayerNorms (arXiv 2302.05442); false unless given. */
  readonly queryKeyNorms?: boolean | undefined;
  /** Whether what attention gives passes through a LayerNorm before its output projection (arXiv 2210.06423); false unless given. */
  readonly attentionNorm?: boolean | undefined;
  /** Whether what the MLP's neurons give passes through a LayerNorm before fc2 (arXiv 2110.09456); false unless given. */
  readonly mlpNorm?: boolean | undefined;
  /** `class` unless given. */
  readonly pooling?: Pooling | undefined;
  /** Width of the MLP behind pooling by attention. */
  readonly poolSize?: number | undefined;
  /** Heads of pooling by attention; as many as the blocks have unless given. */
  readonly poolHeads?: number | undefined;
  /** `tokens` unless given. */
  readonly lastNorm?: LastNorm | undefined;
  /**
   * Width of what a linear without bias makes of what was pooled, behind the last norm: where images and texts are compared (CLIP, arXiv
   * 2103.00020, figure 3). The classifier reads it then, and without one it is what the model gives. None unless given.
   */
  readonly projection?: number | undefined;
  /** Class names in the order of the logits. */
  readonly labels: readonly string[];
}

/** How many transformer blocks there are. */
export function layerCount(config: ViTConfig): number {
  return config.mlpSizes.length;
}

/** How many patches lie below each other, and how many beside each other. */
export function gridOf({ imageSize, patchSize }: Pick<ViTConfig, 'imageSize' | 'patchSize'>): Size {
  return divided(imageSize, patchSize);
}

/** How many patches an image is cut into: they are counted row by row. */
export function patchCount(config: ViTConfig): number {
  return area(gridOf(config));
}

/** How many numbers a patch has. */
export function patchValues({ channels, patchSize }: ViTConfig): number {
  return channels * area(patchSize);
}

/** Width of the values, and of what attention gives of them: of all heads side by side. */
export function attentionWidth({ hiddenSize, heads, headSize }: ViTConfig): number {
  return headSize === undefined ? hiddenSize : heads * headSize;
}

/** Width of the values of an attention head. */
export function headWidth(config: ViTConfig): number {
  return attentionWidth(config) / config.heads;
}

/** Width of a block's queries, and of its keys: of all heads side by side. */
export function queryKeyWidth(config: ViTConfig, layer: number): number {
  return config.heads * (config.queryKeySizes?.[layer] ?? headWidth(config));
}

/** How many outputs fc1 has for each of its neurons: a gate and a value with SwiGLU, and otherwise one. */
export function fc1Parts({ activation }: ViTConfig): 1 | 2 {
  return activation === 'swiglu' ? 2 : 1;
}

/** A tensor of tokens that stand before the patches. */
export interface PrefixTokens {
  /** Its name. */
  readonly name: 'cls' | 'distillation' | 'registers';
  readonly count: number;
}

/** The tokens that stand before the patches, as they follow each other. */
export function prefixOf({ classToken = true, distilled, registers = 0 }: ViTConfig): PrefixTokens[] {
  const all: PrefixTokens[] = [
    { name: 'cls', count: classToken ? 1 : 0 },
    { name: 'distillation', count: distilled ? 1 : 0 },
    { name: 'registers', count: registers },
  ];
  return all.filter(({ count }) => count > 0);
}

/** How many tokens stand before the patches. They are never merged. */
export function prefixTokens(config: ViTConfig): number {
  return prefixOf(config).reduce((sum, { count }) => sum + count, 0);
}

/** How many tokens an image becomes: the patches and those before them. */
export function tokenCount(config: ViTConfig): number {
  return patchCount(config) + prefixTokens(config);
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

/** Whether the head pools over tokens, so that the last block is computed for all of them. */
export function readsAllTokens({ pooling = 'class' }: ViTConfig): boolean {
  return pooling !== 'class';
}

/** Whether the head pools by attention. */
export function poolsByAttention({ pooling }: ViTConfig): boolean {
  return pooling === 'patches-attention' || pooling === 'tokens-attention';
}

/**
 * How many tokens the head reads behind the last block: the class token and the distillation token where it reads nothing else, and
 * otherwise all.
 */
export function tokensRead(config: ViTConfig): number {
  if (readsAllTokens(config)) return tokensAt(config, layerCount(config));
  return config.distilled ? 2 : 1;
}

/** Width of what the classifier reads: of what was pooled, or of its projection. */
export function featureWidth(config: ViTConfig): number {
  return config.projection ?? pooledWidth(config);
}

/** Width of what was pooled. */
export function pooledWidth(config: ViTConfig): number {
  const { pooling = 'class', hiddenSize, distilled } = config;
  if (pooling === 'class') return (distilled ? 2 : 1) * hiddenSize;
  return (pooling === 'class-patches' ? 2 : 1) * hiddenSize;
}

/**
 * How many numbers each head has for distances between patches: one for each way to go from one patch to another, and with a token before
 * them three for the ways from and to that token and of it to itself (BEiT).
 */
export function relativeDistances(config: ViTConfig): number {
  const { height, width } = gridOf(config);
  return (2 * height - 1) * (2 * width - 1) + (prefixTokens(config) > 0 ? 3 : 0);
}

/**
 * The most tokens that a block can merge: half of the patches, as in ToMe (arXiv 2210.09461, section 3).
 *
 * @param tokens - how many reach the block
 * @param prefix - how many of them stand before the patches
 */
export function mostMerges(tokens: number, prefix: number): number {
  return Math.max(0, Math.floor((tokens - prefix) / 2));
}
