import { defined } from '../../base/defined.js';
import type { OnnxNode } from '../../onnx/model.js';
import type { TensorSource } from '../../onnx/tensor.js';
import type { Engine, Tensor } from '../../runtime/engine.js';
import { runForeign } from './evaluate.js';
import type { Searched } from './pieces.js';

/** A piece of a graph that can be run alone. */
export interface Piece {
  /** The values that go in. */
  readonly from: readonly string[];
  /** The value that comes out. */
  readonly to: string;
  /** The nodes on the way, in order. */
  readonly nodes: readonly OnnxNode[];
}

/**
 * Runs pieces of a graph side by side, each with inputs of its own.
 *
 * @param engine - the runtime
 * @param graph - the graph
 * @param pieces - of it
 * @param inputs - of each piece, in the order of what goes in
 * @returns what comes out of each
 */
export async function runPieces(
  engine: Engine,
  graph: Searched,
  pieces: readonly Piece[],
  inputs: readonly (readonly Tensor[])[],
): Promise<readonly Tensor[]> {
  const initializers = new Map<string, TensorSource>();
  const nodes: OnnxNode[] = [];
  const given: Record<string, Tensor> = {};
  for (const [index, { from, nodes: way }] of pieces.entries()) {
    const own = (name: string): string => (name === '' ? '' : `${index}:${name}`);
    for (const [at, name] of from.entries())
      given[own(name)] = defined(inputs[index]?.[at], `the value ${name}`);
    for (const node of way) {
      for (const input of node.inputs) {
        const fixed = graph.constants.get(input) ?? graph.values.get(input);
        if (fixed) initializers.set(own(input), fixed);
      }
      nodes.push({
        ...{ ...node, name: own(node.name === '' ? (node.outputs[0] ?? '') : node.name) },
        ...{ inputs: node.inputs.map(own), outputs: node.outputs.map(own) },
      });
    }
  }
  const ends = pieces.map(({ from, to }, index) => ({ name: `${index}:${to}`, moved: !from.includes(to) }));
  const moved = ends.filter((end) => end.moved).map(({ name }) => name);
  const results =
    moved.length === 0
      ? {}
      : await runForeign(
          engine,
          {
            ...{ ...graph.model, initializers, nodes, outputs: [], untypedOutputs: moved, values: [] },
            inputs: Object.entries(given).map(([name, { dims }]) => ({ name, dtype: 'float32', dims })),
          },
          given,
        );
  return ends.map(({ name }) => defined(results[name] ?? given[name], `the value ${name}`));
}
