import { z } from 'zod';
import { area, divided, isWhole, type Size } from '../../base/size.js';
import { defined } from '../../base/defined.js';
import type { OnnxNode } from '../../onnx/model.js';
import { elementCount, float32, type TensorSource } from '../../onnx/tensor.js';
import type { Tensor } from '../../runtime/engine.js';
import { readJson } from '../checkpoints/json.js';
import {
  prefixOf,
  prefixTokens,
  relativeDistances,
  tokenCount,
  type Pooling,
  type ViTConfig,
} from '../config.js';
import {
  averagedHeads,
  computed,
  finite,
  floats,
  pickedRows,
  scaledRows,
  stackedRows,
  zeros,
} from '../derived.js';
import { distances } from '../graph/relative.js';
import { weightShapes, type ViT } from '../vit.js';
import type { KnownActivations } from './activation.js';
import type { FoundAttention } from './attention.js';
import { HINT, inputOf, notUnderstood } from './graph.js';
import {
  poolOf,
  type FoundBlock,
  type FoundPool,
  type FoundViT,
  type HeadRead,
  type ScaledLinear,
} from './parse.js';
import type { FoundLinear, FoundNorm, Searched } from './pieces.js';
import type { Moved } from './probe.js';
import { UnrecognisedGraph } from './unrecognised.js';

/** What was recognised in a graph, and what running pieces of it showed. */
export interface RecognisedViT extends FoundViT {
  /**
   * Of each block: how queries, keys and values are cut from their linears, and how heads are joined; behind the blocks the same of what
   * pools by attention, its query left out.
   */
  readonly moved: readonly Moved[];
  readonly activations: KnownActivations;
  /** The tokens of an image of zeros as they come into the first block: `[images, tokens, hidden]`, or tokens first. */
  readonly tokens: Tensor;
}

/**
 * Puts a model together from what was recognised. Tensors are read from the file when they are needed.
 *
 * @param graph - the graph
 * @param found - what was recognised
 * @param image - shape of the graph's input
 * @param configPath - a `config.json` that may name the classes
 * @throws UnrecognisedGraph when the pieces are not those of a ViT
 */
