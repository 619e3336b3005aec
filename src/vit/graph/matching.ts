import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { dtypeCode } from '../../onnx/dtype.js';
import { gatherElements, int64Constant, slice, topK } from '../../onnx/index-ops.js';
import { binary, cast, gather, matMul, reshape, transpose } from '../../onnx/ops.js';
import { float32, scalar } from '../../onnx/tensor.js';
import type { Merging } from './merge.js';

/** Which tokens stay, which go, and where to. Indices are int64. */
export interface Matching {
  /** `[batch, tokens − merges, 1]`: the tokens that stay, as they follow each other: those before the patches, even ones, odd ones. */
  readonly kept: Value;
  /** `[batch, merges, 1]`: the tokens that go. */
  readonly gone: Value;
  /** `[batch, merges]`: the odd token that each is merged into, counted from 0 among those that can be. */
  readonly target: Value;
  /** How many odd tokens there are to merge into; they stay at the end. */
  readonly targets: number;
}

/** Keeps the cosine of a vector of zeros a number. */
const LEAST_NORM = 1e-12;

/**
 * Bipartite soft matching (ToMe, arXiv 2210.09461, section 3 and appendix D): of the patches, every
 * even one proposes to the odd one that is most like it; the `merges` best proposals are
 * taken. No two that go are compared with each other, so that everything is a few products and sorts of fixed shape.
 *
 * Tokens are compared by what is merged of them, their rows of the residual stream, and not by the keys of attention as in the paper:
 * docs/pruning.md has the errors of both.
 *
 * Index arithmetic is in float32, exact for this many tokens, because not every provider sorts integers.
 *
 * @param g - the graph
 * @param name - prefix of the nodes
 * @param rows - `[batch·tokens, hidden]`: what tokens are compared by
 * @param merging - sizes
 */
export function emitMatching(g: GraphBuilder, name: string, rows: Value, merging: Merging): Matching {
  const { tokens, merges, prefix } = merging;
  const { even, targets } = sidesOf(merging);
  const at = (what: string): string => `${name}:${what}`;
  const { similarities } = emitSimilarities(g, name, rows, merging);
  const best = topK(g, at('best'), similarities, 1, 2, { largest: true, sorted: true });
  const similarity = reshape(g, at('similarity'), best.values, [batch, even]);
  const choices = reshape(g, at('choices'), best.indices, [batch, even]);
  const { indices } = topK(g, at('order'), similarity, even, 1, { largest: true, sorted: true });

  const taken = slice(g, at('taken'), indices, 1, 0, merges);
  const target = gatherElements(g, at('target'), choices, taken, 1);
  const evenTokens = int64Constant(
    g,
    at('even'),
    [even],
    Array.from({ length: even }, (_, i) => firstEven(prefix) + 2 * i),
  );
  const gone = reshape(g, at('gone'), gather(g, at('gone:row'), evenTokens, taken, 0), [batch, merges, 1]);

  const left = tokens - merges;
  const fixed = Float32Array.from({ length: left }, (_, i) => {
    if (i < prefix) return i;
    const place = i - (left - targets);
    return place < 0 ? 0 : firstTarget(prefix) + 2 * place;
  });
  const others = g.constant(at('fixed'), float32([1, left], fixed));
  const kept = g.call('Add', [padded(), others], {
    name: at('kept:float'),
    dtype: 'float32',
    dims: [batch, left],
  });
  return {
    kept: reshape(g, at('kept'), cast(g, at('kept:row'), kept, 'int64', dtypeCode('int64')), [
      batch,
      left,
      1,
    ]),
    gone,
    target,
    targets,
  };

  /** The even tokens that stay, in order, with zeros where the others are. */
  function padded(): Value {
    const rest = even - merges;
    // With nothing left the zeros of one column do for all: it is broadcast.
    const from = rest === 0 ? 0 : merges;
    const picked = slice(g, at('rest'), indices, 1, from, rest === 0 ? 1 : even);
    const numbers = cast(
      g,
      at('rest:float'),
      gather(g, at('rest:row'), evenTokens, picked, 0),
      'float32',
      dtypeCode('float32'),
    );
    if (rest === 0) return binary(g, 'Sub', at('nothing'), numbers, numbers);
    const { values } = topK(g, at('in_order'), numbers, rest, 1, { largest: false, sorted: true });
    return g.call('Pad', [values, g.indices([0, prefix, 0, targets])], {
      name: at('padded'),
      dtype: 'float32',
      dims: [batch, left],
    });
  }
}

/** How many even tokens may go, and how many odd ones may be joined: patches alone. */
export function sidesOf({ tokens, prefix }: Merging): { readonly even: number; readonly targets: number } {
  return {
    even: Math.ceil((tokens - firstEven(prefix)) / 2),
    targets: Math.ceil((tokens - firstTarget(prefix)) / 2),
  };
}

/** The first even token that is a patch. */
export function firstEven(prefix: number): number {
  return prefix + (prefix % 2);
}

/** The first odd token that is a patch. */
export function firstTarget(prefix: number): number {
  return prefix + 1 - (prefix % 2);
}

/** How alike tokens are. */
export interface Similarities {
  /** `[batch, even, targets]`: the cosine of the rows of every even token that may go and of every odd one that may be joined. */
  readonly similarities: Value;
  /** `[batch, tokens, 1]`: the norms of the rows, none of them zero. */
  readonly norms: Value;
}

/**
 * Adds how alike the tokens are.
 *
 * @param g - the graph
 * @param name - prefix of the nodes
 * @param rows - `[batch·tokens, hidden]`: what they are compared by
 * @param merging - sizes
 */
export function emitSimilarities(
  g: GraphBuilder,
  name: string,
  rows: Value,
  { tokens, prefix, hidden }: Merging,
): Similarities {
  const at = (what: string): string => `${name}:${what}`;
  const metric = reshape(g, at('metric'), rows, [batch, tokens, hidden]);
  const norm = g.call('ReduceL2', [metric, g.indices([2])], {
    name: at('norm'),
    dtype: 'float32',
    dims: [batch, tokens, 1],
  });
  const least = g.constant('merge:least_norm', LEAST);
  const norms = binary(g, 'Max', at('norm:safe'), norm, least);
  const unit = binary(g, 'Div', at('unit'), metric, norms);
  const a = slice(g, at('a'), unit, 1, firstEven(prefix), tokens, 2);
  const b = slice(g, at('b'), unit, 1, firstTarget(prefix), tokens, 2);
  const similarities = matMul(g, at('similarities'), a, transpose(g, at('b:columns'), b, [0, 2, 1]));
  return { similarities, norms };
}

const LEAST = scalar(LEAST_NORM);
