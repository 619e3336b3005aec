import { join } from 'node:path';
import { cache } from '../../cache/store.js';
import { imageBytes, IMAGE_CHANNELS, type RecordLayout } from '../../data/dataset.js';
import { readModel, serializeModel } from '../../onnx/file.js';
import type { OnnxModel, OnnxNode } from '../../onnx/model.js';
import { defaultSessionOptions, type Engine, type Session, type Tensor } from '../../runtime/engine.js';
import { MODEL_FILE, PREPROCESS_FILE } from '../artifacts/write.js';
import { merged, overPatches, unmerged, type TokenPatches } from './patches.js';

/** What a model did with an image. */
export interface TracedImage {
  /** How much attention the last block's class token (without one: the mean token) pays to each patch, the mean over the heads. */
  readonly attention: readonly number[];
  /** The patches of each token that reached that block: several where tokens were merged. */
  readonly tokens: TokenPatches;
}

/** What a model did with some images. */
export interface Trace {
  /** Patches of a side; images are square. */
  readonly side: number;
  readonly images: readonly TracedImage[];
}

/** Larger files are not read into memory for a picture. */
const MOST_BYTES = 2 ** 30;

/** Images of one size, one after another. */
export interface Pixels {
  readonly layout: RecordLayout;
  readonly count: number;
  readonly pixels: Uint8Array;
}

/**
 * Runs a variant's model, as it lies in the cache, on some images and looks inside: what the last attention looks at, and which patches
 * became one token before.
 *
 * @param artifact - the key of the CPU's form, as a run stores it
 * @param images - as the data set has them
 * @param engine - of this process
 * @returns undefined when the cache no longer has the model, and for one whose tokens are no square of patches, which is not EdgeFlex's or
 *   merges as an older version wrote it
 * @throws Error with the runtime's message when the model cannot be run
 */
export async function traceVariant(
  artifact: string,
  images: Pixels,
  engine: Engine,
): Promise<Trace | undefined> {
  const entry = await cache().find({ kind: 'artifact', digest: artifact, from: undefined });
  if (entry === undefined || entry.bytes > MOST_BYTES) return undefined;
  const model = await readModel(join(entry.files, MODEL_FILE));
  const inside = insideOf(model);
  if (inside === undefined) return undefined;
  const options = { ...defaultSessionOptions, threads: 1 };
  const known = new Set(model.outputs.map(({ name }) => name));
  const wanted = inside.names.filter((name) => !known.has(name));
  const bytes = await serializeModel({
    ...model,
    untypedOutputs: [...(model.untypedOutputs ?? []), ...wanted],
  });
  const preprocess = await engine.open(join(entry.files, PREPROCESS_FILE), options);
  const session = await engine.open(bytes, options);
  try {
    const traced: TracedImage[] = [];
    let side = 0;
    for (let image = 0; image < images.count; image++) {
      const input = await prepared(engine, preprocess, images, image);
      const values = await session.run({ [session.inputNames[0] ?? '']: input }, inside.names);
      const sizes = sizesOf(inside, values);
      if (sizes === undefined) return undefined;
      side = sizes.side;
      traced.push(tracedImage(inside, sizes, values));
    }
    return { side, images: traced };
  } finally {
    await session.close();
    await preprocess.close();
  }
}

/** What the patches of an image are called: `[batch, patches, hidden]`. */
const PATCHES = 'patch:sequence';

/** Where to look. */
interface Inside {
  /** Keys of the first attention: how many tokens there are before anything is merged. */
  readonly first: string;
  /** Blocks before the last attention that merge, in order. */
  readonly merges: readonly { readonly kept: string; readonly gone: string; readonly into: string }[];
  readonly attention: {
    readonly q: string;
    readonly k: string;
    readonly bias: string | undefined;
    readonly heads: number;
  };
  /** Of all these values. */
  readonly names: readonly string[];
}

function insideOf({ nodes }: OnnxModel): Inside | undefined {
  const last = nodes.findLast(
    ({ opType, name }) => opType === 'Attention' && /^layers\.\d+\.attention$/.test(name),
  );
  const first = nodes.find(({ opType, name }) => opType === 'Attention' && name === 'layers.0.attention');
  const heads = last?.attributes['q_num_heads'];
  const [q, k, , bias] = last?.inputs ?? [];
  const before = first?.inputs[1];
  if (
    last === undefined ||
    before === undefined ||
    !nodes.some(({ name }) => name === PATCHES) ||
    heads?.type !== 'int' ||
    q === undefined ||
    k === undefined
  )
    return undefined;
  const behind = new Set(nodes.map(({ name }) => name));
  const upTo = nodes.slice(0, nodes.indexOf(last));
  const merges = upTo.flatMap((node) => mergeOf(node, behind));
  // A model whose merging was written in another way cannot be followed.
  if (merges.length < upTo.filter(({ name }) => MERGE.test(name)).length) return undefined;
  const attention = { q, k, bias: bias === '' ? undefined : bias, heads: heads.value };
  return {
    ...{ first: before, merges, attention },
    names: [
      ...new Set([PATCHES, before]),
      ...merges.flatMap(({ kept, gone, into }) => [kept, gone, into]),
      ...[q, k, ...(attention.bias === undefined ? [] : [attention.bias])],
    ],
  };
}

