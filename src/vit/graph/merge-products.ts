import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch, type Dim } from '../../onnx/dims.js';
import { compared } from '../../onnx/index-ops.js';
import { asMatrix, binary, matMul, reduce, reshape, transpose } from '../../onnx/ops.js';
import { float32 } from '../../onnx/tensor.js';
import type { Merging, Tokens } from './merge.js';
import { emitProposals, stepsToTheEnd } from './proposals.js';

/**
 * Merges the most similar tokens as `emitMerge` does, to the same order, in products and comparisons of floats alone: WebGPU's
 * provider neither sorts nor takes computed indices. On a CPU that takes longer (`npm run bench -- token-merging`).
 *
 * @param g - the graph
 * @param name - of the result, and prefix of the nodes
 * @param before - the stream
 * @param merging - how many
 */
export function emitMergeByProducts(
  g: GraphBuilder,
  name: string,
  before: Tokens,
  merging: Merging,
): Tokens & { readonly sizes: Value } {
  const { tokens, hidden } = merging;
  const at = (what: string): string => `${name}:${what}`;
  const { matrix, norms } = emitMatrix(g, name, before.residual, merging);
  const sequence = reshape(g, at('sequence'), before.residual, [batch, tokens, hidden]);
  // Of an unmerged stream: every norm over itself is one, for as many images as there are.
  const sizes = before.sizes ?? binary(g, 'Div', at('ones'), norms, norms);

  const across = reshape(g, at('sizes:across'), sizes, [batch, 1, tokens]);
  const weights = binary(g, 'Mul', at('weights'), matrix, across);
  const after = sums(g, at('sizes'), weights);
  const merged = binary(g, 'Div', at('merged'), matMul(g, at('joined'), weights, sequence), after);
  return { residual: asMatrix(g, name, merged), sizes: after };
}

/** Which tokens become part of which, in ones and zeros. */
interface Merged {
  /** `[batch, tokens − merges, tokens]`: of those that stay, in order, which they are made of. */
  readonly matrix: Value;
  /** `[batch, tokens, 1]`: of the tokens' rows, none of them zero. */
  readonly norms: Value;
}

/** Proposals, and where they lead, as `emitMatching` explains it. */
function emitMatrix(g: GraphBuilder, name: string, stream: Value, merging: Merging): Merged {
  const { tokens, merges } = merging;
  const left = tokens - merges;
  const at = (what: string): string => `${name}:${what}`;
  const numbers = (what: string, dims: readonly number[], values: readonly number[]): Value =>
    g.constant(at(what), float32(dims, values));
  const square: Dim[] = [batch, tokens, tokens];
  const pairs = [tokens, tokens];
  const { merits, others, norms, place } = emitProposals(g, name, stream, merging);
  const best = largest(g, at('best'), merits);

  // The first of those that are as good as the best.
  const order = numbers(
    'order',
    [tokens],
    Array.from({ length: tokens }, (_, i) => tokens - i),
  );
  const liked = binary(g, 'Mul', at('liked'), compared(g, 'Equal', at('like'), merits, best, square), order);
  const choice = compared(g, 'Equal', at('choice'), liked, largest(g, at('first'), liked), square);

  // How many proposals are better, or as good and earlier: those go that are among the best.
  const merit = binary(g, 'Sub', at('merit'), best, others);
  const across = reshape(g, at('merit:across'), merit, [batch, 1, tokens]);
  const earlier = compared(g, 'Less', at('before'), place.columns, place.rows, pairs);
  const equal = compared(g, 'Equal', at('equal'), across, merit, square);
  const better = compared(g, 'Greater', at('better'), across, merit, square);
  const rank = sums(
    g,
    at('rank'),
    binary(g, 'Add', at('worse'), better, binary(g, 'Mul', at('tied'), equal, earlier)),
  );
  const goes = compared(g, 'Less', at('goes'), rank, numbers('taken', [], [merges]), rank.dims);
  const stays = compared(g, 'Greater', at('stays'), rank, numbers('last', [], [merges - 1]), rank.dims);

  // Each row has its one where the token goes, or at itself: powers of that matrix lead to the ends of all chains.
  const same = compared(g, 'Equal', at('itself'), place.rows, place.columns, pairs);
  const staying = g.call('Mul', [stays, same], { name: at('staying'), dtype: 'float32', dims: square });
  let ends = binary(g, 'Add', at('ends:0'), binary(g, 'Mul', at('going'), choice, goes), staying);
  for (let step = 1; step <= stepsToTheEnd(merges); step++) ends = matMul(g, at(`ends:${step}`), ends, ends);

  // Those that stay, each in a row.
  const row = reshape(g, at('stays:across'), stays, [batch, 1, tokens]);
  const later = compared(g, 'Less', at('behind'), place.rows, place.columns, pairs);
  const here = compared(
    g,
    'Equal',
    at('here'),
    matMul(g, at('place'), row, later),
    numbers(
      'places',
      [left, 1],
      Array.from({ length: left }, (_, i) => i),
    ),
    [batch, left, tokens],
  );
  const picked = binary(g, 'Mul', at('picked'), here, row);
  return { matrix: matMul(g, at('matrix'), picked, transpose(g, at('ends:turned'), ends, [0, 2, 1])), norms };
}

/** The largest of each row: `[batch, rows, 1]`. */
function largest(g: GraphBuilder, name: string, x: Value): Value {
  return asColumn(g, name, reduce(g, 'ReduceMax', `${name}:row`, x, [2]));
}

/** The sum of each row: `[batch, rows, 1]`. */
function sums(g: GraphBuilder, name: string, x: Value): Value {
  return asColumn(g, name, reduce(g, 'ReduceSum', `${name}:row`, x, [2]));
}

function asColumn(g: GraphBuilder, name: string, row: Value): Value {
  return reshape(g, name, row, [...row.dims, 1]);
}
