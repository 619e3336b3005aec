import { defined } from '../../base/defined.js';
import type { OnnxNode } from '../../onnx/model.js';
import type { Engine } from '../../runtime/engine.js';
import type { Activation } from '../config.js';
import { behindViews, inputOf, isView, notUnderstood } from './graph.js';
import { linearAt, shapeOf, type FoundLinear, type Searched } from './pieces.js';
import { runPieces, type Piece } from './run-pieces.js';

/** What stands between the layers of an MLP, as it was found: what it computes is seen by running it. */
export interface FoundActivation {
  /** The linears that it reads: one, or a gate and a value. */
  readonly sources: readonly FoundLinear[];
  readonly piece: Piece;
}

/** What the activations of a model are, and for each block whether its gate comes second. */
export interface KnownActivations {
  readonly activation: Activation;
  readonly gatesLast: readonly boolean[];
}

/** Operators that compute each number from the one at the same place, or cut a vector in two. */
const POINTWISE = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Neg', 'Abs', 'Erf', 'Tanh', 'Sigmoid', 'Exp', 'Sqrt', 'Reciprocal'],
  ...[
    'Relu',
    'Gelu',
    'Elu',
    'Selu',
    'HardSwish',
    'HardSigmoid',
    'Mish',
    'Swish',
    'Softplus',
    'Clip',
    'Max',
    'Min',
  ],
  ...['LeakyRelu', 'Split', 'Slice', 'QuickGelu', 'FastGelu', 'BiasGelu'],
]);

/** An activation with more nodes than that is none. */
const MOST_NODES = 64;

/**
 * Finds what stands between the second linear of an MLP and the one before it (or two): every node that computes number by number.
 *
 * @param graph - the graph
 * @param name - what the second linear reads
 * @returns undefined when there is something else between them
 */
export function activationAt(graph: Searched, name: string): FoundActivation | undefined {
  const sources = new Map<string, FoundLinear>();
  const nodes = new Set<OnnxNode>();
  const open = [name];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (graph.fixed.has(value)) continue;
    const linear = linearAt(graph, value);
    if (linear?.output === value) {
      sources.set(value, linear);
      continue;
    }
    const node = graph.producers.get(value);
    if (node === undefined || nodes.size > MOST_NODES || !(POINTWISE.has(node.opType) || isView(node)))
      return undefined;
    nodes.add(node);
    open.push(...(isView(node) ? [inputOf(graph, node, 0)] : node.inputs));
  }
  if (sources.size < 1 || sources.size > 2) return undefined;
  const from = [...sources.keys()];
  const way = graph.model.nodes.filter((node) => nodes.has(node));
  return { sources: [...sources.values()], piece: { from, to: name, nodes: way } };
}

/** Largest difference between an activation and what was found, on numbers between −6 and 6. */
const TOLERANCE = 2e-5;

const FUNCTIONS: Readonly<Record<Exclude<Activation, 'swiglu'>, (x: number) => number>> = {
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  'gelu-tanh': (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  'quick-gelu': (x) => x / (1 + Math.exp(-1.702 * x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  relu: (x) => Math.max(0, x),
};

/**
 * Says what the activations of a model's blocks are, by running them.
 *
 * @param engine - the runtime
 * @param graph - the graph
 * @param found - of each block
 * @throws UnrecognisedGraph at one that is none of those that are known, or another than those of the other blocks
 */
export async function knownActivations(
  engine: Engine,
  graph: Searched,
  found: readonly FoundActivation[],
): Promise<KnownActivations> {
  const inputs = found.map(({ piece }) =>
    piece.from.map((name, second) => {
      const dims = shapeOf(graph, name);
      // Every number between −6 and 6 at some place, and in another order for a second input.
      const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) =>
        sample(i * (second === 0 ? 1 : 7) + second * 13),
      );
      return engine.tensor('float32', values, dims);
    }),
  );
  const outputs = await runPieces(
    engine,
    graph,
    found.map(({ piece }) => piece),
    inputs,
  );
  const each = found.map(({ piece }, block) => {
    const result = defined(outputs[block], 'an activation').data as Float32Array;
    const given = defined(inputs[block], 'inputs').map(({ data }) => data as Float32Array);
    const width = shapeOf(graph, piece.from[0] ?? '').at(-1) ?? 1;
    const known = kindOf(given, result, width, TOLERANCE + graph.rounding);
    if (known === undefined)
      throw notUnderstood(
        graph,
        piece.nodes.at(-1) ?? graph.producers.get(behindViews(graph, piece.to)),
        'an activation that is GELU, its approximation by tanh or by a sigmoid, SiLU, ReLU or SwiGLU',
      );
    return known;
  });
  const kinds = new Set(each.map(({ activation }) => activation));
  if (kinds.size > 1)
    throw notUnderstood(graph, undefined, `one activation, not ${[...kinds].join(' and ')}`);
  return {
    activation: each[0]?.activation ?? 'gelu',
    gatesLast: each.map(({ gateLast }) => gateLast),
  };
}

function sample(index: number): number {
  return ((index * 0.618033988749895) % 1) * 12 - 6;
}

function kindOf(
  given: readonly Float32Array[],
  result: Float32Array,
  width: number,
  tolerance: number,
): { readonly activation: Activation; readonly gateLast: boolean } | undefined {
  const [first, second] = given;
  if (first === undefined) return undefined;
  const fits = (expected: (index: number) => number): boolean =>
    result.every((value, i) => {
      const right = expected(i);
      return Math.abs(value - right) <= tolerance * Math.max(1, Math.abs(right));
    });
  const gated = (gate: (i: number) => number, value: (i: number) => number): boolean =>
    fits((i) => FUNCTIONS.silu(gate(i)) * value(i));
  if (second !== undefined) {
    if (result.length !== first.length || second.length !== first.length) return undefined;
    const [a, b] = [(i: number) => first[i] ?? NaN, (i: number) => second[i] ?? NaN];
    if (gated(a, b)) return { activation: 'swiglu', gateLast: false };
    return gated(b, a) ? { activation: 'swiglu', gateLast: true } : undefined;
  }
  if (result.length * 2 === first.length) {
    const half = width / 2;
    const at = (part: number) => (i: number) =>
      first[Math.floor(i / half) * width + part * half + (i % half)] ?? NaN;
    if (gated(at(0), at(1))) return { activation: 'swiglu', gateLast: false };
    return gated(at(1), at(0)) ? { activation: 'swiglu', gateLast: true } : undefined;
  }
  if (result.length !== first.length) return undefined;
  for (const [activation, compute] of Object.entries(FUNCTIONS) as [
    keyof typeof FUNCTIONS,
    (x: number) => number,
  ][])
    if (fits((i) => compute(first[i] ?? NaN))) return { activation, gateLast: false };
  return undefined;
}

/** The error function, to 1.2 · 10⁻⁷ (Press et al., "Numerical Recipes", section 6.2). */
function erf(x: number): number {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const terms = [
    ...[-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806],
    ...[0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277],
  ];
  const sum = terms.reduceRight((total, term) => total * t + term, 0);
  const tail = t * Math.exp(-x * x + sum);
  return x >= 0 ? 1 - tail : tail - 1;
}
