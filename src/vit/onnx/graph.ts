import type { OnnxModel, OnnxNode } from '../../onnx/model.js';
import { float32, int64s, type TensorSource } from '../../onnx/tensor.js';
import { transposed } from '../derived.js';
import { UnrecognisedGraph } from './unrecognised.js';

/** What a graph of another tool is searched by: who makes a value, and what is known of it without an image. */
export interface ForeignGraph {
  readonly path: string;
  readonly model: OnnxModel;
  /** The node that makes a value. */
  readonly producers: ReadonlyMap<string, OnnxNode>;
  /** Initializers and what `Constant` nodes hold. */
  readonly constants: ReadonlyMap<string, TensorSource>;
  /** Values that no image has a part in: they come from constants and from the shapes of others. */
  readonly fixed: ReadonlySet<string>;
  /**
   * How far numbers that have a name (1/√2, the scale of the scores) may be from it, as a share: a file of 16 bits rounded them.
   */
  readonly rounding: number;
}

/** Half a step of a float16, and a little more for those that were computed of several. */
const ROUNDED = 2e-3;

/**
 * Prepares a model for being searched.
 *
 * @param path - the file, for messages
 * @param given - its content
 * @param rounded - whether its numbers were those of 16 bits
 */
export function foreignGraph(path: string, given: OnnxModel, rounded = false): ForeignGraph {
  const model = { ...given, nodes: inOrder(given.nodes) };
  const producers = new Map<string, OnnxNode>();
  const constants = new Map(model.initializers);
  const fixed = new Set(['', ...model.initializers.keys()]);
  for (const node of model.nodes) {
    for (const output of node.outputs) producers.set(output, node);
    if (node.opType === 'Constant') constants.set(outputOf({ path }, node), constantOf(path, node));
    if (readsNoImage(node, fixed)) for (const output of node.outputs) fixed.add(output);
  }
  return { path, model, producers, constants, fixed, rounding: rounded ? ROUNDED : 0 };
}

/** Whether nothing that a node gives depends on the image: of some inputs only their shape or type counts. */
function readsNoImage({ opType, inputs }: OnnxNode, fixed: ReadonlySet<string>): boolean {
  if (opType === 'Shape' || opType === 'Size') return true;
  const counting = opType === 'CastLike' ? inputs.slice(0, 1) : inputs;
  return counting.every((input) => fixed.has(input));
}

/**
 * Nodes so that each stands behind those whose values it reads, as ONNX demands and not all converters do; ones that read each other stay at
 * the end.
 */
