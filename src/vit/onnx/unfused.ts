import type { Attribute, OnnxModel, OnnxNode } from '../../onnx/model.js';
import { float32, int64s, viewAs, type TensorSource } from '../../onnx/tensor.js';
import { computed, floats } from '../derived.js';
import { floatOf, intOf, AXES_MOVED } from './graph.js';

/** The domain of the operators that ONNX Runtime's optimisers put in place of several. */
const FUSED = 'com.microsoft';

/** What an operator is taken apart into. */
class Parts {
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, TensorSource>();

  constructor(
    private readonly of: OnnxNode,
    private readonly known: ReadonlyMap<string, TensorSource>,
    /** Version of ONNX's own operators. */
    private readonly opset: number,
  ) {}

  /** Adds a node. @returns its output, which has a name of its own unless one is given */
  add(
    opType: string,
    inputs: readonly string[],
    {
      attributes = {},
      output = this.name(opType),
      domain = '',
    }: Partial<{
      attributes: OnnxNode['attributes'];
      output: string;
      domain: string;
    }> = {},
  ): string {
    this.nodes.push({ name: this.name(opType), opType, domain, attributes, inputs, outputs: [output] });
    return output;
  }

  /** Cuts a value into parts of equal width along its last axis. */
  split(value: string, widths: readonly number[]): string[] {
    const outputs = widths.map((_, part) => `${this.name('Split')}:${part}`);
    const asInput = this.opset >= 13;
    this.nodes.push({
      ...{ name: this.name('Split'), opType: 'Split', domain: '', outputs },
      inputs: asInput ? [value, this.constant(int64s(widths))] : [value],
      attributes: { axis: int(-1), ...(!asInput && { split: ints(widths) }) },
    });
    return outputs;
  }

  constant(tensor: TensorSource): string {
    const name = `${this.name('constant')}:${this.constants.size}`;
    this.constants.set(name, tensor);
    return name;
  }

  /** A constant of the graph; undefined for what is computed. */
  given(name: string | undefined): TensorSource | undefined {
    return name === undefined ? undefined : this.known.get(name);
  }

  private name(what: string): string {
    return `${this.of.outputs[0] ?? this.of.name}:${what}:${this.nodes.length}`;
  }
}

/** Takes an operator apart; undefined where it computes something that is not taken apart, and stays as it is. */
type Unfuse = (node: OnnxNode, parts: Parts) => true | undefined;

/**
 * A model in which the operators that ONNX Runtime's optimisers make of several are taken apart again: attention, sums with LayerNorms,
 * activations with biases, products with transpositions and factors, cuts of tokens. What each of them computes is as ONNX Runtime documents it
 * (`docs/ContribOperators.md`). Those with masks, caches, packed weights or anything else besides stay as they are.
 *
 * @param model - the model
 * @returns undefined for a model that has none of them
 */
export function unfused(model: OnnxModel): OnnxModel | undefined {
  const nodes: OnnxNode[] = [];
  const initializers = new Map(model.initializers);
  let changed = false;
  const multiplied = new Set(
    model.nodes.filter(({ opType }) => /MatMul$/.test(opType)).flatMap(({ outputs }) => outputs),
  );
  const factors = new Set(
    model.nodes.filter(({ opType }) => opType === 'Mul').flatMap(({ outputs }) => outputs),
  );
  const known = unfuseBy(multiplied, factors);
  for (const node of model.nodes) {
    const joined = node.domain === '' && node.opType === 'Split';
    const apart = joined ? cutTokens : node.domain === FUSED ? known[node.opType] : undefined;
    const parts = new Parts(node, model.initializers, model.opsets[''] ?? 0);
    if (apart?.(node, parts) !== true) {
      nodes.push(node);
      continue;
    }
    changed = true;
    nodes.push(...parts.nodes);
    for (const [name, tensor] of parts.constants) initializers.set(name, tensor);
  }
  return changed ? { ...model, nodes, initializers, values: [] } : undefined;
}

/**
 * @param multiplied - outputs of products, to which biases belong
 * @param factors - outputs of multiplications number by number
 */
function unfuseBy(
  multiplied: ReadonlySet<string>,
  factors: ReadonlySet<string>,
): Readonly<Record<string, Unfuse>> {
  return {
    Attention: packedAttention,
    MultiHeadAttention: separateAttention,
    SkipLayerNormalization: (node, parts) => summedNorm(node, parts, multiplied),
    BiasGelu: (node, parts) => biased('Gelu', node, parts),
    FastGelu: (node, parts) => (node.inputs[1] ? biased('FastGelu', node, parts) : undefined),
    FusedMatMul: (node, parts) => product(node, parts, factors),
  };
}

