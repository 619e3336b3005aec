import type { TensorSource } from '../../onnx/tensor.js';
import { defined } from '../../base/defined.js';
import { headWidth, tokensAt, type ViTConfig } from '../../vit/config.js';
import { withWeights, type ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import type { Blas } from '../linalg/blas.js';
import { rowsOf, type BlockStream } from '../observe/blocks.js';
import { imageMeansTap } from '../observe/image-means.js';
import { momentsTap, type Moments } from '../observe/moments.js';
import { walkBlocks } from '../observe/walk.js';
import { floatEntry, floatsOf } from '../weights.js';
import type { PruneAttentionOptions } from './options.js';
import { narrowingOf, type HeadMoments, type HeadNarrowing } from './scores.js';

/** Raised whenever the same model and images would give other weights: recipes share them. */
const NARROWING_VERSION = 1;

/** What narrowing did to one block. */
export interface NarrowedAttention {
  readonly layer: number;
  /** Width of the queries and keys of a head. */
  readonly before: number;
  readonly after: number;
  /** Error of the scores as a share of their variance over the keys of an image, as predicted; the mean over the heads. */
  readonly error: number;
  /** The root of the mean square of that error, in units of what softmax is given. */
  readonly scores: number;
}

/** A model with narrower queries and keys. */
export interface NarrowedModel {
  readonly vit: ViT;
  readonly blocks: readonly NarrowedAttention[];
}

/**
 * What of a model sees single channels of queries and keys, so that they cannot become narrower.
 *
 * @param config - the architecture
 * @returns in words; undefined where nothing does
 */
export function obstacleIn({ rotary, queryKeyNorms = false, queryKeySizes }: ViTConfig): string | undefined {
  if (rotary !== undefined) return 'rotary positions, which turn the channels of queries and keys in pairs';
  if (queryKeyNorms) return 'norms of queries and keys, which see all channels of a head at once';
  if (queryKeySizes !== undefined) return 'queries and keys that are narrower than its heads already';
  return undefined;
}

/**
 * The width nearest to what a ratio leaves of the queries and keys of a head.
 *
 * @param config - the architecture
 * @param options - the ratio, and of what widths are multiples
 * @returns the width they have where a narrower one is not nearer
 */
export function sizeOf(
  config: ViTConfig,
  { ratio, multiple }: Pick<PruneAttentionOptions, 'ratio' | 'multiple'>,
): number {
  const before = headWidth(config);
  return Math.min(before, Math.max(1, Math.round((before * (1 - ratio)) / multiple)) * multiple);
}

/** Which images queries and keys are observed on, and where in the stage's progress. */
interface Narrowing {
  readonly images: Calibration<'calibration'>;
  readonly compensation: PruneAttentionOptions['compensation'];
  readonly progress: readonly [from: number, to: number];
}

/**
 * What narrowing depends on besides the model: of it the store of observations knows it again, and whatever is made of it must know it,
 * too.
 *
 * @param sizes - widths of a head's queries and keys
 * @param how - images, and whether what stays makes up for what goes
 */
export function narrowedBy(
  sizes: readonly number[],
  { images, compensation }: Pick<Narrowing, 'images' | 'compensation'>,
): object {
  return { narrowing: NARROWING_VERSION, sizes, compensation, images: images.hash };
}

/**
 * Makes the queries and keys of all heads narrower, to each of some widths: rows of their linears go, and those that stay are recombined
 * so that the scores of attention change least. One pass over the images observes the model as it is, for all widths.
 *
 * @param vit - a float model in which nothing sees single channels of queries and keys
 * @param context - the stage's context
 * @param sizes - widths of a head's queries and keys, at least one
 * @param how - on which images, and whether what stays makes up for what goes
 * @param blas - float64 products
 * @returns one model for each width
 */
export async function narrowQueryKeys(
  vit: ViT,
  context: StageContext,
  sizes: readonly number[],
  how: Narrowing,
  blas: Blas,
): Promise<readonly NarrowedModel[]> {
  const shared = { ...context, checkpoints: await context.observations(narrowedBy(sizes, how)) };
  const { values, aside } = await walkBlocks<readonly NarrowedAttention[]>(shared, vit, {
    name: 'query-keys',
    images: how.images,
    progress: how.progress,
    what: 'queries and keys of ',
    async visit(_, stream, layer) {
      const observed = await observeInputs(stream, vit, layer, blas);
      const narrow = await narrowBlock(vit, layer, sizes, observed, how.compensation, blas);
      return { vit, ...narrow };
    },
  });
  return sizes.map((size, index) => ({
    vit: withWeights(
      { ...vit, config: { ...vit.config, queryKeySizes: values.map(() => size) } },
      values.flatMap((_, layer) =>
        tensorsOf(layer).map((name): [string, TensorSource] => [
          name,
          defined(aside.get(nameOf(name, size)), `the narrower ${name}`),
        ]),
      ),
    ),
    blocks: values.map((blocks, layer) => defined(blocks[index], `the narrowed block ${layer}`)),
  }));
}

const tensorsOf = (layer: number): string[] =>
  ['q.weight', 'q.bias', 'k.weight', 'k.bias'].map((each) => `layers.${layer}.${each}`);

/** Tells the widths of a tensor apart. */
const nameOf = (tensor: string, size: number): string => `${tensor}.${size}`;

/** What queries and keys are made of. */
interface ObservedInputs extends Moments {
  /** Covariance within an image, `[hidden, hidden]`. */
  readonly within: Float64Array;
}

/** Observes what attention reads on the way of the images through a block of the model as it is. */
async function observeInputs(
  stream: BlockStream,
  vit: ViT,
  layer: number,
  blas: Blas,
): Promise<ObservedInputs> {
  const tap = momentsTap('q', rowsOf(stream, vit.config, layer, 'q').rowsPerBatch);
  const means = imageMeansTap('q', tokensAt(vit.config, layer));
  await stream.advance(vit, layer, [tap, means]);
  const moments = tap.result();
  const { hiddenSize } = vit.config;
  const ofImages = means.result();
  const count = ofImages.length / hiddenSize;
  const apart = new Float64Array(ofImages.length);
  for (let image = 0; image < count; image++)
    for (let c = 0; c < hiddenSize; c++)
      apart[c * count + image] = ofImages[image * hiddenSize + c]! - moments.mean[c]!;
  // All variance is that within images and that of their means.
  const between = await blas.productTransposed(apart, apart, count);
  return { ...moments, within: moments.covariance.map((value, i) => value - between[i]! / count) };
}

/** The queries and keys of a block at each of some widths. */
async function narrowBlock(
  vit: ViT,
  layer: number,
  sizes: readonly number[],
  observed: ObservedInputs,
  compensation: PruneAttentionOptions['compensation'],
  blas: Blas,
): Promise<{ value: NarrowedAttention[]; aside: Map<string, TensorSource> }> {
  const { heads, hiddenSize } = vit.config;
  const d = headWidth(vit.config);
  const [queries, keys] = [await projectionOf(vit, layer, 'q'), await projectionOf(vit, layer, 'k')];
  const moments = await headMoments(queries, keys, heads, observed, blas);
  const narrowings: HeadNarrowing[] = [];
  for (const each of moments) narrowings.push(await narrowingOf(each, d, compensation, blas));
  const value: NarrowedAttention[] = [];
  const aside = new Map<string, TensorSource>();
  for (const size of sizes) {
    const narrow = {
      q: emptyProjection(heads * size, hiddenSize),
      k: emptyProjection(heads * size, hiddenSize),
    };
    // The runtime divides by the root of the new width: the rest of what it divided by before is put into the queries.
    const scale = Math.sqrt(size / d);
    let [share, square] = [0, 0];
    for (const [head, narrowing] of narrowings.entries()) {
      const { query, key, error, variance } = await narrowing(size);
      const scaled = query.map((entry) => entry * scale);
      await putHead(narrow.q, head, size, scaled, queries, d, blas);
      await putHead(narrow.k, head, size, key, keys, d, blas);
      share += error / (variance || 1) / heads;
      square += error / d / heads;
    }
    for (const role of ['q', 'k'] as const)
      for (const [part, dims] of [
        ['weight', [heads * size, hiddenSize]],
        ['bias', [heads * size]],
      ] as const) {
        const name = `layers.${layer}.${role}.${part}`;
        aside.set(nameOf(name, size), floatEntry(vit, name, dims, narrow[role][part])[1]);
      }
    value.push({ layer, before: d, after: size, error: share, scores: Math.sqrt(square) });
  }
  return { value, aside };
}

/** How the queries and keys of a block's heads vary. */
async function headMoments(
  queries: Projection,
  keys: Projection,
  heads: number,
  observed: ObservedInputs,
  blas: Blas,
): Promise<HeadMoments[]> {
  const hiddenSize = observed.mean.length;
  const d = queries.bias.length / heads;
  const queryRows = await blas.product(queries.weight, observed.covariance, hiddenSize);
  const keyRows = await blas.product(keys.weight, observed.within, hiddenSize);
  const moments: HeadMoments[] = [];
  for (let head = 0; head < heads; head++) {
    const rows = (matrix: Float64Array): Float64Array =>
      matrix.subarray(head * d * hiddenSize, (head + 1) * d * hiddenSize);
    const second = await blas.productTransposed(rows(queryRows), rows(queries.weight), hiddenSize);
    const mean = await meanOf(queries, head, d, observed.mean, blas);
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) second[i * d + j]! += mean[i]! * mean[j]!;
    moments.push({
      queries: second,
      keys: await blas.productTransposed(rows(keyRows), rows(keys.weight), hiddenSize),
    });
  }
  return moments;
}