/** Which tokens stay, in every way that merging has been written. */
const MERGE = /^layers\.\d+\.merge:kept$/;

function mergeOf({ name }: OnnxNode, names: ReadonlySet<string>): Inside['merges'][number][] {
  const [, at] = /^(layers\.\d+\.merge):into$/.exec(name) ?? [];
  if (at === undefined) return [];
  const merge = { kept: `${at}:kept`, gone: `${at}:gone`, into: name };
  return names.has(merge.kept) && names.has(merge.gone) ? [merge] : [];
}

async function prepared(
  engine: Engine,
  preprocess: Session,
  { layout, pixels }: Pixels,
  image: number,
): Promise<Tensor> {
  const size = imageBytes(layout);
  const input = engine.tensor('uint8', pixels.slice(image * size, (image + 1) * size), [
    1,
    layout.channels ?? IMAGE_CHANNELS,
    layout.height,
    layout.width,
  ]);
  const [name, output] = [preprocess.inputNames[0] ?? '', preprocess.outputNames[0] ?? ''];
  const given = (await preprocess.run({ [name]: input }))[output];
  if (given === undefined) throw new Error('the preprocessing gave no output');
  return given;
}

/** How many patches a side has, and how many tokens stand before them; undefined where they are no square. */
function sizesOf(
  { first }: Inside,
  values: Readonly<Record<string, Tensor>>,
): { readonly side: number; readonly prefix: number } | undefined {
  const patches = values[PATCHES]?.dims[1] ?? NaN;
  const side = Math.sqrt(patches);
  const prefix = (values[first]?.dims[1] ?? NaN) - patches;
  return Number.isInteger(side) && prefix >= 0 ? { side, prefix } : undefined;
}

function tracedImage(
  { merges, attention }: Inside,
  { side, prefix }: { readonly side: number; readonly prefix: number },
  values: Readonly<Record<string, Tensor>>,
): TracedImage {
  const numbersOf = (name: string): number[] =>
    Array.from(values[name]?.data as ArrayLike<bigint | number>, Number);
  let tokens = unmerged(prefix, side ** 2);
  for (const { kept, gone, into } of merges)
    tokens = merged(tokens, { kept: numbersOf(kept), gone: numbersOf(gone), into: numbersOf(into) });
  const { q, k, bias, heads } = attention;
  const weights = attentionOf(
    { values: numbersOf(q), rows: values[q]?.dims[1] ?? 0 },
    numbersOf(k),
    bias === undefined ? undefined : numbersOf(bias),
    { heads, tokens: tokens.length, asking: prefix > 0 ? 1 : undefined },
  );
  return { attention: overPatches(weights, tokens, side ** 2), tokens };
}

/**
 * What attention weighs each token by: `softmax(q·kᵀ / √d + bias)`, the mean over the heads and over those that ask.
 *
 * @param q - `[rows, heads · d]`
 * @param k - `[tokens, heads · d]`
 * @param bias - `[heads or 1, rows, tokens]`; undefined adds nothing
 * @param shape - how many heads and tokens; how many of the first rows ask: all of them unless given
 */
export function attentionOf(
  q: { readonly values: readonly number[]; readonly rows: number },
  k: readonly number[],
  bias: readonly number[] | undefined,
  { heads, tokens, asking = q.rows }: { heads: number; tokens: number; asking?: number | undefined },
): number[] {
  const width = k.length / tokens;
  const depth = width / heads;
  const weights = Array.from({ length: tokens }, () => 0);
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < asking; row++) {
      const place = ((bias?.length ?? 0) > q.rows * tokens ? head * q.rows : 0) + row;
      const scores = weights.map((_, token) => {
        let product = 0;
        for (let d = head * depth; d < (head + 1) * depth; d++)
          product += (q.values[row * width + d] ?? NaN) * (k[token * width + d] ?? NaN);
        return product / Math.sqrt(depth) + (bias?.[place * tokens + token] ?? 0);
      });
      const most = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - most));
      const sum = powers.reduce((all, each) => all + each, 0);
      for (const [token, power] of powers.entries())
        weights[token] = (weights[token] ?? 0) + power / sum / heads / asking;
    }
  return weights;
}
