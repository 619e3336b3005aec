import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { compared, gatherRows } from '../../onnx/index-ops.js';
import { asMatrix, binary, concat, matMul, reshape, unary } from '../../onnx/ops.js';
import { float32 } from '../../onnx/tensor.js';
import { emitMatching } from './matching.js';

/** The residual stream, and how many tokens of the image each of its tokens stands for. */
export interface Tokens {
  /** `[batch·tokens, hidden]`. */
  readonly residual: Value;
  /** `[batch, tokens, 1]`; undefined while every token stands for itself. */
  readonly sizes: Value | undefined;
}

/** What a block merges. */
export interface Merging {
  /** How many tokens reach the block. */
  readonly tokens: number;
  /** How many of them become part of others. */
  readonly merges: number;
  /** Tokens before the patches, which are never merged. */
  readonly prefix: number;
  readonly hidden: number;
}

/**
 * Merges the most similar tokens as ToMe does (arXiv 2210.09461), but any patch's token with any other: each one that goes is joined with an
 * earlier one, and a token is the mean over all patches that it stands for. What stays keeps its order.
 *
 * In matrices, a merged sequence is `diag(s / s') · kept + M · gone`, with s and s' the sizes before and after and M holding
 * `s / s'` of each token that goes, in the row of the one it goes to: a product with `merges` columns, where the whole merge
 * matrix would have `tokens`. `npm run bench -- token-merging` compares the two, and scattering.
 *
 * @param g - the graph
 * @param name - of the result, and prefix of the nodes
 * @param before - the stream
 * @param merging - how many
 */
export function emitMerge(
  g: GraphBuilder,
  name: string,
  before: Tokens,
  merging: Merging,
): Tokens & { readonly sizes: Value } {
  const { tokens, merges, hidden } = merging;
  const left = tokens - merges;
  const at = (what: string): string => `${name}:${what}`;
  const { kept, gone, into } = emitMatching(g, name, before.residual, merging);
  const sequence = reshape(g, at('sequence'), before.residual, [batch, tokens, hidden]);
  const sizes = before.sizes ?? ones(g, at('ones'), sequence, tokens);

  const matrix = compared(
    g,
    'Equal',
    at('matrix'),
    reshape(g, at('into:row'), into, [batch, 1, merges]),
    kept,
    [batch, left, merges],
  );
  const keptSizes = gatherRows(g, at('kept_sizes'), sizes, kept);
  const goneSizes = gatherRows(g, at('gone_sizes'), sizes, gone);
  const joined = matMul(g, at('joined_sizes'), matrix, goneSizes);
  const after = binary(g, 'Add', at('sizes'), keptSizes, joined);

  const share = binary(g, 'Div', at('share'), keptSizes, after);
  const staying = binary(g, 'Mul', at('staying'), gatherRows(g, at('kept_rows'), sequence, kept), share);
  const weighted = binary(
    g,
    'Mul',
    at('weighted'),
    gatherRows(g, at('gone_rows'), sequence, gone),
    goneSizes,
  );
  const joining = matMul(g, at('joining'), binary(g, 'Div', at('shares'), matrix, after), weighted);
  const merged = binary(g, 'Add', at('merged'), staying, joining);
  return { residual: asMatrix(g, name, merged), sizes: after };
}

/**
 * What proportional attention adds to the scores of a token that stands for s patches, the logarithm of s: it then weighs as
 * much as if all of them were there (ToMe, eq. 1).
 *
 * As the bias of ONNX's Attention: ONNX Runtime 1.30's CPU kernel keeps the scores anyway and starts from the bias instead of
 * zeros, so that it takes no longer. A further column of q and k, which would do without a bias, is not faster
 * (`npm run bench -- token-merging`).
 *
 * @param g - the graph
 * @param name - of the result, and prefix of the nodes
 * @param sizes - `[batch, tokens, 1]`
 * @param tokens - how many
 * @param asking - how many of them attention gives new values
 * @returns `[batch, 1, asking, tokens]`, all rows alike: the kernel does not broadcast them itself
 */
export function emitSizeBias(
  g: GraphBuilder,
  name: string,
  sizes: Value,
  tokens: number,
  asking: number,
): Value {
  const row = reshape(g, `${name}:row`, unary(g, 'Log', `${name}:log`, sizes), [batch, 1, 1, tokens]);
  const column = g.constant(`${name}:zeros`, float32([1, 1, asking, 1], new Float32Array(asking)));
  return g.call('Add', [row, column], { name, dtype: 'float32', dims: [batch, 1, asking, tokens] });
}

/** One for each token of each image. */
function ones(g: GraphBuilder, name: string, sequence: Value, tokens: number): Value {
  const batchSize = g.call(
    'Shape',
    [sequence],
    { name: `${name}:batch`, dtype: 'int64', dims: [1] },
    { attributes: { start: { type: 'int', value: 0 }, end: { type: 'int', value: 1 } } },
  );
  const shape = concat(g, `${name}:shape`, [batchSize, g.indices([tokens, 1])], 0);
  const one = g.constant(`${name}:one`, float32([1], [1]));
  return g.call('Expand', [one, shape], { name, dtype: 'float32', dims: [batch, tokens, 1] });
}
