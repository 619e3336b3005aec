import { defined } from '../base/defined.js';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { IMAGE_CHANNELS, type Dataset, type Work } from '../data/dataset.js';
import { readImages, type ChosenRecords } from '../data/records.js';
import {
  pixelBytes,
  PIXELS,
  PIXEL_VALUES,
  preprocessingGraph,
  type Preprocessing,
} from '../data/preprocess.js';
import { drawTrainingImages } from '../data/training-images.js';
import { serializeModel } from '../onnx/file.js';
import { defaultSessionOptions, type Engine } from '../runtime/engine.js';
import type { Calibration, CalibrationSource, Purpose } from './context.js';

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
 * @param work - progress and signal, where images must be decoded
 * @throws InputError, when images are drawn, where there are none
 */
export function calibrationSource(
  engine: Engine,
  threads: number,
  train: Dataset<'train'>,
  preprocessing: Preprocessing,
  tokens: number,
  seed: number,
  work: Work = {},
): CalibrationSource {
  // The first three quarters are for calibration, the last for checks.
  const reserved = Math.floor(train.count * 0.75);
  const draw = async <P extends Purpose>(
    purpose: P,
    count: number,
    skip: number,
    limit: number,
  ): Promise<Calibration<P>> => {
    const available = Math.min(count, limit);
    if (available < 1)
      throw new InputError({
        source: train.name,
        place: 'training images',
        found: `${train.count}, of which none is left for ${purpose === 'check' ? 'checks' : 'calibration'}`,
        expected: 'two at least: three quarters are to calibrate on, the others for checks',
      });
    const { chosen, hash, classes } = await drawTrainingImages(
      train,
      preprocessing,
      available,
      seed,
      skip,
      work,
    );
    return calibrationOf(purpose, chosen, classes, hashJson({ images: hash, preprocessing }));
  };
  const calibrationOf = <P extends Purpose>(
    purpose: P,
    chosen: ChosenRecords,
    classes: Uint16Array,
    hash: string,
  ): Calibration<P> => {
    const count = classes.length;
    const batchSize = largestDivisor(count, Math.max(1, Math.round(ROWS_PER_BATCH / tokens)));
    return {
      ...{ purpose, count, batchSize, hash, classes },
      batches: () => preprocessed(engine, threads, preprocessing, chosen, batchSize),
      only: (positions) => {
        const indices = positions.map((position) => defined(chosen.indices[position], 'an image'));
        const theirs = Uint16Array.from(positions, (position) => defined(classes[position], 'its class'));
        const some = { records: chosen.records, indices };
        return calibrationOf(purpose, some, theirs, hashJson({ of: hash, positions }));
      },
    };
  };
  return {
    labels: train.labels,
    bytes: pixelBytes(preprocessing),
    images: (count) => draw('calibration', count, 0, reserved),
    holdout: (count) => draw('check', count, reserved, train.count - reserved),
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
  { records, indices }: ChosenRecords,
  batchSize: number,
): AsyncGenerator<Float32Array> {
  const model = await serializeModel(preprocessingGraph(preprocessing));
  const session = await engine.open(model, { ...defaultSessionOptions, threads });
  try {
    const { height, width, channels = IMAGE_CHANNELS } = records.layout;
    const dims = [batchSize, channels, height, width];
    for (let start = 0; start < indices.length; start += batchSize) {
      const pixels = await readImages(records, indices.slice(start, start + batchSize));
      const input = engine.tensor('uint8', pixels, dims);
      const output = await session.run({ [PIXELS]: input });
      yield defined(output[PIXEL_VALUES], PIXEL_VALUES).data as Float32Array;
    }
  } finally {
    await session.close();
  }
}