export async function assemble(
  graph: Searched,
  found: RecognisedViT,
  image: readonly number[],
  configPath: string | undefined,
): Promise<ViT> {
  const { convolution, firstNorm, blocks, read, heads, moved, activations } = found;
  const pool = poolOf(found);
  const [images, channels, ...imageSides] = image as [number, number, number, number];
  const imageSize: Size = { height: imageSides[0], width: imageSides[1] };
  const kernel = kernelOf(graph, found);
  const [hiddenSize, , ...patchSides] = kernel.dims as [number, number, number, number];
  const patchSize: Size = { height: patchSides[0], width: patchSides[1] };
  for (const { attention } of blocks)
    if ((attention.q.norm === undefined) !== (attention.k.norm === undefined))
      throw notUnderstood(graph, attention.node, 'norms of queries and keys, or of neither');
  const norms = [firstNorm, read.norm, pool?.norm, ...blocks.flatMap(normsOf)].flatMap((norm) => norm ?? []);
  const epsilons = new Set(norms.map(({ epsilon }) => epsilon));
  const [epsilon = 1e-6, another] = epsilons;
  if (another !== undefined)
    throw notUnderstood(graph, undefined, `one epsilon in all norms, not ${[...epsilons].join(', ')}`);
  const [queries] = blocks.length === 0 ? [] : moved;
  const size = queries === undefined ? hiddenSize : defined(queries.dims.at(-1), 'the width of a head');
  const width = blocks[0] === undefined ? hiddenSize : rowsOf(blocks[0].o.linear, 1);
  const layout: HeadLayout = { heads: width / size, size };
  const [poolKeys, poolValues, poolContext] = moved.slice(blocks.length * 4);
  const poolLayout =
    pool && poolKeys && layoutOf(poolKeys, hiddenSize, pool.attention.keysTransposed ? -2 : -1);
  const start = startOf(graph, found, images, hiddenSize);
  const grid = divided(imageSize, patchSize);
  if (!isWhole(grid)) throw notUnderstood(graph, convolution, 'patches that divide the image');
  const patches = area(grid);
  const prefix = start.count - patches;
  const distilled = heads.length === 2;
  const registers = prefix - (distilled ? 2 : 1);
  const normed = blocks.some(({ attention: { q } }) => q.norm);
  const biased = blocks.some(({ attention }) => attention.bias);
  const config: ViTConfig = {
    ...{ imageSize, patchSize, channels, hiddenSize, heads: layout.heads, distilled },
    ...(width !== hiddenSize && { headSize: size }),
    mlpSizes: blocks.map(({ fc2 }) => rowsOf(fc2.linear, 1)),
    ...(activations.activation !== 'gelu' && { activation: activations.activation }),
    layerNormEpsilon: epsilon,
    ...(prefix === 0 && { classToken: false }),
    ...(registers > 0 && { registers }),
    ...(biased && { relativePositions: true }),
    ...(firstNorm && { firstNorm: true }),
    ...(normed && { queryKeyNorms: true }),
    ...(read.what.kind !== 'token' && { pooling: poolingOf(graph, read, prefix) }),
    ...(pool && { poolSize: rowsOf(pool.fc2, 1) }),
    ...(poolLayout && poolLayout.heads !== layout.heads && { poolHeads: poolLayout.heads }),
    ...(read.lastNorm !== 'tokens' && { lastNorm: read.lastNorm }),
    labels: heads[0] === undefined ? [] : await labelsIn(configPath, rowsOf(heads[0])),
  };
  if (prefix < 0 || registers < (prefix === 0 ? -1 : 0))
    throw notUnderstood(
      graph,
      graph.producers.get(found.start),
      `${patches} patches and the tokens before them`,
    );
  const weights = new Map<string, TensorSource>();
  const put = (name: string, tensor: TensorSource): void => {
    weights.set(name, tensor);
  };
  const putNorm = (name: string, norm: FoundNorm | undefined): void => {
    if (norm === undefined) return;
    put(`${name}.weight`, norm.weight);
    put(`${name}.bias`, norm.bias);
  };
  put(
    'patch.weight',
    computed([hiddenSize, channels * area(patchSize)], () => floats(kernel)),
  );
  const bias = graph.constants.get(convolution.inputs[2] ?? '') ?? zeros([hiddenSize]);
  put('patch.bias', bias);
  putStart(put, config, start.values, bias);
  putNorm('first_norm', firstNorm);
  for (const [layer, block] of blocks.entries()) {
    const at = `layers.${layer}`;
    const [q, k, v, context] = moved.slice(layer * 4, layer * 4 + 4) as [Moved, Moved, Moved, Moved];
    const { attention, o, activation, fc2, norm1, norm2 } = block;
    const scale = attention.scale * q.scale * k.scale;
    if (
      Math.abs(scale * Math.sqrt(layout.size) - 1) > 1e-5 + graph.rounding ||
      v.scale !== 1 ||
      context.scale !== 1
    )
      throw notUnderstood(graph, attention.node, `scores scaled by 1/√${layout.size}, and values not at all`);
    putNorm(`${at}.norm1`, norm1);
    putNorm(`${at}.norm2`, norm2);
    putNorm(`${at}.q_norm`, attention.q.norm);
    putNorm(`${at}.k_norm`, attention.k.norm);
    if (attention.bias) put(`${at}.distances`, await distancesOf(graph, attention, attention.bias, config));
    const cut = (role: string, linear: FoundLinear, from: Moved, keys = false): void => {
      const rows = columnsOf(graph, attention.node, from, layout, images, keys);
      put(`${at}.${role}.weight`, pickedRows(linear.weight, rows));
      put(`${at}.${role}.bias`, linear.bias ? pickedRows(linear.bias, rows) : zeros([width]));
    };
    cut('q', attention.q.linear, q);
    cut('k', attention.k.linear, k, attention.keysTransposed);
    cut('v', attention.v.linear, v);
    putScaled(weights, `${at}.o`, o);
    checkContext(graph, attention.node, context, layout, images);
    const fc1 = joined(activation.sources, activations.gatesLast[layer] === true);
    put(`${at}.fc1.weight`, fc1.weight);
    put(`${at}.fc1.bias`, fc1.bias);
    putScaled(weights, `${at}.fc2`, fc2);
  }
  putNorm('norm', read.norm);
  if (pool && poolKeys && poolValues && poolContext && poolLayout) {
    const { attention, o, norm, activation, fc2 } = pool;
    const { node, k, v, keysTransposed } = attention;
    if (poolValues.scale !== 1 || poolContext.scale !== 1)
      throw notUnderstood(graph, node, 'values that are not scaled');
    putNorm('pool.norm', norm);
    const keys = columnsOf(graph, node, poolKeys, poolLayout, images, keysTransposed);
    put('pool.scores', queried(pool, pickedRows(k.linear.weight, keys), poolLayout, poolKeys.scale));
    const rows = columnsOf(graph, node, poolValues, poolLayout, images, false);
    put('pool.v.weight', pickedRows(v.linear.weight, rows));
    put('pool.v.bias', v.linear.bias ? pickedRows(v.linear.bias, rows) : zeros([hiddenSize]));
    checkContext(graph, node, poolContext, poolLayout, images);
    const plain = { scale: undefined };
    putScaled(weights, 'pool.o', { linear: o, ...plain });
    const fc1 = joined(activation.sources, activations.gatesLast[blocks.length] === true);
    put('pool.fc1.weight', fc1.weight);
    put('pool.fc1.bias', fc1.bias);
    putScaled(weights, 'pool.fc2', { linear: fc2, ...plain });
  }
  const classifiers = heads.map(({ weight, bias: shift = zeros([config.labels.length]) }) => ({
    weight,
    bias: shift,
  }));
  for (const [name, tensor] of averagedHeads(config, classifiers)) put(name, tensor);
  for (const [name, dims] of weightShapes(config)) {
    const tensor = weights.get(name);
    const shape = tensor?.dims;
    const place = `what was recognised as ${name}`;
    if (tensor === undefined || shape?.join() !== dims.join()) {
      const found = shape ? `shape [${shape.join(', ')}]` : 'nothing';
      const expected = `shape [${dims.join(', ')}]`;
      throw new UnrecognisedGraph(
        { kind: 'shape', weight: name, found, expected },
        { source: graph.path, place, found, expected, hint: HINT },
      );
    }
    put(
      name,
      computed(dims, async () => finite(graph.path, place, await floats(tensor))),
    );
  }
  return { config, weights, forms: new Map() };
}

