import type { OnnxNode } from '../../onnx/model.js';
import { float32, type TensorSource } from '../../onnx/tensor.js';
import type { LastNorm } from '../config.js';
import { activationAt, type FoundActivation } from './activation.js';
import { behindViews, inputOf, isView, makerOf, notUnderstood } from './graph.js';
import {
  linearAt,
  normAt,
  productAt,
  scalarAt,
  withConstantVector,
  type FoundLinear,
  type FoundNorm,
  type Searched,
} from './pieces.js';
import { attentionAt, poolAttentionAt, type FoundAttention, type FoundPoolAttention } from './attention.js';

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
  /** What stands between the linears of the MLP, and the first of them. */
  readonly activation: FoundActivation;
  readonly fc2: ScaledLinear;
}

/** A ViT as it was found in a graph. */
export interface FoundViT {
  readonly convolution: OnnxNode;
  /** The value of all tokens as they come into the first block, or into the norm before it. */
  readonly start: string;
  readonly firstNorm: FoundNorm | undefined;
  /** First block first. */
  readonly blocks: readonly FoundBlock[];
  readonly read: HeadRead;
  /** The classifier of each token that is read; their logits are averaged. None in a backbone, which gives what a classifier would read. */
  readonly heads: readonly FoundLinear[];
}

/** Pooling by attention as it was found, with the MLP behind it. */
export interface FoundPool extends Pick<FoundBlock, 'context' | 'activation'> {
  readonly attention: FoundPoolAttention;
  readonly o: FoundLinear;
  readonly norm: FoundNorm;
  readonly fc2: FoundLinear;
}

/**
 * Recognises a Vision Transformer by following its logits back to the image.
 *
 * @param graph - the graph
 * @throws UnrecognisedGraph at the node that was not understood
 */
export async function parseViT(graph: Searched): Promise<FoundViT> {
  const logits = logitsOf(graph);
  const heads = await classifiersAt(graph, logits);
  const reads: HeadRead[] = [];
  for (const input of heads.length === 0 ? [logits] : heads.map((head) => head.input))
    reads.push(await readAt(graph, input));
  for (const [token, { what, node }] of reads.entries())
    if ((heads.length > 1 || what.kind === 'token') && !(what.kind === 'token' && what.index === token))
      throw notUnderstood(graph, node, `the choice of token ${token}, which its classifier reads`);
  const [read] = reads;
  if (read === undefined) throw notUnderstood(graph, undefined, 'a classifier');
  const attended = behindAttention(graph);
  const blocks: FoundBlock[] = [];
  let current = read.residual;
  while (attended.has(current)) {
    const sum = makerOf(graph, current);
    if (sum?.opType !== 'Add') throw notUnderstood(graph, sum, 'a sum with the residual stream');
    const mlp = await mlpAt(graph, sum);
    const middle = makerOf(graph, mlp.residual);
    if (middle?.opType !== 'Add')
      throw notUnderstood(graph, middle, 'a sum of attention and the residual stream');
    const branch = await attendedAt(graph, middle);
    blocks.push({ ...branch.found, ...mlp.found });
    current = branch.residual;
  }
  const firstNorm = await normAt(graph, current);
  const start = firstNorm?.input ?? current;
  return {
    convolution: convolutionOf(graph, start),
    start,
    firstNorm,
    blocks: blocks.reverse(),
    read,
    heads,
  };
}

/** What pools the tokens by attention; undefined where something else does. */
export function poolOf({ read: { what } }: Pick<FoundViT, 'read'>): FoundPool | undefined {
  return what.kind === 'attention' ? what.pool : undefined;
}

/** Values that attention has a part in. */
function behindAttention({ model }: Searched): ReadonlySet<string> {
  const values = new Set<string>();
  for (const { opType, inputs, outputs } of model.nodes)
    if (opType === 'Softmax' || opType === 'Attention' || inputs.some((input) => values.has(input)))
      for (const output of outputs) values.add(output);
  return values;
}

/** Operators between the patches and the first block: they put tokens and positions to them, and compute nothing else of them. */
const JOINING = new Set(['Add', 'Concat', 'Expand', 'Slice', 'Gather', 'Split']);

const EMBEDDING =
  'one convolution of the image itself that cuts it into patches, and tokens and positions that are put to them';

/** The only convolution that a value comes from: of the image itself. */
function convolutionOf(graph: Searched, start: string): OnnxNode {
  const seen = new Set<string>();
  const found: OnnxNode[] = [];
  const open = [start];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const node = seen.has(value) || graph.fixed.has(value) ? undefined : graph.producers.get(value);
    seen.add(value);
    if (node === undefined) continue;
    if (node.opType === 'Conv') found.push(node);
    else if (isView(node) || JOINING.has(node.opType)) open.push(...node.inputs);
    else throw notUnderstood(graph, node, EMBEDDING);
  }
  const [convolution, another] = found;
  const image = convolution && behindViews(graph, inputOf(graph, convolution, 0));
  if (
    convolution === undefined ||
    another !== undefined ||
    !graph.model.inputs.some(({ name }) => name === image)
  )
    throw notUnderstood(graph, another ?? convolution ?? graph.producers.get(start), EMBEDDING);
  return convolution;
}

