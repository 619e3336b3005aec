import { defined } from '../base/defined.js';
import { sizeAt } from './dims.js';
import { bytesPerElement } from './dtype.js';
import type { OnnxModel, OnnxNode, ValueInfo } from './model.js';
import { byteLength } from './tensor.js';

/** What one node holds while it runs. */
export interface NodeMemory {
  readonly node: string;
  readonly opType: string;
  /** Bytes of the values it makes; 0 where it only gives one another shape. */
  readonly outputBytes: number;
  /** Bytes of all activations that are alive while it runs, its outputs and its scratch space included. */
  readonly liveBytes: number;
}

/** The activations of a model at one batch size. */
export interface ActivationMemory {
  readonly batch: number;
  readonly nodes: readonly NodeMemory[];
  readonly peakBytes: number;
  /** The node that runs when most is alive. */
  readonly peakNode: string;
}

/**
 * Operators whose result takes no room of its own: their input under another shape, or integers that the product which reads
 * them takes as they are (ONNX Runtime fuses the two).
 */
export const ALIASES = new Set([
  'Reshape',
  'Identity',
  'Squeeze',
  'Unsqueeze',
  'Flatten',
  'DequantizeLinear',
]);

/** Operators that ONNX Runtime lets write over an input of the same size that nobody needs any more. */
const IN_PLACE = new Set(['Add', 'Sub', 'Mul', 'Div']);

/**
 * Predicts the activations of a model, node by node, from shapes alone: each value lives from the node that makes it to
 * the last one that reads it, as in ONNX Runtime's sequential execution. Inputs belong to the caller and do not count.
 *
 * @param model - every intermediate value with type and shape, as the builder writes them
 * @param batch - batch size
 * @throws Error when a value's size is not known
 */
export function activationMemory(model: OnnxModel, batch: number): ActivationMemory {
  const sizes = new Map(
    [...model.values, ...model.outputs].map((info) => [info.name, valueBytes(info, batch)]),
  );
  const infos = new Map(
    [...model.inputs, ...model.values, ...model.outputs].map((info) => [info.name, info]),
  );
  const folded = constantNodes(model);
  const nodes = model.nodes.filter((node) => !folded.has(node));
  const lastReader = new Map<string, number>();
  const owner = new Map<string, string>();
  const ownerOf = (name: string): string => owner.get(name) ?? name;
  for (const [index, node] of nodes.entries()) {
    if (ALIASES.has(node.opType)) {
      const alias = defined(node.outputs[0], `the result of ${node.name}`);
      owner.set(alias, ownerOf(defined(node.inputs[0], `the input of ${node.name}`)));
    }
    for (const input of node.inputs) lastReader.set(ownerOf(input), index);
  }
  for (const { name } of model.outputs) lastReader.set(ownerOf(name), nodes.length);

  let live = 0;
  const held = new Map<string, number>();
  const reports: NodeMemory[] = [];
  for (const [index, node] of nodes.entries()) {
    const outputs = ALIASES.has(node.opType) ? [] : node.outputs.filter((name) => name !== '');
    let outputBytes = 0;
    for (const name of outputs) {
      const bytes = sizes.get(name);
      if (bytes === undefined) throw new Error(`the size of ${name} is not known`);
      const reused = IN_PLACE.has(node.opType)
        ? node.inputs
            .map(ownerOf)
            .find((input) => lastReader.get(input) === index && held.get(input) === bytes)
        : undefined;
      if (reused !== undefined) held.delete(reused);
      else live += bytes;
      held.set(name, bytes);
      outputBytes += bytes;
    }
    const liveBytes = live + scratchBytes(node, infos, batch);
    reports.push({ node: node.name, opType: node.opType, outputBytes, liveBytes });
    for (const [name, bytes] of [...held]) {
      if ((lastReader.get(name) ?? -1) > index) continue;
      held.delete(name);
      live -= bytes;
    }
  }
  const nothing: NodeMemory = { node: '', opType: '', outputBytes: 0, liveBytes: 0 };
  const peak = reports.reduce((most, report) => (report.liveBytes > most.liveBytes ? report : most), nothing);
  return { batch, nodes: reports, peakBytes: peak.liveBytes, peakNode: peak.node };
}

/** Bytes of a model's constants as they lie in memory once the runtime has folded what can be folded. */
export function constantBytes(model: OnnxModel): number {
  const folded = constantNodes(model);
  const kept = new Set([
    ...model.nodes.filter((node) => !folded.has(node)).flatMap((node) => node.inputs),
    ...model.outputs.map(({ name }) => name),
  ]);
  const results = new Set([...folded].flatMap((node) => node.outputs));
  let bytes = 0;
  for (const [name, tensor] of model.initializers) if (kept.has(name)) bytes += byteLength(tensor);
  for (const info of [...model.values, ...model.outputs])
    if (results.has(info.name) && kept.has(info.name)) bytes += valueBytes(info, 1) ?? 0;
  return bytes;
}

/** The nodes that compute from constants alone, which ONNX Runtime does once, while loading. */
export function constantNodes(model: OnnxModel): Set<OnnxNode> {
  const constants = new Set(['', ...model.initializers.keys()]);
  const nodes = new Set<OnnxNode>();
  for (const node of model.nodes) {
    // Dequantised weights are not computed ahead: the integers stay.
    if (node.opType === 'DequantizeLinear' || !node.inputs.every((input) => constants.has(input))) continue;
    nodes.add(node);
    for (const output of node.outputs) constants.add(output);
  }
  return nodes;
}

/** What an operator needs besides inputs and outputs: Attention holds the scores of all heads. */
function scratchBytes(node: OnnxNode, infos: ReadonlyMap<string, ValueInfo>, batch: number): number {
  if (node.opType !== 'Attention') return 0;
  const sizeOf = (input = '', axis: number): number => {
    const what = `dimension ${axis} of ${input}`;
    const { dims } = defined(infos.get(input), `the shape of ${input}`);
    return defined(sizeAt(defined(dims[axis], what), batch), `the size of ${what}`);
  };
  const [q, k] = node.inputs;
  const scores = sizeOf(q, 0) * sizeOf(q, 1) * sizeOf(k, 1);
  const heads = node.attributes['q_num_heads'];
  return heads?.type === 'int' ? scores * heads.value * bytesPerElement('float32') : 0;
}

function valueBytes(info: ValueInfo, batch: number): number | undefined {
  let elements = 1;
  for (const dim of info.dims) {
    const size = sizeAt(dim, batch);
    if (size === undefined) return undefined;
    elements *= size;
  }
  return elements * bytesPerElement(info.dtype);
}
