import { defined } from '../../src/base/defined.js';
import type { StageContext } from '../../src/compress/context.js';
import type { Blas } from '../../src/compress/linalg/blas.js';
import { openStream, rowsOf } from '../../src/compress/observe/blocks.js';
import { momentsTap, type Moments } from '../../src/compress/observe/moments.js';
import { normGainTap } from '../../src/compress/observe/norm-gain.js';
import type { Tap } from '../../src/compress/observe/taps.js';
import { orderMlp, type OrderedMlp } from '../../src/compress/prune/compensation.js';
import { importanceOf } from '../../src/compress/prune/importance.js';
import { mlpOf, type MlpObservation } from '../../src/compress/prune/mlp.js';
import type { Compensation } from '../../src/compress/prune/options.js';
import { layerCount } from '../../src/vit/config.js';
import type { ViT } from '../../src/vit/vit.js';

/** Of each block of the model as it was, what its neurons gave over growing numbers of training images. */
export interface Observed {
  /** By how much the norms behind the block magnify its error. */
  readonly magnified: number;
  /** By number of images. */
  readonly moments: ReadonlyMap<number, Moments>;
}

/** Training images that pruning calibrates on unless told otherwise. */
export const USUAL = Number(process.env['CALIBRATED'] ?? 512);

/** Numbers of images that are compared, the usual one among them. */
export const COUNTS: readonly number[] = [USUAL / 8, USUAL / 4, USUAL / 2, USUAL];

/**
 * Observes all blocks in one pass, with what was known after some of the images, too.
 *
 * @param context - runtime and training images
 * @param vit - the model
 */
export async function observed(context: StageContext, vit: ViT): Promise<Observed[]> {
  const images = await context.calibration.images(Math.max(...COUNTS));
  const stream = await openStream(context, vit, images);
  const blocks: Observed[] = [];
  for (let layer = 0; layer < layerCount(vit.config); layer++) {
    const { rowsPerBatch } = rowsOf(stream, vit.config, layer, 'fc2');
    const growing = growingMoments(rowsPerBatch, images.batchSize);
    const gain = normGainTap(vit.config.layerNormEpsilon);
    await stream.advance(vit, layer, [growing, gain]);
    blocks.push({ magnified: gain.result() / vit.config.hiddenSize, moments: growing.result() });
  }
  return blocks;
}

/** Moments of the neurons after so many images as `COUNTS` says. */
function growingMoments(rowsPerBatch: number, imagesPerBatch: number): Tap<ReadonlyMap<number, Moments>> {
  const tap = momentsTap('fc2', rowsPerBatch);
  const known = new Map<number, Moments>();
  let images = 0;
  return {
    emit: (g, values) => tap.emit(g, values),
    add(outputs) {
      tap.add(outputs);
      images += imagesPerBatch;
      if (!COUNTS.some((count) => count === images)) return;
      const { rows, mean, covariance } = tap.result();
      known.set(images, { rows, mean: mean.slice(), covariance });
    },
    result: () => known,
  };
}

/** An MLP with what was observed of it. */
export async function observationOf(vit: ViT, layer: number, moments: Moments): Promise<MlpObservation> {
  return { ...(await mlpOf(vit, layer)), moments, meanAbs: undefined };
}

/** The neurons of an MLP in the order that pruning gives them. */
export async function orderedBy(
  observation: MlpObservation,
  compensation: Compensation,
  blas: Blas,
): Promise<OrderedMlp> {
  const scores = await importanceOf('obs', observation, blas);
  return orderMlp(observation, scores, compensation, blas);
}

/** So many rows that the ridge of pruning is next to none. */
const COUNTLESS = 1e12;

/**
 * Moments to which pruning adds another ridge than its own.
 *
 * @param moments - as they were observed
 * @param share - the ridge, as a share of the mean variance of the neurons
 */
export function withRidgeOf({ mean, covariance }: Moments, share: number): Moments {
  const n = mean.length;
  const varied = covariance.slice();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += covariance[i * n + i]!;
  for (let i = 0; i < n; i++) varied[i * n + i]! += (share * trace) / n;
  return { rows: COUNTLESS, mean, covariance: varied };
}

/** What was observed of a block after some images. */
export function momentsAfter({ moments }: Observed, images: number): Moments {
  return defined(moments.get(images), `the moments after ${images} images`);
}