/** Outputs by which a model answers, where it has several, in the words of Transformers: logits, or of a backbone one row for each image. */
const ANSWERS = ['logits', 'image_embeds', 'pooler_output'];

/**
 * The value by which a graph answers: its logits, of a backbone its features; the first where no name says which.
 *
 * @throws InputError when it gives nothing
 */
export function logitsOf(graph: Pick<Searched, 'path' | 'model'>): string {
  const { outputs } = graph.model;
  const named = ANSWERS.map((answer) => outputs.find(({ name }) => name === answer));
  const output = named.find((each) => each !== undefined) ?? outputs[0];
  if (output === undefined) throw notUnderstood(graph, undefined, 'an output: the logits');
  return output.name;
}

/** @returns none for a backbone */
async function classifiersAt(graph: Searched, logits: string): Promise<FoundLinear[]> {
  const single = linearAt(graph, logits);
  if (single) return [single];
  if (await isPooled(graph, logits)) return [];
  const { factor, values } = await productAt(graph, logits);
  const sum = graph.producers.get(values[0] ?? '');
  const both =
    sum?.opType === 'Add' && factor === 0.5 ? sum.inputs.map((input) => linearAt(graph, input)) : [];
  const [a, b] = both;
  if (!a || !b || values.length !== 1)
    throw notUnderstood(graph, makerOf(graph, logits), 'a linear classifier, or the mean of two');
  // Sums have no order: the class token is the first of the two.
  const indexOf = async ({ input }: FoundLinear): Promise<number> => {
    const { what } = await readAt(graph, input);
    return what.kind === 'token' ? what.index : Infinity;
  };
  return (await indexOf(a)) <= (await indexOf(b)) ? [a, b] : [b, a];
}

/** Which tokens a classifier reads. */
export type TokensRead =
  | { readonly kind: 'token'; readonly index: number }
  /** The mean of all tokens from one on. */
  | { readonly kind: 'mean'; readonly start: number }
  /** The first token, and the mean of those from one on beside it. */
  | { readonly kind: 'token and mean'; readonly start: number }
  /** What attention to all tokens from one on gives. */
  | { readonly kind: 'attention'; readonly start: number; readonly pool: FoundPool };

/** What a classifier reads, and through which norm. */
export interface HeadRead {
  readonly what: TokensRead;
  readonly norm: FoundNorm | undefined;
  readonly lastNorm: LastNorm;
  /** The value of all tokens behind the last block. */
  readonly residual: string;
  readonly node: OnnxNode;
}

async function readAt(graph: Searched, name: string): Promise<HeadRead> {
  const after = await normAt(graph, name);
  const chosen = behindViews(graph, after?.input ?? name);
  const node = graph.producers.get(chosen);
  const read = node && (await tokensReadAt(graph, node));
  if (node === undefined || read === undefined)
    throw notUnderstood(graph, node, 'the choice of one token by Gather or Slice, or a mean of tokens');
  const before = after ? undefined : await normAt(graph, read.from);
  // Of one token it is the same whether the norm comes before the choice or behind it.
  const behind = read.what.kind === 'token' ? 'tokens' : 'pooled';
  return {
    ...{ what: read.what, node },
    norm: after ?? before,
    lastNorm: after ? behind : before ? 'tokens' : 'none',
    residual: before?.input ?? read.from,
  };
}

/** Whether a value is what was pooled of the tokens, one row for each image. */
async function isPooled(graph: Searched, name: string): Promise<boolean> {
  if (graph.shapes.get(name)?.length !== 2) return false;
  const norm = await normAt(graph, name);
  const node = makerOf(graph, norm?.input ?? name);
  return node !== undefined && (await tokensReadAt(graph, node)) !== undefined;
}

/** What a node reads of which tokens: one, the mean of those from one on, or both beside each other. */
async function tokensReadAt(
  graph: Searched,
  node: OnnxNode,
): Promise<{ readonly what: TokensRead; readonly from: string } | undefined> {
  const pooled = await pooledAt(graph, node);
  if (pooled !== undefined) return pooled;
  const index = await tokenIndex(graph, node);
  if (index !== undefined) return { what: { kind: 'token', index }, from: inputOf(graph, node, 0) };
  if (node.opType === 'ReduceMean') return meanAt(graph, node);
  const [first, second, ...more] = node.inputs;
  if (node.opType !== 'Concat' || first === undefined || second === undefined || more.length > 0)
    return undefined;
  const [choice, mean] = [makerOf(graph, first), makerOf(graph, second)];
  const token = choice && (await tokenIndex(graph, choice));
  const average = mean?.opType === 'ReduceMean' ? await meanAt(graph, mean) : undefined;
  if (choice === undefined || token !== 0 || average?.what.kind !== 'mean') return undefined;
  const from = inputOf(graph, choice, 0);
  if (behindViews(graph, from) !== behindViews(graph, average.from)) return undefined;
  return { what: { kind: 'token and mean', start: average.what.start }, from };
}

