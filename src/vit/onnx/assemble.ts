import { z } from 'zod';
import { defined } from '../../base/defined.js';
import { InputError } from '../../base/errors.js';
import type { OnnxNode } from '../../onnx/model.js';
import { elementCount, type TensorSource } from '../../onnx/tensor.js';
import { readJson } from '../checkpoints/json.js';
import type { ViTConfig } from '../config.js';
import { averagedHeads, computed, finite, floats, pickedRows, scaledRows, zeros } from '../derived.js';
import { weightShapes, type ViT } from '../vit.js';
import { inputOf, notUnderstood } from './graph.js';
import type { FoundViT, ScaledLinear } from './parse.js';
import type { FoundLinear, FoundNorm, Searched } from './pieces.js';
import type { Moved } from './probe.js';

/**
 * Puts a model together from what was recognised. Tensors are read from the file when they are needed.
 *
 * @param graph - the graph
 * @param found - what was recognised
 * @param moved - of each block: how queries, keys and values are cut from their linears, and how heads are joined
 * @param image - shape of the graph's input
 * @param configPath - a `config.json` that may name the classes
 * @throws InputError when the pieces are not those of a ViT
 */
export async function assemble(
  graph: Searched,
  found: FoundViT,
  moved: readonly Moved[],
  image: readonly number[],
  configPath: string | undefined,
): Promise<ViT> {
  const { convolution, tokens, positions, blocks, norm, heads } = found;
  const [images, channels, imageSize] = image as [number, number, number];
  const kernel = kernelOf(graph, found);
  const [hiddenSize, , patchSize] = kernel.dims as [number, number, number];
  const distilled = tokens.length === 2;
  const epsilons = new Set([
    norm.epsilon,
    ...blocks.flatMap(({ norm1, norm2 }) => [norm1.epsilon, norm2.epsilon]),
  ]);
  if (epsilons.size !== 1)
    throw notUnderstood(graph, undefined, `one epsilon in all norms, not ${[...epsilons].join(', ')}`);
  const [queries] = moved;
  const layout = queries === undefined ? { heads: 1, size: hiddenSize } : headsOf(queries, hiddenSize);
  const config: ViTConfig = {
    ...{ imageSize, patchSize, channels, hiddenSize, heads: layout.heads, distilled },
    mlpSizes: blocks.map(({ fc1 }) => rowsOf(fc1)),
    layerNormEpsilon: norm.epsilon,
    labels: await labelsIn(configPath, rowsOf(defined(heads[0], 'a classifier'))),
  };
  const weights = new Map<string, TensorSource>();
  const put = (name: string, tensor: TensorSource): void => {
    weights.set(name, tensor);
  };
  const putNorm = (name: string, { weight, bias }: FoundNorm): void => {
    put(`${name}.weight`, weight);
    put(`${name}.bias`, bias);
  };
  const first = (tensor: TensorSource, dims: readonly number[]): TensorSource =>
    computed(dims, async () => (await floats(tensor)).slice(0, elementCount(dims)));
  put(
    'patch.weight',
    computed([hiddenSize, channels * patchSize ** 2], () => floats(kernel)),
  );
  const bias = graph.constants.get(convolution.inputs[2] ?? '');
  put('patch.bias', bias ?? zeros([hiddenSize]));
  const [cls, distillation] = tokens;
  put('cls', first(defined(cls, 'the class token'), [hiddenSize]));
  if (distillation) put('distillation', first(distillation, [hiddenSize]));
  const count = positions.dims.at(-2) ?? 0;
  put('positions', first(positions, [count, hiddenSize]));
  for (const [layer, block] of blocks.entries()) {
    const at = `layers.${layer}`;
    const [q, k, v, context] = moved.slice(layer * 4, layer * 4 + 4) as [Moved, Moved, Moved, Moved];
    const { attention, o, fc1, fc2, norm1, norm2 } = block;
    const scale = attention.scale * q.scale * k.scale;
    if (Math.abs(scale * Math.sqrt(layout.size) - 1) > 1e-5 || v.scale !== 1 || context.scale !== 1)
      throw notUnderstood(graph, attention.node, `scores scaled by 1/√${layout.size}, and values not at all`);
    putNorm(`${at}.norm1`, norm1);
    putNorm(`${at}.norm2`, norm2);
    const cut = (role: string, linear: FoundLinear, from: Moved, keys = false): void => {
      const rows = columnsOf(graph, attention.node, from, layout, images, keys);
      put(`${at}.${role}.weight`, pickedRows(linear.weight, rows));
      put(`${at}.${role}.bias`, linear.bias ? pickedRows(linear.bias, rows) : zeros([hiddenSize]));
    };
    cut('q', attention.q.linear, q);
    cut('k', attention.k.linear, k, attention.keysTransposed);
    cut('v', attention.v.linear, v);
    putScaled(weights, `${at}.o`, o);
    checkContext(graph, attention.node, context, layout, images);
    put(`${at}.fc1.weight`, fc1.weight);
    put(`${at}.fc1.bias`, fc1.bias ?? zeros([rowsOf(fc1)]));
    putScaled(weights, `${at}.fc2`, fc2);
  }
  putNorm('norm', norm);
  const classifiers = heads.map(({ weight, bias: shift = zeros([config.labels.length]) }) => ({
    weight,
    bias: shift,
  }));
  for (const [name, tensor] of averagedHeads(config, classifiers)) put(name, tensor);
  for (const [name, dims] of weightShapes(config)) {
    const tensor = weights.get(name);
    const shape = tensor?.dims;
    if (tensor === undefined || shape?.join() !== dims.join())
      throw new InputError({
        source: graph.path,
        place: `what was recognised as ${name}`,
        found: shape ? `shape [${shape.join(', ')}]` : 'nothing',
        expected: `shape [${dims.join(', ')}]`,
      });
    const place = `what was recognised as ${name}`;
    put(
      name,
      computed(dims, async () => finite(graph.path, place, await floats(tensor))),
    );
  }
  return { config, weights, forms: new Map() };
}

