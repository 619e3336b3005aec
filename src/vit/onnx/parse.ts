import type { OnnxNode } from '../../onnx/model.js';
import type { TensorSource } from '../../onnx/tensor.js';
import { laidOutPositions } from '../checkpoints/positions.js';
import { computed, floats } from '../derived.js';
import {
  behindViews,
  inputOf,
  isView,
  lastInputOf,
  makerOf,
  notUnderstood,
  weightConstant,
} from './graph.js';
import {
  geluAt,
  linearAt,
  normAt,
  productAt,
  scalarAt,
  withConstantVector,
  type FoundLinear,
  type FoundNorm,
  type Searched,
} from './pieces.js';
import { attentionAt, type FoundAttention } from './attention.js';

/** A linear at the end of a branch, and what its output is multiplied by (LayerScale). */
export interface ScaledLinear {
  readonly linear: FoundLinear;
  readonly scale: TensorSource | undefined;
}

/** A block as it was found. */
export interface FoundBlock {
  readonly norm1: FoundNorm;
  readonly attention: FoundAttention;
  readonly o: ScaledLinear;
  /** From what attention gives to what the output projection reads. */
  readonly context: readonly OnnxNode[];
  readonly norm2: FoundNorm;
  readonly fc1: FoundLinear;
  readonly fc2: ScaledLinear;
}

/** A ViT as it was found in a graph. */
export interface FoundViT {
  readonly convolution: OnnxNode;
  /** The class token, and the distillation token behind it: what stands before the patches. */
  readonly tokens: readonly TensorSource[];
  readonly positions: TensorSource;
  /** First block first. */
  readonly blocks: readonly FoundBlock[];
  readonly norm: FoundNorm;
  /** The classifier of each token that is read; their logits are averaged. */
  readonly heads: readonly FoundLinear[];
}

/**
 * Recognises a ViT or DeiT by following its logits back to the image.
 *
 * @param graph - the graph
 * @throws InputError at the node that was not understood
 */
export async function parseViT(graph: Searched): Promise<FoundViT> {
  const logits = logitsOf(graph);
  const heads = await classifiersAt(graph, logits);
  const reads: TokenRead[] = [];
  for (const head of heads) reads.push(await tokenAt(graph, head.input));
  for (const [token, { index, node }] of reads.entries())
    if (index !== token)
      throw notUnderstood(graph, node, `the choice of token ${token}, which its classifier reads`);
  const [classToken] = reads;
  if (classToken === undefined) throw notUnderstood(graph, undefined, 'a classifier');
  const { norm, residual } = classToken;
  const blocks: FoundBlock[] = [];
  let current = residual;
  for (;;) {
    const sum = makerOf(graph, current);
    if (sum?.opType === 'Concat')
      return { ...positionsOfPatches(graph, sum), blocks: blocks.reverse(), norm, heads };
    if (sum?.opType !== 'Add')
      throw notUnderstood(graph, sum, 'a sum with the residual stream, or positions');
    const fixed = sum.inputs.findIndex((input) => graph.fixed.has(input));
    if (fixed >= 0) {
      const positions = fixedTensor(graph, inputOf(graph, sum, fixed), sum, 'constant positions');
      return {
        ...tokensAt(graph, makerOf(graph, inputOf(graph, sum, 1 - fixed))),
        positions,
        blocks: blocks.reverse(),
        norm,
        heads,
      };
    }
    const mlp = await mlpAt(graph, sum);
    const middle = makerOf(graph, mlp.residual);
    if (middle?.opType !== 'Add')
      throw notUnderstood(graph, middle, 'a sum of attention and the residual stream');
    const attended = await attendedAt(graph, middle);
    blocks.push({ ...attended.found, ...mlp.found });
    current = attended.residual;
  }
}

/**
 * The value that a graph gives first: its logits.
 *
 * @throws InputError when it gives nothing
 */
export function logitsOf(graph: Pick<Searched, 'path' | 'model'>): string {
  const [output] = graph.model.outputs;
  if (output === undefined) throw notUnderstood(graph, undefined, 'an output: the logits');
  return output.name;
}