function normsOf({ norm1, norm2, attention: { q, k } }: FoundBlock): (FoundNorm | undefined)[] {
  return [norm1, norm2, q.norm, k.norm];
}

/** The rows of the first layer of an MLP, the gates first where there are any. */
function joined(
  sources: readonly FoundLinear[],
  gateLast: boolean,
): { readonly weight: TensorSource; readonly bias: TensorSource } {
  const [first, second] = sources.map((linear) => ({
    weight: linear.weight,
    bias: linear.bias ?? zeros([rowsOf(linear)]),
  }));
  if (first === undefined) throw new Error('an MLP without a first layer');
  if (second === undefined) {
    if (!gateLast) return first;
    const half = (first.bias.dims[0] ?? 0) / 2;
    const rows = Int32Array.from({ length: 2 * half }, (_, row) => (row + half) % (2 * half));
    return { weight: pickedRows(first.weight, rows), bias: pickedRows(first.bias, rows) };
  }
  const [gate, value] = gateLast ? [second, first] : [first, second];
  return { weight: stackedRows(gate.weight, value.weight), bias: stackedRows(gate.bias, value.bias) };
}

/** The tokens of an image of zeros, one after the other: `[tokens, hidden]`. */
function startOf(
  graph: Searched,
  { start, tokens: { dims, data } }: RecognisedViT,
  images: number,
  width: number,
): { readonly count: number; readonly values: Float32Array } {
  const all = data as Float32Array;
  const [first, second] = dims;
  const count = all.length / (images * width);
  const imagesFirst = first === images && (second === count || dims.length === 2);
  const tokensFirst = first === count && second === images;
  if (dims.at(-1) !== width || !(imagesFirst || tokensFirst))
    throw notUnderstood(graph, graph.producers.get(start), `tokens of ${width} numbers`);
  if (imagesFirst) return { count, values: all.slice(0, count * width) };
  const values = new Float32Array(count * width);
  for (let token = 0; token < count; token++)
    values.set(all.subarray(token * images * width, token * images * width + width), token * width);
  return { count, values };
}

