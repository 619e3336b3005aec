import { nodeCosts, type NodeCost } from '../onnx/cost.js';
import { readModel } from '../onnx/file.js';
import type { OnnxModel } from '../onnx/model.js';
import type { NodeTime } from '../protocol/events.js';
import type { NodeWork, Precision } from '../store/node-work.js';
import type { ProfiledNode } from '../store/write.js';
import type { Artifact } from './artifacts/artifact.js';

/** Products that are computed in int8, whatever type the graph's values have. */
const INTEGER = new Set(['MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'QGemm', 'QLinearMatMul']);

/**
 * What the nodes of a profile compute and move, from the graph that was run.
 *
 * @param nodes - as the runtime's profiler saw them
 * @param artifact - whose model was run
 * @param batch - images in a query
 * @param microBatch - images that the model ran at once
 * @throws InputError when the file is no ONNX model
 */
export async function profiledNodes(
  nodes: readonly NodeTime[],
  { model, values, raw }: Pick<Artifact, 'model' | 'values' | 'raw'>,
  batch: number,
  microBatch: number,
): Promise<ProfiledNode[]> {
  if (nodes.length === 0) return [];
  // Of a file that is run as it is nobody knows the shapes within, and it may have what EdgeFlex does not read.
  if (raw) return nodes.map((time) => ({ time, work: undefined }));
  const graph = { ...(await readModel(model)), values };
  const [whole, rest] = [microBatch, batch % microBatch].map((images) => nodeCosts(graph, images)) as [
    Map<string, NodeCost>,
    Map<string, NodeCost>,
  ];
  const parts = Math.floor(batch / microBatch);
  const moved = movedQuantizers(graph);
  const bits = weightBits(graph);
  return nodes.map((time) => {
    const { opType } = time;
    const node = moved.get(time.node) ?? time.node;
    const cost = costOf(whole, node);
    if (cost === undefined) return { time, work: undefined };
    const last = batch % microBatch === 0 ? undefined : costOf(rest, node);
    return {
      time,
      work: workOf(opType, bits.get(node), cost, (part) => parts * part(cost) + (last ? part(last) : 0)),
    };
  });
}

/**
 * The runtime moves a QuantizeLinear ahead of the Reshapes that it reads through, and calls it after the value that it then reads:
 * `attention_q`.
 *
 * @returns the name of each QuantizeLinear in the graph, by the names that it may get
 */
function movedQuantizers({ nodes }: OnnxModel): Map<string, string> {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const makerOf = ([first]: readonly string[]) => (first === undefined ? undefined : makers.get(first));
  const names = new Map<string, string>();
  for (const { name, opType, inputs } of nodes) {
    if (opType !== 'QuantizeLinear') continue;
    let maker = makerOf(inputs);
    while (maker?.opType === 'Reshape') {
      const [read = ''] = maker.inputs;
      names.set(`${read}_q`, name);
      maker = makerOf(maker.inputs);
    }
  }
  return names;
}

/** Of the node, or of the one that the runtime has fused with others under a longer name: `scores/MatmulTransposeFusion/`. */
function costOf(costs: ReadonlyMap<string, NodeCost>, node: string): NodeCost | undefined {
  return costs.get(node) ?? costs.get(/^(.+)\/\w*Fusion\w*\/?$/.exec(node)?.[1] ?? '');
}

/** Bits of a weight of each MatMulNBits, by its name; 4 where the node does not say (ONNX Runtime, contrib operators). */
function weightBits({ nodes }: OnnxModel): Map<string, number> {
  const products = nodes.filter(({ opType }) => opType === 'MatMulNBits');
  return new Map(
    products.map(({ name, attributes: { bits } }) => [name, bits?.type === 'int' ? bits.value : 4]),
  );
}

function workOf(
  opType: string,
  bits: number | undefined,
  { product }: NodeCost,
  inQuery: (part: (cost: NodeCost) => number) => number,
): NodeWork {
  const bytes = inQuery((cost) => cost.bytes);
  if (product === undefined) return { bytes };
  const precision = precisionOf(opType, bits, product.dtype);
  if (precision === undefined) return { bytes };
  const multiplications = inQuery((cost) => cost.product?.multiplications ?? 0);
  return { product: { precision, shape: product.shape, multiplications }, bytes };
}

/** In what numbers an operator computes; undefined where no ceiling is measured in them. */
function precisionOf(opType: string, bits: number | undefined, dtype: string): Precision | undefined {
  if (INTEGER.has(opType)) return 'int8';
  if (opType === 'MatMulNBits') return bits === 8 ? 'w8' : bits === 4 ? 'w4' : undefined;
  return dtype === 'float32' || dtype === 'float16' ? dtype : undefined;
}
