import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { dtypeCode } from '../../onnx/dtype.js';
import { gatherElements, slice, topK } from '../../onnx/index-ops.js';
import { binary, cast, reshape } from '../../onnx/ops.js';
import type { Merging } from './merge.js';
import { emitProposals, stepsToTheEnd } from './proposals.js';

/** Which tokens stay, which go, and where to. Indices are int64, of the tokens that reach the block. */
export interface Matching {
  /** `[batch, tokens − merges, 1]`: the tokens that stay, in order. */
  readonly kept: Value;
  /** `[batch, merges, 1]`: the tokens that go. */
  readonly gone: Value;
  /** `[batch, merges]`: the token that each becomes part of, which is one that stays. */
  readonly into: Value;
}

/**
 * Every patch's token proposes to be merged into the earlier one with which that is best (`emitProposals`); the `merges` best proposals are taken. Where
 * the one that is proposed to goes itself, both go where it goes: since all go to earlier ones, that ends, and
 * exactly `merges` go, so that everything is a few products and sorts of fixed shape.
 *
 * Index arithmetic is in float32, exact for this many tokens, because not every provider sorts integers.
 *
 * @param g - the graph
 * @param name - prefix of the nodes
 * @param rows - `[batch·tokens, hidden]`: what tokens are compared by
 * @param merging - sizes
 */
export function emitMatching(g: GraphBuilder, name: string, rows: Value, merging: Merging): Matching {
  const { tokens, merges } = merging;
  const left = tokens - merges;
  const at = (what: string): string => `${name}:${what}`;
  const { merits, others } = emitProposals(g, name, rows, merging);
  const best = topK(g, at('best'), merits, 1, 2, { largest: true, sorted: true });
  const merit = binary(g, 'Sub', at('merit:column'), best.values, others);
  const order = topK(g, at('order'), reshape(g, at('merit'), merit, [batch, tokens]), tokens, 1, {
    ...{ largest: true, sorted: true },
  });
  const taken = slice(g, at('taken'), order.indices, 1, 0, merges);
  const rest = slice(g, at('rest'), order.indices, 1, merges, tokens);

  // Those that stay are their own ends.
  const choices = reshape(g, at('choices'), best.indices, [batch, tokens]);
  let ends = g.call(
    'ScatterElements',
    [choices, rest, rest],
    { ...choices, name: at('ends:0') },
    { attributes: { axis: { type: 'int', value: 1 } } },
  );
  for (let step = 1; step <= stepsToTheEnd(merges); step++)
    ends = gatherElements(g, at(`ends:${step}`), ends, ends, 1);

  const numbers = cast(g, at('rest:float'), rest, 'float32', dtypeCode('float32'));
  const { values } = topK(g, at('in_order'), numbers, left, 1, { largest: false, sorted: true });
  const kept = cast(g, at('kept:row'), values, 'int64', dtypeCode('int64'));
  return {
    kept: reshape(g, at('kept'), kept, [batch, left, 1]),
    gone: reshape(g, at('gone'), taken, [batch, merges, 1]),
    into: gatherElements(g, at('into'), ends, taken, 1),
  };
}
