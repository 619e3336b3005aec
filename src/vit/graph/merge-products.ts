import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch, type Dim } from '../../onnx/dims.js';
import { compared, slice } from '../../onnx/index-ops.js';
import { asMatrix, binary, concat, matMul, reduce, reshape, transpose } from '../../onnx/ops.js';
import { float32 } from '../../onnx/tensor.js';
import { emitSimilarities, firstEven, firstTarget, sidesOf } from './matching.js';
import type { Merging, Tokens } from './merge.js';

/** What becomes of the tokens, in ones and zeros. */
interface Matrices {
  /** `[batch, even, targets]`: which odd token each even one would join. */
  readonly choice: Value;
  /** `[batch, even, 1]`: which even ones do. */
  readonly goes: Value;
  /** `[batch, even − merges, even]`: which even token is which of those that stay; undefined when none does. */
  readonly stays: Value | undefined;
  /** `[batch, tokens, 1]`: of the tokens' rows, none of them zero. */
  readonly norms: Value;
}

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
  const { tokens, prefix, hidden } = merging;
  const at = (what: string): string => `${name}:${what}`;
  const { choice, goes, stays, norms } = emitMatrices(g, name, before.residual, merging);
  const sequence = reshape(g, at('sequence'), before.residual, [batch, tokens, hidden]);
  const rows = sides('rows', sequence);
  // Of an unmerged stream: every norm over itself is one, for as many images as there are.
  const sizes = sides('counts', before.sizes ?? binary(g, 'Div', at('ones'), norms, norms));

  // What an even token that goes weighs in the odd one that it joins.
  const weights = binary(g, 'Mul', at('weights'), choice, binary(g, 'Mul', at('going'), goes, sizes.even));
  const joins = transpose(g, at('joins'), weights, [0, 2, 1]);
  const after = binary(g, 'Add', at('sizes:odd'), sizes.odd, sums(g, at('joined'), joins));
  const own = binary(g, 'Mul', at('own'), rows.odd, sizes.odd);
  const total = binary(g, 'Add', at('total'), own, matMul(g, at('joining'), joins, rows.even));
  const merged = binary(g, 'Div', at('merged'), total, after);
  const kept = (what: string, even: Value): Value[] => (stays ? [matMul(g, at(what), stays, even)] : []);
  const all = concat(g, at('tokens'), [...rows.before, ...kept('rows:kept', rows.even), merged], 1);
  return {
    residual: asMatrix(g, name, all),
    sizes: concat(g, at('sizes'), [...sizes.before, ...kept('sizes:kept', sizes.even), after], 1),
  };

  function sides(what: string, x: Value): { before: Value[]; even: Value; odd: Value } {
    return {
      before: prefix === 0 ? [] : [slice(g, at(`${what}:before`), x, 1, 0, prefix)],
      even: slice(g, at(`${what}:even`), x, 1, firstEven(prefix), tokens, 2),
      odd: slice(g, at(`${what}:odd`), x, 1, firstTarget(prefix), tokens, 2),
    };
  }
}

/** Bipartite soft matching, as `emitMatching` explains it. */
function emitMatrices(g: GraphBuilder, name: string, stream: Value, merging: Merging): Matrices {
  const { merges } = merging;
  const { even, targets } = sidesOf(merging);
  const at = (what: string): string => `${name}:${what}`;
  const numbers = (what: string, dims: readonly number[], values: readonly number[]): Value =>
    g.constant(at(what), float32(dims, values));
  const { similarities, norms } = emitSimilarities(g, name, stream, merging);
  const best = largest(g, at('best'), similarities);

  // The first of those that are as similar as the best.
  const wide: Dim[] = [batch, even, targets];
  const order = numbers(
    'order',
    [targets],
    Array.from({ length: targets }, (_, i) => targets - i),
  );
  const liked = binary(
    g,
    'Mul',
    at('liked'),
    compared(g, 'Equal', at('like'), similarities, best, wide),
    order,
  );
  const choice = compared(g, 'Equal', at('choice'), liked, largest(g, at('first'), liked), wide);

  // How many proposals are better, or as good and earlier: those go that are among the best.
  const square: Dim[] = [batch, even, even];
  const across = reshape(g, at('best:across'), best, [batch, 1, even]);
  const isBefore = Array.from({ length: even ** 2 }, (_, i) => (i % even < Math.floor(i / even) ? 1 : 0));
  const earlier = numbers('earlier', [even, even], isBefore);
  const tied = binary(g, 'Mul', at('tied'), compared(g, 'Equal', at('equal'), across, best, square), earlier);
  const better = compared(g, 'Greater', at('better'), across, best, square);
  const rank = sums(g, at('rank'), binary(g, 'Add', at('ahead'), better, tied));
  const goes = compared(g, 'Less', at('goes'), rank, numbers('taken', [], [merges]), rank.dims);
  return { choice, goes, stays: even === merges ? undefined : staying(), norms };

  function staying(): Value {
    const left = even - merges;
    const row = reshape(g, at('rank:across'), rank, [batch, 1, even]);
    const stays = compared(g, 'Greater', at('stays'), row, numbers('last', [], [merges - 1]), row.dims);
    const later = numbers(
      'later',
      [even, even],
      isBefore.map((_, i) => isBefore[(i % even) * even + Math.floor(i / even)]!),
    );
    const place = matMul(g, at('place'), stays, later);
    const places = numbers(
      'places',
      [left, 1],
      Array.from({ length: left }, (_, i) => i),
    );
    const here = compared(g, 'Equal', at('here'), place, places, [batch, left, even]);
    return binary(g, 'Mul', at('staying'), here, stays);
  }
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