async function classifiersAt(graph: Searched, logits: string): Promise<FoundLinear[]> {
  const single = linearAt(graph, logits);
  if (single) return [single];
  const { factor, values } = await productAt(graph, logits);
  const sum = graph.producers.get(values[0] ?? '');
  const both =
    sum?.opType === 'Add' && factor === 0.5 ? sum.inputs.map((input) => linearAt(graph, input)) : [];
  const [a, b] = both;
  if (!a || !b || values.length !== 1)
    throw notUnderstood(graph, makerOf(graph, logits), 'a linear classifier, or the mean of two');
  // Sums have no order: the class token is the first of the two.
  const [first, second] = [await tokenAt(graph, a.input), await tokenAt(graph, b.input)];
  return first.index <= second.index ? [a, b] : [b, a];
}

interface TokenRead {
  readonly index: number;
  readonly norm: FoundNorm;
  readonly residual: string;
  readonly node: OnnxNode;
}

/** Which token a classifier reads, and through which norm; the norm may come before the choice or after it. */
async function tokenAt(graph: Searched, name: string): Promise<TokenRead> {
  const after = await normAt(graph, name);
  const chosen = behindViews(graph, after?.input ?? name);
  const node = graph.producers.get(chosen);
  const index = node && (await tokenIndex(graph, node));
  if (node === undefined || index === undefined)
    throw notUnderstood(
      graph,
      node,
      'the choice of one token by Gather or Slice (an average over tokens is not understood)',
    );
  const before = after ? undefined : await normAt(graph, inputOf(graph, node, 0));
  const norm = after ?? before;
  if (norm === undefined)
    throw notUnderstood(graph, makerOf(graph, inputOf(graph, node, 0)), 'a LayerNorm before the classifier');
  return { index, norm, node, residual: after ? inputOf(graph, node, 0) : norm.input };
}

async function tokenIndex(graph: Searched, node: OnnxNode): Promise<number | undefined> {
  const scalar = async (position: number): Promise<number | undefined> =>
    scalarAt(graph, node.inputs[position] ?? '');
  const axis = node.attributes['axis'];
  if (node.opType === 'Gather' && axis?.type === 'int' && axis.value === 1) return scalar(1);
  if (node.opType !== 'Slice' || node.inputs.length < 4 || (await scalar(3)) !== 1) return undefined;
  const [start, end] = [await scalar(1), await scalar(2)];
  return start !== undefined && end === start + 1 ? start : undefined;
}

function scaledLinearAt(graph: Searched, name: string): ScaledLinear | undefined {
  const plain = linearAt(graph, name);
  if (plain) return { linear: plain, scale: undefined };
  const scaled = withConstantVector(graph, makerOf(graph, name), 'Mul');
  const linear = scaled && linearAt(graph, scaled.value);
  return linear && { linear, scale: scaled.vector };
}

async function mlpAt(
  graph: Searched,
  sum: OnnxNode,
): Promise<{ readonly residual: string; readonly found: Pick<FoundBlock, 'norm2' | 'fc1' | 'fc2'> }> {
  for (const [branch, residual] of [sum.inputs, [...sum.inputs].reverse()] as [string, string][]) {
    const fc2 = scaledLinearAt(graph, branch);
    if (fc2 === undefined) continue;
    const inner = await geluAt(graph, fc2.linear.input);
    if (inner === undefined) continue;
    const fc1 = linearAt(graph, inner);
    if (fc1 === undefined) throw notUnderstood(graph, makerOf(graph, inner), 'a linear layer before GELU');
    const norm2 = await normAt(graph, fc1.input);
    if (norm2 === undefined)
      throw notUnderstood(graph, makerOf(graph, fc1.input), 'a LayerNorm before the MLP');
    refuseOther(graph, norm2, residual, sum);
    return { residual, found: { norm2, fc1, fc2 } };
  }
  const branch = sum.inputs.map((input) => scaledLinearAt(graph, input)).find((each) => each !== undefined);
  throw notUnderstood(
    graph,
    branch ? (makerOf(graph, branch.linear.input) ?? sum) : sum,
    'an MLP of two linear layers with the exact GELU between them',
  );
}

