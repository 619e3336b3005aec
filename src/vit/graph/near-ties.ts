import { defined } from '../../base/defined.js';
import type { OnnxModel, OnnxNode, ValueInfo } from '../../onnx/model.js';

/** How the values are called by which tokens are matched (`emitProposals`). */
const SIMILARITIES = /:similarities$/;

/** A model that merges tokens, with an input for each block that does. */
export interface MovableModel {
  readonly model: OnnxModel;
  /** What is added to the similarities of tokens before they are compared, one input a block, in their order. */
  readonly moves: readonly Move[];
}

/** What may be added to the similarities of a block. */
export interface Move {
  /** Name of the input. */
  readonly name: string;
  /** Of one image: each token with each. */
  readonly dims: readonly number[];
}

/**
 * The graph of a model that merges tokens with the similarities of tokens as they are plus what is given of it: with small numbers it
 * decides otherwise where two choices are nearly as good, and computes the same besides.
 *
 * @param model - as `buildGraph` makes it, for any target
 * @param values - types and shapes of its intermediate values, which a file does not hold
 */
export function withMovableSimilarities(model: OnnxModel, values: readonly ValueInfo[]): MovableModel {
  const shapes = new Map(values.map((value) => [value.name, value]));
  const moves: Move[] = [];
  const inputs: ValueInfo[] = [];
  const nodes = model.nodes.flatMap((node): OnnxNode[] => {
    const [output = ''] = node.outputs;
    if (!SIMILARITIES.test(output)) return [node];
    const { dims } = defined(shapes.get(output), `the shape of ${output}`);
    const [name, still] = [`${output}:moved_by`, `${output}:still`];
    moves.push({ name, dims: dims.slice(1).map(Number) });
    inputs.push({ name, dtype: 'float32', dims });
    const move = { name: `${output}:move`, opType: 'Add', domain: '', attributes: {} };
    return [
      { ...node, outputs: [still] },
      { ...move, inputs: [still, name], outputs: [output] },
    ];
  });
  return { model: { ...model, inputs: [...model.inputs, ...inputs], nodes }, moves };
}
