import type { OnnxNode } from '../../onnx/model.js';
import { viewAs } from '../../onnx/tensor.js';
import { outputOf } from './graph.js';
import { fixedTensor, type Searched } from './pieces.js';

/**
 * A graph in which cuts that leave everything as it is are views: exporters write them where they do not optimise, for `x[:, 0]` one along
 * the images.
 *
 * @param graph - the graph, and what a run of it showed
 */
export async function withoutWholeSlices(graph: Searched): Promise<Searched> {
  const views = new Map<OnnxNode, OnnxNode>();
  for (const node of graph.model.nodes)
    if (await isWhole(graph, node))
      views.set(node, { ...node, opType: 'Identity', inputs: node.inputs.slice(0, 1), attributes: {} });
  if (views.size === 0) return graph;
  const instead = (node: OnnxNode): OnnxNode => views.get(node) ?? node;
  return {
    ...graph,
    model: { ...graph.model, nodes: graph.model.nodes.map(instead) },
    producers: new Map([...graph.producers].map(([name, node]) => [name, instead(node)])),
  };
}

async function isWhole(graph: Searched, node: OnnxNode): Promise<boolean> {
  const [from = '', , , , steps = ''] = node.inputs;
  if (node.opType !== 'Slice' || node.domain !== '') return false;
  const [before, after] = [graph.shapes.get(from), graph.shapes.get(outputOf(graph, node))];
  if (before === undefined || before.join() !== after?.join()) return false;
  // Backwards it is as long.
  if (steps === '') return true;
  const given = fixedTensor(graph, steps);
  return given?.dtype === 'int64' && viewAs(await given.read(), BigInt64Array).every((step) => step === 1n);
}
