import type { OnnxNode } from '../../onnx/model.js';
import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { behindViews, floatOf, inputOf, intOf, isView, makerOf, notUnderstood, outputOf } from './graph.js';
import {
  fixedTensor,
  linearAt,
  normAt,
  productAt,
  scalarAt,
  type FoundLinear,
  type FoundNorm,
  type Searched,
} from './pieces.js';

/** One operand of attention and the linear whose output is cut, turned and scaled into it. */
export interface Operand {
  readonly linear: FoundLinear;
  /** The value that attention reads. */
  readonly value: string;
  /** The nodes between the two; in the place of a norm one that leaves everything as it is. */
  readonly between: readonly OnnxNode[];
  /** The norm of each head that it passes through. */
  readonly norm: FoundNorm | undefined;
}

/** Attention of all heads as it was found: `softmax(scale · q · kᵀ) · v`. */
export interface FoundAttention {
  /** What it gives. */
  readonly output: string;
  readonly q: Operand;
  readonly k: Operand;
  readonly v: Operand;
  /** Whether k comes as `[…, size, tokens]`. */
  readonly keysTransposed: boolean;
  /** What the scores are multiplied by behind the product. */
  readonly scale: number;
  /** What is added to the scores, the same for every image: `[…, heads, tokens, tokens]`. */
  readonly bias: TensorSource | undefined;
  readonly node: OnnxNode;
}

/** Attention with a query that is the same for all images: what pools tokens by it. */
export interface FoundPoolAttention extends Omit<FoundAttention, 'q' | 'bias'> {
  /** The one query of each head, `[…, 1, size]`: of every image alike. */
  readonly query: TensorSource;
}

/** Attention whose queries, keys and values nobody has looked for yet. */
type Weighing = Omit<FoundAttention, 'q' | 'k' | 'v'> & {
  /** The values that it reads. */
  readonly reads: { readonly q: string; readonly k: string; readonly v: string };
};

/**
 * Recognises attention behind an output projection's input.
 *
 * @param graph - the graph
 * @param name - the value that the output projection reads
 * @throws InputError at the node that was not understood
 */
export async function attentionAt(graph: Searched, name: string): Promise<FoundAttention> {
  const { reads, ...found } = await weighingAt(graph, name);
  return {
    ...found,
    q: await operandAt(graph, reads.q),
    k: await operandAt(graph, reads.k),
    v: await operandAt(graph, reads.v),
  };
}

/**
 * Recognises attention whose query does not depend on the image behind an output projection's input.
 *
 * @param graph - the graph
 * @param name - the value that the output projection reads
 * @throws InputError at the node that was not understood
 */
export async function poolAttentionAt(graph: Searched, name: string): Promise<FoundPoolAttention> {
  const { reads, bias, ...found } = await weighingAt(graph, name);
  const query = fixedTensor(graph, reads.q);
  const [k, v] = [await operandAt(graph, reads.k), await operandAt(graph, reads.v)];
  if (query?.dtype !== 'float32' || query.dims.at(-2) !== 1 || bias || k.norm || v.norm)
    throw notUnderstood(graph, found.node, 'attention to all tokens with one query for all images');
  return { ...found, query, k, v };
}

async function weighingAt(graph: Searched, name: string): Promise<Weighing> {
  const output = behindViews(graph, name);
  const node = graph.producers.get(output);
  if (node?.opType === 'Attention' && node.domain === '') return attentionOperator(graph, node, output);
  if (node?.opType !== 'MatMul')
    throw notUnderstood(graph, node, 'the product of attention shares and values');
  const softmax = await softmaxAt(graph, inputOf(graph, node, 0));
  const { scores: biased, bias } = await behindMasks(graph, inputOf(graph, softmax, 0));
  const scores = await productAt(graph, biased);
  const [value = '', ...others] = scores.values;
  const product = graph.producers.get(value);
  if (others.length > 0 || product?.opType !== 'MatMul')
    throw notUnderstood(
      graph,
      product ?? softmax,
      'the product of queries and keys, scaled, without a mask that hides any',
    );
  return {
    output,
    reads: { q: inputOf(graph, product, 0), k: inputOf(graph, product, 1), v: inputOf(graph, node, 1) },
    keysTransposed: true,
    scale: scores.factor,
    bias,
    node,
  };
}

async function attentionOperator(graph: Searched, node: OnnxNode, output: string): Promise<Weighing> {
  const [q = '', k = '', v = '', mask = '', ...more] = node.inputs;
  const shape = graph.shapes.get(q) ?? fixedTensor(graph, q)?.dims;
  const bias = mask === '' || (await masksNothing(graph, mask)) ? undefined : fixedFloats(graph, mask);
  const masked = mask !== '' && bias === undefined && !(await masksNothing(graph, mask));
  const plain = intOf(node, 'is_causal', 0) === 0 && floatOf(node, 'softcap', 0) === 0;
  if (shape?.length !== 4 || masked || !plain || more.some((input) => input !== ''))
    throw notUnderstood(
      graph,
      node,
      'attention of queries, keys and values in four dimensions, without a mask that hides any, and without a cap',
    );
  const [, , , size = NaN] = shape;
  const scale = floatOf(node, 'scale', 1 / Math.sqrt(size));
  return { output, node, bias, keysTransposed: false, scale, reads: { q, k, v } };
}

