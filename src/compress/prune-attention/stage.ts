import { InputError } from '../../base/errors.js';
import { headWidth, layerCount, tokensAt, type ViTConfig } from '../../vit/config.js';
import { withWeights, type ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openBlas, type Blas } from '../linalg/blas.js';
import { rowsOf, type BlockStream } from '../observe/blocks.js';
import { imageMeansTap } from '../observe/image-means.js';
import { momentsTap, type Moments } from '../observe/moments.js';
import { walkBlocks } from '../observe/walk.js';
import { floatEntry, floatsOf } from '../weights.js';
import type { PruneAttentionOptions } from './options.js';
import { narrowHead } from './scores.js';

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

/** The report of the stage. */
export interface PruneAttentionReport {
  readonly images: number;
  readonly blocks: readonly NarrowedAttention[];
}

/**
 * The width that a ratio leaves of the queries and keys of a head.
 *
 * @param config - the architecture
 * @param options - the ratio, and of what widths are multiples
 * @throws InputError when queries and keys cannot be narrowed, or nothing would go
 */
export function narrowedSize(
  config: ViTConfig,
  { ratio, multiple }: Pick<PruneAttentionOptions, 'ratio' | 'multiple'>,
): number {
  const obstacle = obstacleIn(config);
  const refused = (place: string, found: string, expected: string, hint?: string): InputError =>
    new InputError({ source: 'recipe', place, found, expected, ...(hint !== undefined && { hint }) });
  if (obstacle !== undefined)
    throw refused(
      'prune-attention',
      `a model with ${obstacle}`,
      'a model whose queries and keys meet as its linears give them',
    );
  const before = headWidth(config);
  const size = Math.max(1, Math.round((before * (1 - ratio)) / multiple)) * multiple;
  if (size >= before)
    throw refused(
      'prune-attention.ratio',
      `${ratio}, which removes none of the ${before} channels of a head`,
      `a ratio that leaves at least ${multiple} channels fewer`,
      'With a smaller "multiple" heads can become narrower by less.',
    );
  return size;
}

/** What of a model sees single channels of queries and keys. */
function obstacleIn({ rotary, queryKeyNorms = false, queryKeySizes }: ViTConfig): string | undefined {
  if (rotary !== undefined) return 'rotary positions, which turn the channels of queries and keys in pairs';
  if (queryKeyNorms) return 'norms of queries and keys, which see all channels of a head at once';
  if (queryKeySizes !== undefined) return 'queries and keys that are narrower than its heads already';
  return undefined;
}

/**
 * Makes the queries and keys of all heads narrower: rows of their linears go, and those that stay are recombined so that the scores of
 * attention change least. One pass over the calibration images observes the model as it is.
 *
 * @param vit - a float model
 * @param context - runtime and calibration images
 * @param options - how much goes, and whether what stays makes up for it
 * @throws InputError when the model's queries and keys cannot be narrowed, or nothing would go
 */
export async function pruneAttention(
  vit: ViT,
  context: StageContext,
  options: PruneAttentionOptions,
): Promise<{ vit: ViT; report: PruneAttentionReport }> {
  const size = narrowedSize(vit.config, options);
  const images = await context.calibration.images(options.images);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const walked = await walkBlocks<NarrowedAttention>(context, vit, {
      name: 'prune-attention',
      images,
      progress: [0, 1],
      async visit(reached, stream, layer) {
        const observed = await observeInputs(stream, vit, layer, blas);
        return narrowBlock(reached, layer, size, observed, options, blas);
      },
    });
    return { vit: walked.vit, report: { images: images.count, blocks: walked.values } };
  } finally {
    await blas.close();
  }
}

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

/** A block with narrower queries and keys. */
async function narrowBlock(
  vit: ViT,
  layer: number,
  size: number,
  observed: ObservedInputs,
  { compensation }: PruneAttentionOptions,
  blas: Blas,
): Promise<{ vit: ViT; value: NarrowedAttention }> {
  const { config } = vit;
  const { heads, hiddenSize } = config;
  const d = headWidth(config);
  const [queries, keys] = [await projectionOf(vit, layer, 'q'), await projectionOf(vit, layer, 'k')];
  const queryRows = await blas.product(queries.weight, observed.covariance, hiddenSize);
  const keyRows = await blas.product(keys.weight, observed.within, hiddenSize);
  const narrow = {
    q: emptyProjection(heads * size, hiddenSize),
    k: emptyProjection(heads * size, hiddenSize),
  };
  // The runtime divides by the root of the new width: the rest of what it divided by before is put into the queries.
  const scale = Math.sqrt(size / d);
  let [share, square] = [0, 0];
  for (let head = 0; head < heads; head++) {
    const rows = (matrix: Float64Array): Float64Array =>
      matrix.subarray(head * d * hiddenSize, (head + 1) * d * hiddenSize);
    const second = await blas.productTransposed(rows(queryRows), rows(queries.weight), hiddenSize);
    const mean = await meanOf(queries, head, d, observed.mean, blas);
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) second[i * d + j]! += mean[i]! * mean[j]!;
    const moments = {
      queries: second,
      keys: await blas.productTransposed(rows(keyRows), rows(keys.weight), hiddenSize),
    };
    const { query, key, error, variance } = await narrowHead(moments, d, size, compensation, blas);
    await putHead(
      narrow.q,
      head,
      size,
      query.map((value) => value * scale),
      queries,
      d,
      blas,
    );
    await putHead(narrow.k, head, size, key, keys, d, blas);
    share += error / (variance || 1) / heads;
    square += error / d / heads;
  }
  const sizes = config.queryKeySizes ?? Array.from({ length: layerCount(config) }, () => d);
  const queryKeySizes = sizes.map((before, index) => (index === layer ? size : before));
  const at = `layers.${layer}`;
  return {
    vit: withWeights(
      { ...vit, config: { ...config, queryKeySizes } },
      (['q', 'k'] as const).flatMap((role) => [
        floatEntry(vit, `${at}.${role}.weight`, [heads * size, hiddenSize], narrow[role].weight),
        floatEntry(vit, `${at}.${role}.bias`, [heads * size], narrow[role].bias),
      ]),
    ),
    value: { layer, before: d, after: size, error: share, scores: Math.sqrt(square) },
  };
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
