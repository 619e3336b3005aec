import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch, type Dim } from '../../onnx/dims.js';
import { compared } from '../../onnx/index-ops.js';
import { binary, matMul, reduce, reshape, transpose, unary } from '../../onnx/ops.js';
import { float32, scalar } from '../../onnx/tensor.js';
import type { Merging } from './merge.js';

/** What each token would be merged into. Those before the patches, and the first patch, have none earlier, which is worse than all others. */
export interface Proposals {
  /** `[batch, tokens, tokens]`: how good it is to merge a token (row) into an earlier one (column), but for what is the same in a row. */
  readonly merits: Value;
  /** `[batch, tokens, 1]`: what is the same in a row, to be taken off before rows are compared. */
  readonly others: Value;
  /** `[batch, tokens, 1]`: the norms of all tokens' rows, none of them zero. */
  readonly norms: Value;
  /** The numbers of the tokens, `[tokens, 1]` and `[1, tokens]`. */
  readonly place: Places;
}

interface Places {
  readonly rows: Value;
  readonly columns: Value;
}

/** Keeps the cosine of a vector of zeros a number. */
const LEAST_NORM = scalar(1e-12);

/** Share of a token's largest similarity that is taken off all of its similarities. docs/pruning.md has the errors of others. */
const SHARE_OF_BEST = scalar(0.4);

const ZERO = scalar(0);

/** More than merits can differ by. */
const NEVER = -16;

/**
 * Adds how good it is to merge each patch's token into each earlier one: their cosine, less 0.4 times the largest cosine that either has to any
 * other. Two that are each other's most similar come first; one that is more like a third is left to that.
 *
 * Tokens are compared by what is merged of them, their rows of the residual stream, and not by the keys of attention as in ToMe
 * (arXiv 2210.09461): docs/pruning.md has the errors of both. Their norms are read off the products of all rows, which are
 * needed anyway: ONNX Runtime 1.30 takes more than half as long for ReduceL2 as for those products.
 *
 * @param g - the graph
 * @param name - prefix of the nodes
 * @param rows - `[batch·tokens, hidden]`: what tokens are compared by
 * @param merging - sizes
 */
export function emitProposals(
  g: GraphBuilder,
  name: string,
  rows: Value,
  { tokens, prefix, hidden }: Merging,
): Proposals {
  const at = (what: string): string => `${name}:${what}`;
  const column: Dim[] = [batch, tokens, 1];
  const row: Dim[] = [batch, 1, tokens];
  const metric = reshape(g, at('metric'), rows, [batch, tokens, hidden]);
  const products = matMul(g, at('products'), metric, transpose(g, at('metric:columns'), metric, [0, 2, 1]));
  const place = emitPlaces(g, name, tokens);
  const same = compared(g, 'Equal', at('same'), place.rows, place.columns, [tokens, tokens]);
  const squares = binary(g, 'Mul', at('squares'), products, same);
  const norm = unary(g, 'Sqrt', at('norm'), reduce(g, 'ReduceSum', at('norm:squared'), squares, [2]));
  const safe = binary(g, 'Max', at('norm:safe'), norm, g.constant('merge:least_norm', LEAST_NORM));
  const norms = reshape(g, at('norms'), safe, column);
  const scaled = binary(g, 'Div', at('scaled'), products, norms);
  const similarities = binary(
    g,
    'Div',
    at('similarities'),
    scaled,
    reshape(g, at('norms:across'), safe, row),
  );

  // Each pair once, so that it counts alike for both. The mask is zero or at most NEVER, and computed so that it is not stored.
  const vector = (what: string, dims: readonly number[], value: (place: number) => number): Value =>
    g.constant(
      at(what),
      float32(
        dims,
        Float32Array.from({ length: tokens }, (_, place) => value(place)),
      ),
    );
  const ahead = g.call(
    'Sub',
    [
      vector('ahead:rows', [tokens, 1], (place) => -NEVER * (place - 1)),
      vector('ahead:columns', [1, tokens], (place) => -NEVER * (place < prefix ? tokens : place)),
    ],
    { name: at('ahead'), dtype: 'float32', dims: [tokens, tokens] },
  );
  const mask = binary(g, 'Min', at('mask'), ahead, g.constant('merge:zero', ZERO));
  const pairs = binary(g, 'Add', at('pairs'), similarities, mask);
  const best = binary(
    g,
    'Max',
    at('best_like'),
    reduce(g, 'ReduceMax', at('best_like:earlier'), pairs, [2]),
    reduce(g, 'ReduceMax', at('best_like:later'), pairs, [1]),
  );
  const share = binary(g, 'Mul', at('share_of_best'), best, g.constant('merge:share_of_best', SHARE_OF_BEST));
  return {
    merits: binary(g, 'Sub', at('merits'), pairs, reshape(g, at('others:across'), share, row)),
    others: reshape(g, at('others'), share, column),
    norms,
    place,
  };
}

/** Numbers of the tokens, from 0. What is computed of them alone, a runtime computes once. */
function emitPlaces(g: GraphBuilder, name: string, tokens: number): Places {
  const places = Float32Array.from({ length: tokens }, (_, place) => place);
  return {
    rows: g.constant(`${name}:place:rows`, float32([tokens, 1], places)),
    columns: g.constant(`${name}:place:columns`, float32([1, tokens], places)),
  };
}

/** How often every token's target must be replaced by the target's own until it is one that stays: chains are no longer than `merges`. */
export function stepsToTheEnd(merges: number): number {
  return Math.ceil(Math.log2(merges));
}