/** Tokens before the patches with their positions, and the positions of the patches: what they are without an image, but for the bias. */
function putStart(
  put: (name: string, tensor: TensorSource) => void,
  config: ViTConfig,
  start: Float32Array,
  bias: TensorSource,
): void {
  const { hiddenSize: width } = config;
  let row = 0;
  for (const { name, count } of prefixOf(config)) {
    const values = start.slice(row * width, (row + count) * width);
    put(name, float32(name === 'registers' ? [count, width] : [width], values));
    row += count;
  }
  const dims = [start.length / width, width];
  put(
    'positions',
    computed(dims, async () => {
      const shift = await floats(bias);
      return start.map((value, at) => (at < row * width ? 0 : value - (shift[at % width] ?? NaN)));
    }),
  );
}

/** What the head reads, of a model with so many tokens before the patches. */
function poolingOf(graph: Searched, { what, node }: HeadRead, prefix: number): Pooling {
  if (what.kind === 'token') return 'class';
  if (what.kind === 'mean' && what.start === 0) return prefix === 0 ? 'patches' : 'tokens';
  if (what.kind === 'attention' && what.start === 0) return 'tokens-attention';
  if (what.start !== prefix)
    throw notUnderstood(graph, node, `a mean of all tokens, or of the patches behind the first ${prefix}`);
  if (what.kind === 'attention') return 'patches-attention';
  return what.kind === 'mean' ? 'patches' : 'class-patches';
}

/** The table of distances that what is added to the scores was made from. */
async function distancesOf(
  graph: Searched,
  { node }: FoundAttention,
  bias: TensorSource,
  config: ViTConfig,
): Promise<TensorSource> {
  const { heads } = config;
  const tokens = tokenCount(config);
  const refuse = (): UnrecognisedGraph =>
    notUnderstood(
      graph,
      node,
      'a number for each head and distance of patches added to the scores, or nothing',
    );
  const perImage = heads * tokens ** 2;
  // Exporters may write it once for every image.
  if (prefixTokens(config) > 1 || elementCount(bias.dims) % perImage !== 0) throw refuse();
  const places = distances(config, tokens);
  const count = relativeDistances(config);
  const values = await floats(bias);
  const table = new Float32Array(heads * count);
  const placeOf = (at: number): number =>
    (Math.floor(at / places.length) % heads) * count + (places[at % places.length] ?? NaN);
  for (const [at, value] of values.entries()) table[placeOf(at)] = value;
  if (values.some((value, at) => table[placeOf(at)] !== value)) throw refuse();
  return float32([heads, count], table);
}

/** The weight of the convolution that cuts the image into patches. */
function kernelOf(graph: Searched, { convolution }: FoundViT): TensorSource {
  const { attributes } = convolution;
  const kernel = graph.constants.get(inputOf(graph, convolution, 1));
  const patchSides = kernel?.dims.slice(2) ?? [];
  const list = (name: string): readonly number[] => {
    const attribute = attributes[name];
    return attribute?.type === 'ints' ? attribute.value : [];
  };
  const whole =
    list('strides').length === 2 &&
    list('strides').every((stride, axis) => stride === patchSides[axis]) &&
    list('pads').every((pad) => pad === 0) &&
    list('dilations').every((dilation) => dilation === 1) &&
    kernel?.dtype === 'float32' &&
    patchSides.length === 2;
  const { group } = attributes;
  if (kernel === undefined || !whole || (group?.type === 'int' && group.value !== 1))
    throw notUnderstood(graph, convolution, 'a convolution of patches that neither overlap nor leave gaps');
  return kernel;
}

function rowsOf({ weight }: FoundLinear, axis: 0 | 1 = 0): number {
  return defined(weight.dims[axis], 'the width of a linear layer');
}

interface HeadLayout {
  readonly heads: number;
  readonly size: number;
}

