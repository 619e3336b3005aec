import { defined } from '../base/defined.js';
import { sizeAt } from '../onnx/dims.js';
import { bytesPerElement } from '../onnx/dtype.js';
import { ALIASES, constantBytes, constantNodes } from '../onnx/liveness.js';
import type { OnnxModel, OnnxNode, ValueInfo } from '../onnx/model.js';

/**
 * What one batch asks of a device, by kind: amounts that a latency is taken to be a sum of, each times what one of it costs on
 * the device.
 */
export interface Work {
  /** Multiplications of int8 products. */
  readonly int8: number;
  /** Multiplications of float products. */
  readonly float: number;
  /** Multiplications of attention: scores and mixing. */
  readonly attention: number;
  /** Elements that go through an activation. */
  readonly gelu: number;
  /** Bytes of activations that operators read and write. */
  readonly traffic: number;
  /** Bytes of constants that are read. */
  readonly constants: number;
  /** Operators that are started. */
  readonly operators: number;
}

/** The kinds of work, in the order of a model's coefficients. */
export const workKinds = [
  'int8',
  'float',
  'attention',
  'gelu',
  'traffic',
  'constants',
  'operators',
] as const satisfies readonly (keyof Work)[];

/**
 * The work of a batch, counted in the model's graph: it follows from shapes and formats alone.
 *
 * @param graph - every value with type and shape, as the builder writes them
 * @param batch - images
 * @param microBatch - images that run at once; undefined runs the whole batch
 */
export function workOf(graph: OnnxModel, batch: number, microBatch: number | undefined): Work {
  const images = Math.min(microBatch ?? batch, batch);
  const rest = batch % images;
  const whole = workOfRun(graph, images);
  const last = rest === 0 ? undefined : workOfRun(graph, rest);
  const runs = Math.floor(batch / images);
  const total = workKinds.map((kind) => [kind, runs * whole[kind] + (last?.[kind] ?? 0)] as const);
  return Object.fromEntries(total) as unknown as Work;
}

function workOfRun(graph: OnnxModel, images: number): Work {
  const infos = new Map(
    [...graph.inputs, ...graph.values, ...graph.outputs].map((info) => [info.name, info]),
  );
  const sizeOf = (name = '', axis: number): number => {
    const { dims } = defined(infos.get(name) ?? graph.initializers.get(name), `the shape of ${name}`);
    const what = `dimension ${axis} of ${name}`;
    return defined(sizeAt(defined(dims.at(axis), what), images), `the size of ${what}`);
  };
  // The width that a product sums over: the last of its first input.
  const innerWidth = ({ inputs }: OnnxNode): number => sizeOf(inputs[0], -1);
  const folded = constantNodes(graph);
  const work = { int8: 0, float: 0, attention: 0, gelu: 0, traffic: 0, operators: 0 };
  for (const node of graph.nodes) {
    if (folded.has(node) || ALIASES.has(node.opType)) continue;
    work.operators += 1;
    for (const name of [...node.inputs, ...node.outputs]) {
      const info = infos.get(name);
      if (info) work.traffic += elements(info, images) * bytesPerElement(info.dtype);
    }
    const [made = ''] = node.outputs;
    const output = elements(defined(infos.get(made), `the shape of ${made}`), images);
    switch (node.opType) {
      case 'MatMulIntegerToFloat':
        work.int8 += output * innerWidth(node);
        break;
      case 'Gemm':
      case 'MatMul':
        work.float += output * innerWidth(node);
        break;
      case 'Attention': {
        // Each query meets every key in the scores, and what comes of it every value in the mixing.
        const [asking = ''] = node.inputs;
        const queries = defined(infos.get(asking), `the shape of ${asking}`);
        work.attention += (elements(queries, images) + output) * sizeOf(node.inputs[1], 1);
        break;
      }
      case 'Gelu':
      case 'QuickGelu':
      case 'FastGelu':
      case 'Relu':
        work.gelu += output;
        break;
    }
  }
  return { ...work, constants: constantBytes(graph) };
}

function elements({ dims }: ValueInfo, images: number): number {
  return dims.reduce<number>((product, dim) => product * (sizeAt(dim, images) ?? 1), 1);
}
