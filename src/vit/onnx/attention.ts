import type { OnnxNode } from '../../onnx/model.js';
import { viewAs } from '../../onnx/tensor.js';
import { behindViews, floatOf, inputOf, intOf, isView, makerOf, notUnderstood, outputOf } from './graph.js';
import { linearAt, productAt, scalarAt, type FoundLinear, type Searched } from './pieces.js';

/** One operand of attention and the linear whose output is cut, turned and scaled into it. */
export interface Operand {
  readonly linear: FoundLinear;
  /** The value that attention reads. */
  readonly value: string;
  /** The nodes between the two. */
  readonly between: readonly OnnxNode[];
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
  readonly node: OnnxNode;
}

/**
 * Recognises attention behind an output projection's input.
 *
 * @param graph - the graph
 * @param name - the value that the output projection reads
 * @throws InputError at the node that was not understood
 */
export async function attentionAt(graph: Searched, name: string): Promise<FoundAttention> {
  const output = behindViews(graph, name);
  const node = graph.producers.get(output);
  if (node?.opType === 'Attention' && node.domain === '') return attentionOperator(graph, node, output);
  if (node?.opType !== 'MatMul')
    throw notUnderstood(graph, node, 'the product of attention shares and values');
  const softmax = await softmaxAt(graph, inputOf(graph, node, 0));
  const scores = await productAt(graph, await behindEmptyMask(graph, inputOf(graph, softmax, 0)));
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
    q: await operandAt(graph, inputOf(graph, product, 0)),
    k: await operandAt(graph, inputOf(graph, product, 1)),
    v: await operandAt(graph, inputOf(graph, node, 1)),
    keysTransposed: true,
    scale: scores.factor,
    node,
  };
}

async function attentionOperator(graph: Searched, node: OnnxNode, output: string): Promise<FoundAttention> {
  const [q = '', k = '', v = '', mask = '', ...more] = node.inputs;
  const shape = graph.shapes.get(q);
  const masked = mask !== '' && !(await masksNothing(graph, mask));
  const plain = intOf(node, 'is_causal', 0) === 0 && floatOf(node, 'softcap', 0) === 0;
  if (shape?.length !== 4 || masked || !plain || more.some((input) => input !== ''))
    throw notUnderstood(
      graph,
      node,
      'attention of queries, keys and values in four dimensions, without a mask that hides any, and without a cap',
    );
  const [, , , size = NaN] = shape;
  return {
    ...{ output, node, keysTransposed: false, scale: floatOf(node, 'scale', 1 / Math.sqrt(size)) },
    ...{ q: await operandAt(graph, q), k: await operandAt(graph, k), v: await operandAt(graph, v) },
  };
}

/** The value to which a mask is added (or which it chooses) that hides nothing: exporters write one where a model has none. */
async function behindEmptyMask(graph: Searched, name: string): Promise<string> {
  const value = behindViews(graph, name);
  const node = graph.producers.get(value);
  if (node?.opType === 'Add')
    for (const [scores, mask] of [node.inputs, [...node.inputs].reverse()] as [string, string][])
      if (graph.fixed.has(mask) && (await masksNothing(graph, mask))) return scores;
  const [test = '', scores = ''] = node?.inputs ?? [];
  return node?.opType === 'Where' && (await masksNothing(graph, test)) ? scores : value;
}

/** Whether a fixed value is a mask that hides nothing: zeros to be added, or true everywhere. */
async function masksNothing(graph: Searched, name: string): Promise<boolean> {
  const mask = graph.constants.get(name) ?? graph.values.get(name);
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
  let current = value;
  for (;;) {
    const linear = linearAt(graph, current);
    if (linear?.output === current) return { linear, value, between: between.reverse() };
    const node = graph.producers.get(current);
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