/**
 * The value to which masks are added (or which they choose) that hide nothing, as exporters write where a model has none; and what
 * else is added to it, the same for every image.
 */
async function behindMasks(
  graph: Searched,
  name: string,
): Promise<{ readonly scores: string; readonly bias: TensorSource | undefined }> {
  let bias: TensorSource | undefined;
  for (let value = behindViews(graph, name); ;) {
    const node = graph.producers.get(value);
    const inputs = node?.inputs ?? [];
    const mask = node?.opType === 'Add' ? inputs.find((input) => graph.fixed.has(input)) : undefined;
    const scores = mask === undefined ? undefined : inputs.find((input) => input !== mask);
    if (mask !== undefined && scores !== undefined) {
      if (!(await masksNothing(graph, mask))) {
        const added = fixedFloats(graph, mask);
        if (added === undefined || bias !== undefined) return { scores: value, bias };
        bias = added;
      }
      value = behindViews(graph, scores);
      continue;
    }
    const [test = '', kept = ''] = inputs;
    if (node?.opType === 'Where' && (await masksNothing(graph, test))) value = behindViews(graph, kept);
    else return { scores: value, bias };
  }
}

/** A fixed value of floats, one for each head and two tokens; undefined for anything else, such as a mask for all heads. */
function fixedFloats(graph: Searched, name: string): TensorSource | undefined {
  const tensor = fixedTensor(graph, name);
  const [heads = 1, asking, asked] = tensor?.dims.slice(-3) ?? [];
  return tensor?.dtype === 'float32' && heads > 1 && asking === asked ? tensor : undefined;
}

/** Whether a fixed value is a mask that hides nothing: zeros to be added, or true everywhere. */
async function masksNothing(graph: Searched, name: string): Promise<boolean> {
  const mask = fixedTensor(graph, name);
  if (mask?.dtype === 'bool') return (await mask.read()).every((byte) => byte !== 0);
  if (mask?.dtype !== 'float32') return false;
  return viewAs(await mask.read(), Float32Array).every((value) => value === 0);
}

/** The softmax that makes a value; newer exporters put zeros where it gives no number. */
async function softmaxAt(graph: Searched, name: string): Promise<OnnxNode> {
  let node = makerOf(graph, name);
  if (node?.opType === 'Where') {
    const test = makerOf(graph, inputOf(graph, node, 0));
    const [otherwise, kept] = [await scalarAt(graph, inputOf(graph, node, 1)), inputOf(graph, node, 2)];
    if (
      test?.opType === 'IsNaN' &&
      otherwise === 0 &&
      behindViews(graph, inputOf(graph, test, 0)) === behindViews(graph, kept)
    )
      node = makerOf(graph, kept);
  }
  const axis = node?.attributes['axis'];
  const rank = node && graph.shapes.get(outputOf(graph, node))?.length;
  const last =
    axis?.type === 'int'
      ? axis.value === -1 || (rank !== undefined && axis.value === rank - 1)
      : (graph.model.opsets[''] ?? 0) >= 13;
  if (node?.opType !== 'Softmax' || !last) throw notUnderstood(graph, node, 'a softmax over the keys');
  return node;
}

/** Follows an operand of attention back to its linear. */
async function operandAt(graph: Searched, value: string): Promise<Operand> {
  const between: OnnxNode[] = [];
  let norm: FoundNorm | undefined;
  let current = value;
  for (;;) {
    const linear = linearAt(graph, current);
    if (linear?.output === current) return { linear, value, norm, between: between.reverse() };
    const node = graph.producers.get(current);
    const found = node === undefined || isView(node) || norm ? undefined : await normAt(graph, current);
    if (found !== undefined) {
      between.push({
        ...{ name: `${current}:as it is`, opType: 'Identity', domain: '', attributes: {} },
        ...{ inputs: [found.input], outputs: [current] },
      });
      norm = found;
      current = found.input;
      continue;
    }
    const next = node && (await passedThrough(graph, node));
    if (node === undefined || next === undefined)
      throw notUnderstood(graph, node, 'reshapes, cuts and scalings between a linear layer and attention');
    between.push(node);
    current = next;
  }
}

/** The input that a node cuts, turns or scales; undefined for one that does anything else. */
async function passedThrough(graph: Searched, node: OnnxNode): Promise<string | undefined> {
  if (node.domain !== '') return undefined;
  const [first = '', second = ''] = node.inputs;
  if (isView(node) || ['Split', 'Slice', 'Gather'].includes(node.opType)) return first;
  if (node.opType !== 'Mul' && node.opType !== 'Div') return undefined;
  if ((await scalarAt(graph, second)) !== undefined) return first;
  return node.opType === 'Mul' && (await scalarAt(graph, first)) !== undefined ? second : undefined;
}