/** Heads of what attention reads, whose channels lie along an axis. */
function layoutOf({ dims }: Moved, width: number, axis: -1 | -2): HeadLayout {
  const size = defined(dims.at(axis), 'the width of a head');
  return { heads: width / size, size };
}

/**
 * For each head of pooling by attention the vector whose product with a token is the token's score.
 *
 * @param pool - what pools
 * @param keys - the projection of the keys, head by head: `[heads · size, hidden]`
 * @param layout - its heads
 * @param scale - what the keys are multiplied by on their way
 * @returns `[heads, hidden]`
 */
function queried(
  { attention: { query, scale: ofScores } }: FoundPool,
  keys: TensorSource,
  { heads, size }: HeadLayout,
  scale: number,
): TensorSource {
  const [, width = 0] = keys.dims;
  return computed([heads, width], async () => {
    // Each image has the same.
    const [q, k] = [await floats(query), await floats(keys)];
    const out = new Float64Array(heads * width);
    for (let row = 0; row < heads * size; row++) {
      const [from, factor] = [Math.floor(row / size) * width, ofScores * scale * (q[row] ?? NaN)];
      for (let c = 0; c < width; c++)
        out[from + c] = (out[from + c] ?? NaN) + factor * (k[row * width + c] ?? NaN);
    }
    return Float32Array.from(out);
  });
}

/** For each channel of the heads in order, the output of the linear that it is. */
function columnsOf(
  graph: Searched,
  node: OnnxNode,
  { dims, columns }: Moved,
  { heads, size }: HeadLayout,
  images: number,
  transposed: boolean,
): Int32Array {
  const [rows, width] = dims.slice(-2) as [number, number];
  const tokens = transposed ? width : rows;
  const expected = images * heads * tokens * size;
  if (columns.length !== expected || (transposed ? rows : width) !== size)
    throw notUnderstood(graph, node, `queries, keys and values in heads of ${size}, the same for all`);
  const at = (head: number, token: number, channel: number): number =>
    columns[head * tokens * size + (transposed ? channel * tokens + token : token * size + channel)] ?? NaN;
  const out = Int32Array.from({ length: heads * size }, (_, i) => at(Math.floor(i / size), 0, i % size));
  for (let head = 0; head < images * heads; head++)
    for (let token = 0; token < tokens; token++)
      for (let channel = 0; channel < size; channel++)
        if (at(head, token, channel) !== out[(head % heads) * size + channel])
          throw notUnderstood(graph, node, 'the same cut into heads for every token of every image');
  return out;
}

/** Behind attention, channel after channel and head after head must lie side by side again. */
function checkContext(
  graph: Searched,
  node: OnnxNode,
  { columns, dims }: Moved,
  { heads, size }: HeadLayout,
  images: number,
): void {
  const width = heads * size;
  const right = columns.length % (images * width) === 0 && dims.at(-1) === width;
  if (!right || columns.some((column, i) => column !== i % size))
    throw notUnderstood(graph, node, 'heads that are put side by side in their order');
}

function putScaled(weights: Map<string, TensorSource>, name: string, { linear, scale }: ScaledLinear): void {
  const { weight, bias = zeros([rowsOf(linear)]) } = linear;
  weights.set(`${name}.weight`, scale ? scaledRows(weight, scale) : weight);
  weights.set(`${name}.bias`, scale ? scaledRows(bias, scale) : bias);
}

const labelsSchema = z.object({ id2label: z.record(z.string(), z.string()) });

/**
 * Class names from a `config.json`, where it has as many.
 *
 * @param config - the file; undefined where there is none
 * @param classes - how many there are
 * @returns `class 0`, `class 1`, … where it has none, or another number
 */
export async function labelsIn(config: string | undefined, classes: number): Promise<string[]> {
  const raw = config === undefined ? undefined : await readJson(config, 'a configuration');
  const names = labelsSchema.safeParse(raw).data?.id2label ?? {};
  const labels = Array.from({ length: classes }, (_, index) => names[String(index)] ?? `class ${index}`);
  return Object.keys(names).length === classes ? labels : labels.map((_, index) => `class ${index}`);
}