/** A linear in float64. */
interface Projection {
  /** `[outputs, hidden]`. */
  readonly weight: Float64Array;
  /** `[outputs]`. */
  readonly bias: Float64Array;
}

async function projectionOf(vit: ViT, layer: number, role: 'q' | 'k'): Promise<Projection> {
  const name = `layers.${layer}.${role}`;
  return {
    weight: Float64Array.from(await floatsOf(vit, `${name}.weight`)),
    bias: Float64Array.from(await floatsOf(vit, `${name}.bias`)),
  };
}

function emptyProjection(outputs: number, inputs: number): Projection {
  return { weight: new Float64Array(outputs * inputs), bias: new Float64Array(outputs) };
}

/** What a head's outputs are on average, `[d]`. */
async function meanOf(
  { weight, bias }: Projection,
  head: number,
  d: number,
  mean: Float64Array,
  blas: Blas,
): Promise<Float64Array> {
  const inputs = mean.length;
  const product = await blas.product(
    weight.subarray(head * d * inputs, (head + 1) * d * inputs),
    mean,
    inputs,
  );
  return product.map((value, i) => value + bias[head * d + i]!);
}

/**
 * Puts a map behind a head of a projection, as a head of another.
 *
 * @param map - `[size, d]`
 */
async function putHead(
  into: Projection,
  head: number,
  size: number,
  map: Float64Array,
  { weight, bias }: Projection,
  d: number,
  blas: Blas,
): Promise<void> {
  const inputs = weight.length / bias.length;
  const rows = weight.subarray(head * d * inputs, (head + 1) * d * inputs);
  into.weight.set(await blas.product(map, rows, d), head * size * inputs);
  into.bias.set(await blas.product(map, bias.subarray(head * d, (head + 1) * d), d), head * size);
}