/** The weight of the convolution that cuts the image into patches. */
function kernelOf(graph: Searched, { convolution }: FoundViT): TensorSource {
  const { attributes } = convolution;
  const kernel = graph.constants.get(inputOf(graph, convolution, 1));
  const [, , patchSize] = kernel?.dims ?? [];
  const list = (name: string): readonly number[] => {
    const attribute = attributes[name];
    return attribute?.type === 'ints' ? attribute.value : [];
  };
  const whole =
    list('strides').every((stride) => stride === patchSize) &&
    list('strides').length === 2 &&
    list('pads').every((pad) => pad === 0) &&
    list('dilations').every((dilation) => dilation === 1) &&
    kernel?.dtype === 'float32' &&
    kernel.dims[3] === patchSize;
  const { group } = attributes;
  if (kernel === undefined || !whole || (group?.type === 'int' && group.value !== 1))
    throw notUnderstood(
      graph,
      convolution,
      'a convolution of square patches that neither overlap nor leave gaps',
    );
  return kernel;
}

function rowsOf({ weight }: FoundLinear): number {
  return defined(weight.dims[0], 'the width of a linear layer');
}

interface HeadLayout {
  readonly heads: number;
  readonly size: number;
}

/** How many heads queries come in: `[batch, heads, tokens, size]` or `[batch·heads, tokens, size]`. */
function headsOf({ dims }: Moved, width: number): HeadLayout {
  const size = defined(dims.at(-1), 'the width of a head');
  return { heads: width / size, size };
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

/** Class names from a `config.json`, where it has as many. */
async function labelsIn(config: string | undefined, classes: number): Promise<string[]> {
  const raw = config === undefined ? undefined : await readJson(config, 'a configuration');
  const names = labelsSchema.safeParse(raw).data?.id2label ?? {};
  const labels = Array.from({ length: classes }, (_, index) => names[String(index)] ?? `class ${index}`);
  return Object.keys(names).length === classes ? labels : labels.map((_, index) => `class ${index}`);
}