/** A mean over tokens, of all or of those from one on. */
async function meanAt(
  graph: Searched,
  node: OnnxNode,
): Promise<{ readonly what: TokensRead; readonly from: string } | undefined> {
  const input = inputOf(graph, node, 0);
  const { axes } = node.attributes;
  const axis = axes?.type === 'ints' && axes.value.length === 1 ? axes.value[0] : undefined;
  const rank = graph.shapes.get(input)?.length;
  if (rank !== 3 || ![1, -2].includes(axis ?? (await scalarAt(graph, node.inputs[1] ?? '')) ?? 0))
    return undefined;
  const some = await tokensFrom(graph, input);
  return some && { what: { kind: 'mean', start: some.start }, from: some.from };
}

/** Which tokens a value has, where it is cut from all: those from one on; undefined where it is cut otherwise. */
async function tokensFrom(
  graph: Searched,
  name: string,
): Promise<{ readonly start: number; readonly from: string } | undefined> {
  const slice = makerOf(graph, name);
  if (slice?.opType !== 'Slice') return { start: 0, from: name };
  const [start, end, along, step = 1] = await Promise.all(
    [1, 2, 3, 4].map((position) => scalarAt(graph, slice.inputs[position] ?? '')),
  );
  const from = inputOf(graph, slice, 0);
  const tokens = graph.shapes.get(from)?.[1] ?? Infinity;
  if (start === undefined || start < 0 || end === undefined || end < tokens || along !== 1 || step !== 1)
    return undefined;
  return { start, from };
}

/**
 * Pooling by attention: what it gives and an MLP's branch of it are added, the one token that is left perhaps chosen.
 *
 * @returns undefined where there is something else, such as the last block
 */
async function pooledAt(
  graph: Searched,
  node: OnnxNode,
): Promise<{ readonly what: TokensRead; readonly from: string } | undefined> {
  const chosen = (await tokenIndex(graph, node)) === 0;
  const sum = chosen ? makerOf(graph, inputOf(graph, node, 0)) : node;
  // Of a block's two terms one is the residual stream.
  if (sum?.opType !== 'Add' || sum.inputs.some((input) => linearAt(graph, input) === undefined))
    return undefined;
  const { residual, found } = await mlpAt(graph, sum);
  const { norm2: norm, activation, fc2 } = found;
  const o = linearAt(graph, residual);
  if (o === undefined || fc2.scale !== undefined)
    throw notUnderstood(graph, sum, 'what attention pooled, and an MLP beside it');
  const attention = await poolAttentionAt(graph, o.input);
  const reads = new Set([attention.k, attention.v].map(({ linear }) => behindViews(graph, linear.input)));
  const [read = ''] = reads;
  const some = reads.size === 1 ? await tokensFrom(graph, read) : undefined;
  if (some === undefined)
    throw notUnderstood(graph, attention.node, 'keys and values of the same tokens, from one on');
  const context = viewsBetween(graph, attention.output, o.input);
  const pool = { attention, o, context, norm, activation, fc2: fc2.linear };
  return { what: { kind: 'attention', start: some.start, pool }, from: some.from };
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

async function scaledLinearAt(graph: Searched, name: string): Promise<ScaledLinear | undefined> {
  const plain = linearAt(graph, name);
  if (plain) return { linear: plain, scale: undefined };
  const scaled = withConstantVector(graph, makerOf(graph, name), 'Mul');
  const linear = scaled && linearAt(graph, scaled.value);
  if (linear) return { linear, scale: scaled.vector };
  // LayerScale that is one number.
  const { factor, values } = await productAt(graph, name);
  const [value = ''] = values;
  const alike = values.length === 1 ? linearAt(graph, value) : undefined;
  const rows = alike?.weight.dims[0] ?? 0;
  return alike && { linear: alike, scale: float32([rows], new Float32Array(rows).fill(factor)) };
}

async function mlpAt(
  graph: Searched,
  sum: OnnxNode,
): Promise<{ readonly residual: string; readonly found: Pick<FoundBlock, 'norm2' | 'activation' | 'fc2'> }> {
  for (const [branch, residual] of [sum.inputs, [...sum.inputs].reverse()] as [string, string][]) {
    const fc2 = await scaledLinearAt(graph, branch);
    if (fc2 === undefined) continue;
    const activation = activationAt(graph, fc2.linear.input);
    if (activation === undefined) continue;
    const reads = new Set(activation.sources.map(({ input }) => behindViews(graph, input)));
    const [read = ''] = reads;
    const norm2 = reads.size === 1 ? await normAt(graph, read) : undefined;
    if (norm2 === undefined) throw notUnderstood(graph, makerOf(graph, read), 'a LayerNorm before the MLP');
    refuseOther(graph, norm2, residual, sum);
    return { residual, found: { norm2, activation, fc2 } };
  }
  const branches = await Promise.all(sum.inputs.map((input) => scaledLinearAt(graph, input)));
  const branch = branches.find((each) => each !== undefined);
  throw notUnderstood(
    graph,
    branch ? (makerOf(graph, branch.linear.input) ?? sum) : sum,
    'an MLP of two linear layers with an activation between them',
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
    const o = await scaledLinearAt(graph, branch);
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