/** Queries, keys and values by one product, cut, and attention of all heads. */
function packedAttention(node: OnnxNode, parts: Parts): true | undefined {
  const [x = '', weight = '', bias = '', mask = '', past = '', added = '', ...more] = node.inputs;
  const { qkv_hidden_sizes: sizes } = node.attributes;
  const [, packed = 0] = parts.given(weight)?.dims ?? [];
  const widths = sizes?.type === 'ints' ? sizes.value : [packed / 3, packed / 3, packed / 3];
  const heads = intOf(node, 'num_heads', 0);
  const [width = 0] = widths;
  const plain =
    intOf(node, 'unidirectional', 0) === 0 &&
    intOf(node, 'do_rotary', 0) === 0 &&
    [mask, past, ...more].every((input) => input === '');
  if (!plain || packed === 0 || !headsOf(width, heads) || widths.some((each) => each !== width))
    return undefined;
  const product = parts.add('MatMul', [x, weight]);
  const projected = bias === '' ? product : parts.add('Add', [product, bias]);
  const [q = '', k = '', v = ''] = parts.split(projected, widths);
  attention(node, parts, { q, k, v, heads, width, added });
  return true;
}

/** Attention of all heads of queries, keys and values that others made. */
function separateAttention(node: OnnxNode, parts: Parts): true | undefined {
  const [q = '', k = '', v = '', bias = '', mask = '', added = '', ...more] = node.inputs;
  const heads = intOf(node, 'num_heads', 0);
  const biases = parts.given(bias);
  const [packed] = biases?.dims ?? [];
  const plain =
    intOf(node, 'unidirectional', 0) === 0 &&
    k !== '' &&
    v !== '' &&
    [mask, ...more].every((each) => each === '');
  // Without biases nothing here says how wide the heads are, and the runtime cuts by their number.
  const width = packed === undefined ? undefined : packed / 3;
  if (!plain || heads < 1 || (bias !== '' && (width === undefined || !headsOf(width, heads))))
    return undefined;
  const own = (value: string, index: number): string => {
    if (biases === undefined || width === undefined) return value;
    const part = computed([width], async () =>
      (await floats(biases)).slice(index * width, (index + 1) * width),
    );
    return parts.add('Add', [value, parts.constant(part)]);
  };
  attention(node, parts, { q: own(q, 0), k: own(k, 1), v: own(v, 2), heads, width, added });
  return true;
}

function headsOf(width: number, heads: number): boolean {
  return heads > 0 && Number.isInteger(width / heads);
}

/** `softmax(scale · q · kᵀ + added) · v`, head by head. */
function attention(
  node: OnnxNode,
  parts: Parts,
  of: {
    readonly q: string;
    readonly k: string;
    readonly v: string;
    readonly heads: number;
    /** Of all heads; undefined where only running it tells. */
    readonly width: number | undefined;
    /** Added to the scores; empty for nothing. */
    readonly added: string;
  },
): void {
  const { heads, width, added } = of;
  const shape = int64s([0, 0, heads, width === undefined ? -1 : width / heads]);
  const cut = (value: string, order: readonly number[]): string => {
    const byHead = parts.add('Reshape', [value, parts.constant(shape)]);
    return parts.add('Transpose', [byHead], { attributes: { perm: ints(order) } });
  };
  const [q, k, v] = [cut(of.q, [0, 2, 1, 3]), cut(of.k, [0, 2, 3, 1]), cut(of.v, [0, 2, 1, 3])];
  const said = floatOf(node, 'scale', 0);
  const scores = parts.add('MatMul', [q, k]);
  const scaled =
    said === 0 ? scaledByWidth(parts, scores, q, width && width / heads) : times(parts, scores, said);
  const biased = added === '' ? scaled : parts.add('Add', [scaled, added]);
  const shares = parts.add('Softmax', [biased], { attributes: { axis: int(-1) } });
  const mixed = parts.add('MatMul', [shares, v]);
  const joined = parts.add('Transpose', [mixed], { attributes: { perm: ints([0, 2, 1, 3]) } });
  const [output = ''] = node.outputs;
  parts.add('Reshape', [joined, parts.constant(int64s([0, 0, width ?? -1]))], { output });
}