function inOrder(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  const readers = new Map<string, OnnxNode[]>();
  const waiting = new Map<OnnxNode, number>();
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  for (const node of nodes) {
    const awaited = new Set(node.inputs.filter((input) => input !== '' && made.has(input)));
    waiting.set(node, awaited.size);
    for (const input of awaited) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const ordered = nodes.filter((node) => waiting.get(node) === 0);
  // What is added on the way is gone through, too.
  for (const { outputs } of ordered)
    for (const output of outputs)
      for (const reader of readers.get(output) ?? []) {
        const left = (waiting.get(reader) ?? 0) - 1;
        waiting.set(reader, left);
        if (left === 0) ordered.push(reader);
      }
  return ordered.length === nodes.length
    ? ordered
    : [...ordered, ...nodes.filter((node) => !ordered.includes(node))];
}

/**
 * Why a graph is refused: the node that was not understood.
 *
 * @param graph - the graph
 * @param node - which node; undefined where a value has none
 * @param expected - what would have been understood
 */
export function notUnderstood(
  { path }: Pick<ForeignGraph, 'path'>,
  node: OnnxNode | undefined,
  expected: string,
): UnrecognisedGraph {
  const name = node && nameOf(node);
  const operator = node && `${node.domain === '' ? '' : `${node.domain}.`}${node.opType}`;
  return new UnrecognisedGraph(
    { kind: 'node', node: name ?? null, operator: operator ?? null, expected },
    {
      source: path,
      place: name === undefined ? 'the graph' : `node ${name}`,
      found: operator ?? 'a value that no node makes',
      expected,
      hint: HINT,
    },
  );
}

/** What a node is called in messages: its name, or its first output where it has none. */
export function nameOf({ name, outputs }: OnnxNode): string {
  return name === '' ? (outputs[0] ?? 'without a name') : name;
}

/** What whoever wanted to compress a graph can do that is not recognised. */
export const HINT =
  'It can be run as it is ("edgeflex run … --model file.onnx"), and its checkpoint (safetensors) can be compressed.';

/**
 * An input of a node.
 *
 * @param graph - the graph, for messages
 * @param node - the node
 * @param position - which input
 * @throws InputError when the node has none there
 */
export function inputOf(graph: Pick<ForeignGraph, 'path'>, node: OnnxNode, position: number): string {
  const name = node.inputs[position];
  if (name === undefined) throw notUnderstood(graph, node, `at least ${position + 1} inputs`);
  return name;
}

/**
 * The first output of a node.
 *
 * @param graph - the graph, for messages
 * @param node - the node
 * @throws InputError when the node has none
 */
export function outputOf(graph: Pick<ForeignGraph, 'path'>, node: OnnxNode): string {
  const [name] = node.outputs;
  if (name === undefined) throw notUnderstood(graph, node, 'at least one output');
  return name;
}

function constantOf(path: string, node: OnnxNode): TensorSource {
  const [kind, attribute] = Object.entries(node.attributes)[0] ?? ['', undefined];
  switch (attribute?.type) {
    case 'tensor':
      return attribute.value;
    case 'float':
      return float32([], [attribute.value]);
    case 'floats':
      return float32([attribute.value.length], attribute.value);
    case 'int':
      return { ...int64s([attribute.value]), dims: [] };
    case 'ints':
      return int64s(attribute.value);
    default:
      throw notUnderstood({ path }, node, `a constant of numbers, not ${kind || 'nothing'}`);
  }
}

/** Operators that give their first input another form and leave its numbers as they are. */
const VIEWS = new Set([
  ...['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Dropout', 'Cast', 'CastLike'],
]);

/** In Einstein's notation, which axes are moved of a value however many it has: the last two, the first behind all but the last, or both. */
export const AXES_MOVED = { last: '...ij->...ji', first: 'i...j->...ij', both: 'i...j->...ji' } as const;
const MOVING: ReadonlySet<string> = new Set(Object.values(AXES_MOVED));

/** Whether a node only gives its first input another form. */
export function isView({ domain, opType, attributes: { equation } }: OnnxNode): boolean {
  if (domain !== '') return false;
  return VIEWS.has(opType) || (equation?.type === 'string' && MOVING.has(equation.value));
}

/** The value that a chain of views begins with. */
export function behindViews(graph: ForeignGraph, name: string): string {
  let current = name;
  for (let node = graph.producers.get(current); node && isView(node); node = graph.producers.get(current))
    current = inputOf(graph, node, 0);
  return current;
}

/** The node that makes a value, views left out. */
export function makerOf(graph: ForeignGraph, name: string): OnnxNode | undefined {
  return graph.producers.get(behindViews(graph, name));
}

/**
 * A float constant as it is used: through Identity, Cast and transpositions, which exporters leave where they share weights or do
 * not fold.
 *
 * @returns undefined when the value is none, or is computed in another way
 */
export function weightConstant(graph: ForeignGraph, name: string): TensorSource | undefined {
  const direct = graph.constants.get(name);
  if (direct) return direct.dtype === 'float32' ? direct : undefined;
  const node = graph.producers.get(name);
  if (node?.domain !== '') return undefined;
  const [input = ''] = node.inputs;
  if (['Identity', 'Cast', 'CastLike'].includes(node.opType)) return weightConstant(graph, input);
  if (node.opType !== 'Transpose') return undefined;
  const tensor = weightConstant(graph, input);
  return tensor?.dims.length === 2 ? transposed(tensor) : undefined;
}

/** An integer attribute, or what stands for it where it is left out. */
export function intOf(node: OnnxNode, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.type === 'int' ? attribute.value : otherwise;
}

/** A float attribute, or what stands for it where it is left out. */
export function floatOf(node: OnnxNode, name: string, otherwise: number): number {
  const attribute = node.attributes[name];
  return attribute?.type === 'float' ? attribute.value : otherwise;
}
