import { defined } from '../base/defined.js';
import { hashJson } from '../base/hash.js';
import { drawCalibration } from '../data/calibration.js';
import { IMAGE_BYTES, IMAGE_CHANNELS, IMAGE_SIDE, type Dataset } from '../data/dataset.js';
import { PIXELS, PIXEL_VALUES, preprocessingGraph, type Preprocessing } from '../data/preprocess.js';
import { serializeModel } from '../onnx/file.js';
import { defaultSessionOptions, type Engine } from '../runtime/engine.js';
import type { Calibration, CalibrationSource } from './context.js';

/** About how many token rows a batch has: enough to keep a Gemm busy, few enough to stay in the cache. */
const ROWS_PER_BATCH = 2048;

/**
 * Calibration images from the training split. Images to calibrate on are taken from the front of a seeded order, held-out
 * ones from behind the `reserved` first, so that the two never meet.
 *
 * @param engine - runs the preprocessing graph
 * @param threads - for the engine
 * @param train - the training split
 * @param preprocessing - what the model's images go through
 * @param tokens - how many tokens an image becomes, which sets the batch size
 * @param seed - determines the order
 */
export function calibrationSource(
  engine: Engine,
  threads: number,
  train: Dataset<'train'>,
  preprocessing: Preprocessing,
  tokens: number,
  seed: number,
): CalibrationSource {
  // The first three quarters are for calibration, the last for checks.
  const reserved = Math.floor(train.count * 0.75);
  const draw = async (count: number, skip: number, limit: number): Promise<Calibration> => {
    const available = Math.min(count, limit);
    const { pixels, hash, indices } = await drawCalibration(train, available, seed, skip);
    const batchSize = largestDivisor(available, Math.max(1, Math.round(ROWS_PER_BATCH / tokens)));
    return {
      count: available,
      batchSize,
      hash: hashJson({ images: hash, preprocessing }),
      classes: Uint8Array.from(indices, (index) => train.classes[index] ?? NaN),
      batches: () => preprocessed(engine, threads, preprocessing, pixels, batchSize),
    };
  };
  return {
    labels: train.labels,
    images: (count) => draw(count, 0, reserved),
    holdout: (count) => draw(count, reserved, train.count - reserved),
  };
}

/** The largest divisor of `count` that is at most `limit`. */
function largestDivisor(count: number, limit: number): number {
  let divisor = Math.min(count, limit);
  while (count % divisor !== 0) divisor -= 1;
  return divisor;
}

async function* preprocessed(
  engine: Engine,
  threads: number,
  preprocessing: Preprocessing,
  pixels: Uint8Array,
  batchSize: number,
): AsyncGenerator<Float32Array> {
  const model = await serializeModel(preprocessingGraph(preprocessing));
  const session = await engine.open(model, { ...defaultSessionOptions, threads });
  try {
    const bytes = batchSize * IMAGE_BYTES;
    for (let start = 0; start < pixels.length; start += bytes) {
      const dims = [batchSize, IMAGE_CHANNELS, IMAGE_SIDE, IMAGE_SIDE];
      const input = engine.tensor('uint8', pixels.subarray(start, start + bytes), dims);
      const output = await session.run({ [PIXELS]: input });
      yield defined(output[PIXEL_VALUES], PIXEL_VALUES).data as Float32Array;
    }
  } finally {
    await session.close();
  }
}
