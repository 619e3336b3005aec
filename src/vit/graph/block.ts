import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { asMatrix, attention, binary, reshape } from '../../onnx/ops.js';
import {
  attentionWidth,
  layerCount,
  mergesOf,
  prefixTokens,
  queryKeyWidth,
  readsAllTokens,
  tokensAt,
  tokensRead,
} from '../config.js';
import type { LinearRole } from '../linears.js';
import type { ViT } from '../vit.js';
import { emitActivation } from './activation.js';
import { emitHeadsNorm } from './heads-norm.js';
import { emitLeading } from './leading.js';
import { emitLinear, type QuantizedValues } from './linear.js';
import { emitMerge, emitSizeBias, type Tokens } from './merge.js';
import { emitNorm, emitNormBefore, emitNormBehind } from './norm.js';
import { emitRelativePositions } from './relative.js';
import { emitRotary } from './rotary.js';

/**
 * A value in a block: what a linear reads, before any quantisation (by the linear's name; q, k and v read the same), what
 * it gives (`fc1.output`), and the residual stream after attention (`attended`) and after the block (`residual`).
 */
export type BlockValueName = LinearRole | `${LinearRole}.output` | 'attended' | 'residual';

/** The values of a block that stages observe, `[batch·tokens, …]` each; behind attention there may be fewer tokens. */
export type BlockValues = Readonly<Record<BlockValueName, Value>>;

/**
 * Adds one transformer block: attention and MLP, each behind a LayerNorm (or before it) and added to the residual stream.
 *
 * Matrices `[batch·tokens, …]` throughout, so that biases ride in the Gemm; only attention sees sequences. The sums are
 * plain Adds: ONNX Runtime 1.30's SkipLayerNormalization takes several times as long on a CPU as Add and
 * LayerNormalization (`npm run bench -- graph-forms` measures it), and its optimiser does not fuse them for matrices.
 *
 * Between the two, tokens are merged where the model says so.
 *
 * @param g - the graph
 * @param vit - the model
 * @param layer - which block
 * @param before - the stream that reaches it
 * @returns the block's values, and the sizes of the tokens that leave it
 */
export function emitBlock(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  before: Tokens,
): BlockValues & { readonly sizes: Value | undefined } {
  const tokens = tokensAt(vit.config, layer);
  const norm1 = emitNormBefore(g, vit, `layers.${layer}.norm1`, before.residual);
  const { attended, ...mixing } = emitMixing(g, vit, layer, norm1, {
    rows: tokens,
    norm1,
    residual: before.residual,
    sizes: before.sizes,
  });
  const unmerged = { residual: attended, sizes: before.sizes };
  const merges = mergesOf(vit.config, layer);
  const { residual, sizes } =
    merges === 0
      ? unmerged
      : emitMerge(g, `layers.${layer}.merge`, unmerged, {
          ...{ tokens, merges, prefix: prefixTokens(vit.config), hidden: vit.config.hiddenSize },
        });
  const { norm2, activated, fc1, fc2, after } = emitMlp(g, vit, layer, residual);
  return {
    ...{ q: norm1, k: norm1, v: norm1, o: mixing.context, fc1: norm2, fc2: activated },
    ...{ 'q.output': mixing.q, 'k.output': mixing.k, 'v.output': mixing.v, 'o.output': mixing.o },
    ...{ 'fc1.output': fc1, 'fc2.output': fc2 },
    ...{ attended, residual: after, sizes },
  };
}

/**
 * Adds the last block of a model, for the tokens that the head reads and no others: all tokens give keys and values, and where it
 * reads no mean, nothing else of them reaches the logits. Exact, and so what merging does behind the last attention is left out, too.
 *
 * @param g - the graph
 * @param vit - the model
 * @param before - the stream that reaches the block
 * @returns the residual stream of the tokens that the head reads
 */
