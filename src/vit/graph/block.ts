import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { asMatrix, attention, binary, gelu, layerNormalization, reshape } from '../../onnx/ops.js';
import { leadingTokens, mergesOf, tokensAt } from '../config.js';
import type { LinearRole } from '../linears.js';
import type { ViT } from '../vit.js';
import { floatConstant } from './constants.js';
import { emitLinear, type QuantizedValues } from './linear.js';
import { emitMerge, emitSizeBias, type Tokens } from './merge.js';

/**
 * A value in a block: what a linear reads, before any quantisation (by the linear's name; q, k and v read the same), what
 * it gives (`fc1.output`), and the residual stream after attention (`attended`) and after the block (`residual`).
 */
export type BlockValueName = LinearRole | `${LinearRole}.output` | 'attended' | 'residual';

/** The values of a block that stages observe, `[batch·tokens, …]` each; behind attention there may be fewer tokens. */
export type BlockValues = Readonly<Record<BlockValueName, Value>>;

/**
 * Adds a LayerNorm with the constants of that name.
 *
 * @param x - `[rows, hidden]`
 */
export function emitNorm(g: GraphBuilder, vit: ViT, name: string, x: Value): Value {
  const scale = floatConstant(g, vit, `${name}.weight`);
  const shift = floatConstant(g, vit, `${name}.bias`);
  return layerNormalization(g, name, x, scale, shift, vit.config.layerNormEpsilon);
}

/**
 * Adds one transformer block: attention and MLP, each behind a LayerNorm and added to the residual stream.
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
  const { hiddenSize: hidden, heads } = vit.config;
  const at = `layers.${layer}`;
  const tokens = tokensAt(vit.config, layer);
  const sequence = [batch, tokens, hidden];
  const quantized: QuantizedValues = new Map();
  const linear = (role: LinearRole, x: Value): Value => emitLinear(g, vit, layer, role, x, quantized);
  const asSequence = (x: Value): Value => reshape(g, `${x.name}:sequence`, x, sequence);

  const norm1 = emitNorm(g, vit, `${at}.norm1`, before.residual);
  const [q, k, v] = [linear('q', norm1), linear('k', norm1), linear('v', norm1)];
  const bias = before.sizes && emitSizeBias(g, `${at}.size_bias`, before.sizes, tokens);
  const mixed = attention(g, `${at}.attention`, asSequence(q), asSequence(k), asSequence(v), heads, bias);
  const context = asMatrix(g, `${at}.context`, mixed);
  const o = linear('o', context);
  const attended = binary(g, 'Add', `${at}.residual1`, o, before.residual);
  const unmerged = { residual: attended, sizes: before.sizes };
  const merges = mergesOf(vit.config, layer);
  const { residual, sizes } =
    merges === 0
      ? unmerged
      : emitMerge(g, `${at}.merge`, unmerged, k, {
          tokens,
          merges,
          leading: leadingTokens(vit.config),
          hidden,
          heads,
        });

  const norm2 = emitNorm(g, vit, `${at}.norm2`, residual);
  const fc1 = linear('fc1', norm2);
  const activated = gelu(g, `${at}.gelu`, fc1);
  const fc2 = linear('fc2', activated);
  const after = binary(g, 'Add', `${at}.residual2`, fc2, residual);
  return {
    ...{ q: norm1, k: norm1, v: norm1, o: context, fc1: norm2, fc2: activated },
    ...{ 'q.output': q, 'k.output': k, 'v.output': v, 'o.output': o, 'fc1.output': fc1, 'fc2.output': fc2 },
    ...{ attended, residual: after, sizes },
  };
}