/** Scores by the square root of the width of a head, which a shape tells where nothing else does. */
function scaledByWidth(parts: Parts, scores: string, q: string, size: number | undefined): string {
  if (size !== undefined) return times(parts, scores, 1 / Math.sqrt(size));
  const shape = parts.add('Shape', [q]);
  const last = parts.add('Gather', [shape, parts.constant({ ...int64s([3]), dims: [] })], {
    attributes: { axis: int(0) },
  });
  const wide = parts.add('Cast', [last], { attributes: { to: int(1) } });
  return parts.add('Div', [scores, parts.add('Sqrt', [wide])]);
}

function times(parts: Parts, value: string, factor: number): string {
  return factor === 1 ? value : parts.add('Mul', [value, parts.constant(float32([], [factor]))]);
}

/** A sum, with a bias for the product among its terms, and its LayerNorm. */
function summedNorm(node: OnnxNode, parts: Parts, multiplied: ReadonlySet<string>): true | undefined {
  const [x = '', skip = '', weight = '', shift = '', bias = ''] = node.inputs;
  const [output = '', mean = '', deviation = '', sumOutput = ''] = node.outputs;
  if (shift === '' || mean !== '' || deviation !== '') return undefined;
  const [branch, other] = multiplied.has(x) || !multiplied.has(skip) ? [x, skip] : [skip, x];
  const product = bias === '' ? branch : parts.add('Add', [branch, bias]);
  const sum = parts.add('Add', [product, other], sumOutput === '' ? {} : { output: sumOutput });
  parts.add('LayerNormalization', [sum, weight, shift], {
    attributes: { axis: int(-1), epsilon: { type: 'float', value: floatOf(node, 'epsilon', 1e-12) } },
    output,
  });
  return true;
}

/** A bias, and an activation. */
function biased(opType: string, node: OnnxNode, parts: Parts): true {
  const [output = ''] = node.outputs;
  const sum = parts.add('Add', node.inputs.slice(0, 2));
  parts.add(opType, [sum], { domain: FUSED, output });
  return true;
}

/** A product of what is transposed before, and multiplied by a number: behind it, or before it where that was the last of several (GELU's ½). */
function product(node: OnnxNode, parts: Parts, factors: ReadonlySet<string>): true {
  const [a = '', b = ''] = node.inputs;
  const turned = (value: string, whether: number, batches: number): string => {
    if (whether === 0 && batches === 0) return value;
    const rank = parts.given(value)?.dims.length;
    // Nothing says yet how many dimensions there are of what is computed.
    if (rank === undefined || batches !== 0) {
      const equation = AXES_MOVED[batches === 0 ? 'last' : whether === 0 ? 'first' : 'both'];
      return parts.add('Einsum', [value], { attributes: { equation: { type: 'string', value: equation } } });
    }
    const order = Array.from({ length: rank }, (_, axis) => axis);
    order.splice(-2, 2, rank - 1, rank - 2);
    return parts.add('Transpose', [value], { attributes: { perm: ints(order) } });
  };
  const left = turned(a, intOf(node, 'transA', 0), intOf(node, 'transBatchA', 0));
  const right = turned(b, intOf(node, 'transB', 0), intOf(node, 'transBatchB', 0));
  const alpha = floatOf(node, 'alpha', 1);
  const [output = ''] = node.outputs;
  if (alpha === 1) parts.add('MatMul', [left, right], { output });
  else if (factors.has(a) && parts.given(b))
    parts.add('MatMul', [times(parts, left, alpha), right], { output });
  else
    parts.add('Mul', [parts.add('MatMul', [left, right]), parts.constant(float32([], [alpha]))], { output });
  return true;
}

/** Tokens that were cut into one and the others, as the optimiser joins both choices: each by itself again. */
function cutTokens(node: OnnxNode, parts: Parts): true | undefined {
  const [value = '', sizes = ''] = node.inputs;
  const lengths = parts.given(sizes);
  if (intOf(node, 'axis', 0) !== 1 || lengths?.dtype !== 'int64') return undefined;
  const upTo = (part: number): TensorSource => ({
    ...{ dtype: 'int64', dims: [1] },
    read: async () => {
      const before = viewAs(await lengths.read(), BigInt64Array).slice(0, part);
      const sum = before.reduce((total, length) => total + Number(length), 0);
      return new Uint8Array(BigInt64Array.of(BigInt(sum)).buffer);
    },
  });
  const axis = parts.constant(int64s([1]));
  for (const [part, output] of node.outputs.entries())
    parts.add('Slice', [value, parts.constant(upTo(part)), parts.constant(upTo(part + 1)), axis], { output });
  return true;
}

function int(value: number): Attribute {
  return { type: 'int', value };
}

function ints(value: readonly number[]): Attribute {
  return { type: 'ints', value };
}
