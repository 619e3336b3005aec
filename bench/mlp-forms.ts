import type { OnnxModel, OnnxNode } from '../src/onnx/model.js';

/**
 * A graph whose MLPs take their rows in pieces, one after the other, so that the hidden layer is never there as a whole. What
 * that costs: the rows are copied once when they are split and once when they are joined.
 *
 * @param graph - as `buildGraph` gives it
 * @param pieces - how many; rows that do not divide leave the last piece shorter
 */
export function withChunkedMlps(graph: OnnxModel, pieces: number): OnnxModel {
  const nodes: OnnxNode[] = [];
  for (const node of graph.nodes) {
    const layer = layerOf(node.name);
    if (layer === undefined) {
      nodes.push(node);
      continue;
    }
    if (node.outputs[0] !== `${layer}fc2`) continue;
    // The last node of an MLP: all of it stands here, once for each piece.
    const whole = `${layer}norm2`;
    const own = graph.nodes.filter(({ name }) => layerOf(name) === layer);
    const within = new Set([whole, ...own.flatMap(({ outputs }) => outputs)]);
    const piece = (value: string, index: number): string => (within.has(value) ? `${value}#${index}` : value);
    const indices = Array.from({ length: pieces }, (_, index) => index);
    nodes.push(
      operator(
        'Split',
        [whole],
        indices.map((index) => piece(whole, index)),
        { num_outputs: pieces, axis: 0 },
      ),
      ...indices.flatMap((index) =>
        own.map((one) => ({
          ...one,
          name: piece(one.outputs[0]!, index),
          inputs: one.inputs.map((input) => piece(input, index)),
          outputs: one.outputs.map((output) => piece(output, index)),
        })),
      ),
      operator(
        'Concat',
        indices.map((index) => piece(`${layer}fc2`, index)),
        [`${layer}fc2`],
        { axis: 0 },
      ),
    );
  }
  return { ...graph, nodes };
}

/**
 * A graph whose first MLP linear leaves its bias to the activation, in ONNX Runtime's BiasGelu: what its own optimiser makes of
 * models in which the bias is an operator by itself.
 *
 * @param graph - as `buildGraph` gives it
 */
export function withBiasGelu(graph: OnnxModel): OnnxModel {
  const nodes = graph.nodes.map((node): OnnxNode => {
    const layer = layerOf(node.name);
    const bias = `${layer}fc1.bias`;
    if (node.outputs[0] === `${layer}fc1`)
      return { ...node, inputs: node.inputs.filter((input) => input !== bias) };
    if (node.outputs[0] !== `${layer}gelu`) return node;
    return {
      ...node,
      opType: 'BiasGelu',
      domain: 'com.microsoft',
      inputs: [...node.inputs, bias],
      attributes: {},
    };
  });
  return { ...graph, nodes };
}

/** `layers.3.` for a node of that layer's MLP. */
function layerOf(node: string): string | undefined {
  return /^layers\.\d+\.(?=fc1|gelu|fc2)/.exec(node)?.[0];
}

function operator(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  integers: Readonly<Record<string, number>>,
): OnnxNode {
  const attributes = Object.fromEntries(
    Object.entries(integers).map(([name, value]) => [name, { type: 'int', value } as const]),
  );
  return { name: `${opType}:${outputs[0]!}`, opType, domain: '', inputs, outputs, attributes };
}