async function attendedAt(
  graph: Searched,
  sum: OnnxNode,
): Promise<{
  readonly residual: string;
  readonly found: Pick<FoundBlock, 'norm1' | 'attention' | 'o' | 'context'>;
}> {
  for (const [branch, residual] of [sum.inputs, [...sum.inputs].reverse()] as [string, string][]) {
    const o = scaledLinearAt(graph, branch);
    if (o === undefined) continue;
    const attention = await attentionAt(graph, o.linear.input);
    const reads = new Set(
      [attention.q, attention.k, attention.v].map(({ linear }) => behindViews(graph, linear.input)),
    );
    const [read = ''] = reads;
    const norm1 = reads.size === 1 ? await normAt(graph, read) : undefined;
    if (norm1 === undefined)
      throw notUnderstood(
        graph,
        makerOf(graph, read),
        'one LayerNorm that queries, keys and values are made from',
      );
    refuseOther(graph, norm1, residual, sum);
    return {
      residual,
      found: { norm1, attention, o, context: viewsBetween(graph, attention.output, o.linear.input) },
    };
  }
  throw notUnderstood(graph, sum, 'a sum of an output projection and the residual stream');
}

/** A norm must read the very stream that its branch is added to. */
function refuseOther(graph: Searched, norm: FoundNorm, residual: string, sum: OnnxNode): void {
  if (behindViews(graph, norm.input) !== behindViews(graph, residual))
    throw notUnderstood(graph, sum, 'a branch that is added to what its LayerNorm reads');
}

function viewsBetween(graph: Searched, from: string, to: string): OnnxNode[] {
  const nodes: OnnxNode[] = [];
  for (let current = to; current !== from;) {
    const node = graph.producers.get(current);
    if (node === undefined || !isView(node)) throw notUnderstood(graph, node, 'reshapes behind attention');
    nodes.push(node);
    current = inputOf(graph, node, 0);
  }
  return nodes.reverse();
}

/** Tokens that are put before patches which have got their positions already: they have none. */
function positionsOfPatches(
  graph: Searched,
  concat: OnnxNode,
): Pick<FoundViT, 'convolution' | 'tokens' | 'positions'> {
  const sum = makerOf(graph, lastInputOf(graph, concat));
  const fixed = sum?.opType === 'Add' ? sum.inputs.findIndex((input) => graph.fixed.has(input)) : -1;
  if (sum === undefined || fixed < 0) throw notUnderstood(graph, sum ?? concat, 'patches with positions');
  const { convolution, tokens } = tokensAt(graph, concat, sum.inputs[1 - fixed]);
  const positions = fixedTensor(graph, inputOf(graph, sum, fixed), sum, 'constant positions');
  const [count = 0, width = 0] = positions.dims.slice(-2);
  const one = computed([count, width], async () => (await floats(positions)).slice(0, count * width));
  const layout = { leading: 0, prefix: tokens.length, side: Math.sqrt(count), resampling: undefined };
  return { convolution, tokens, positions: laidOutPositions(one, layout) };
}

/**
 * @param concat - puts tokens before the patches
 * @param patches - the value of the patches, where something was done to them since the convolution
 */
function tokensAt(
  graph: Searched,
  concat: OnnxNode | undefined,
  patches = concat?.inputs.at(-1),
): Pick<FoundViT, 'convolution' | 'tokens'> {
  const before = concat?.inputs.slice(0, -1) ?? [];
  const axis = concat?.attributes['axis'];
  if (concat?.opType !== 'Concat' || axis?.value !== 1 || before.length < 1 || before.length > 2)
    throw notUnderstood(graph, concat, 'the class token (and a distillation token) put before the patches');
  const convolution = makerOf(graph, patches ?? '');
  if (
    convolution?.opType !== 'Conv' ||
    !graph.model.inputs.some(({ name: input }) => input === convolution.inputs[0])
  )
    throw notUnderstood(graph, convolution, 'one convolution of the image itself that cuts it into patches');
  const tokens = before.map((token) => fixedTensor(graph, token, concat, 'constant tokens'));
  return { convolution, tokens };
}

function fixedTensor(graph: Searched, name: string, node: OnnxNode, expected: string): TensorSource {
  const tensor = weightConstant(graph, name) ?? graph.values.get(name);
  if (tensor?.dtype !== 'float32') throw notUnderstood(graph, node, expected);
  return tensor;
}