export function emitLastBlock(g: GraphBuilder, vit: ViT, before: Tokens): Tokens {
  const layer = layerCount(vit.config) - 1;
  if (readsAllTokens(vit.config)) return emitBlock(g, vit, layer, before);
  const { residual, sizes } = before;
  const at = `layers.${layer}`;
  const tokens = tokensAt(vit.config, layer);
  const picked = (name: string, x: Value): Value => emitLeading(g, name, vit.config, x, tokens);
  const norm1 = emitNormBefore(g, vit, `${at}.norm1`, residual);
  const { attended } = emitMixing(g, vit, layer, norm1, {
    rows: tokensRead(vit.config),
    norm1: picked(`${at}.norm1:read`, norm1),
    residual: picked(`${at}:read`, residual),
    sizes,
  });
  return { residual: emitMlp(g, vit, layer, attended).after, sizes: undefined };
}

/** Tokens that attention gives new values: all of an image's, or the first of them. */
interface Asking {
  /** How many of an image. */
  readonly rows: number;
  /** `[batch·rows, hidden]` both. */
  readonly norm1: Value;
  readonly residual: Value;
  /** Of all tokens. */
  readonly sizes: Value | undefined;
}

/**
 * Attention, added to the residual stream of those that ask.
 *
 * @param all - `[batch·tokens, hidden]`: the norm of all tokens, which keys and values are made of
 */
function emitMixing(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  all: Value,
  asking: Asking,
): Record<'q' | 'k' | 'v' | 'context' | 'o' | 'attended', Value> {
  const { heads } = vit.config;
  const width = queryKeyWidth(vit.config, layer);
  const at = `layers.${layer}`;
  const tokens = tokensAt(vit.config, layer);
  const quantized: QuantizedValues = new Map();
  const linear = (role: LinearRole, x: Value): Value => emitLinear(g, vit, layer, role, x, quantized);
  const asSequence = (x: Value, rows: number, columns: number): Value =>
    reshape(g, `${x.name}:sequence`, x, [batch, rows, columns]);
  const [q, k, v] = [linear('q', asking.norm1), linear('k', all), linear('v', all)];
  const placed = (role: 'q' | 'k', x: Value, rows: number): Value =>
    emitRotary(g, vit, layer, role, emitHeadsNorm(g, vit, layer, role, x, rows), rows);
  const queries = placed('q', q, asking.rows);
  const keys = placed('k', k, tokens);
  const bias = asking.sizes
    ? emitSizeBias(g, `${at}.size_bias`, asking.sizes, tokens, asking.rows)
    : emitRelativePositions(g, vit, layer, asking.rows);
  const mixed = attention(
    g,
    `${at}.attention`,
    asSequence(queries, asking.rows, width),
    asSequence(keys, tokens, width),
    asSequence(v, tokens, attentionWidth(vit.config)),
    ...([heads, bias] as const),
  );
  const rows = asMatrix(g, `${at}.context`, mixed);
  const context = vit.config.attentionNorm ? emitNorm(g, vit, `${at}.attention_norm`, rows) : rows;
  const o = linear('o', context);
  const branch = emitNormBehind(g, vit, `${at}.norm1`, o);
  const attended = binary(g, 'Add', `${at}.residual1`, branch, asking.residual);
  return { q, k, v, context, o, attended };
}

/** The MLP, added to the residual stream. */
function emitMlp(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  residual: Value,
): Record<'norm2' | 'fc1' | 'activated' | 'fc2' | 'after', Value> {
  const at = `layers.${layer}`;
  const norm2 = emitNormBefore(g, vit, `${at}.norm2`, residual);
  const fc1 = emitLinear(g, vit, layer, 'fc1', norm2, new Map());
  const neurons = emitActivation(g, at, vit.config, fc1, 'cpu');
  const activated = vit.config.mlpNorm ? emitNorm(g, vit, `${at}.mlp_norm`, neurons) : neurons;
  const fc2 = emitLinear(g, vit, layer, 'fc2', activated, new Map());
  const branch = emitNormBehind(g, vit, `${at}.norm2`, fc2);
  return { norm2, fc1, activated, fc2, after: binary(g, 'Add', `${at}.residual2`, branch, residual) };
}
