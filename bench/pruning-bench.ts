import { join } from 'node:path';
import { defined } from '../src/base/defined.js';
import { noCheckpoints } from '../src/compress/checkpoints.js';
import { calibrationSource } from '../src/compress/calibration.js';
import type { StageContext } from '../src/compress/context.js';
import { openStream, type BlockStream } from '../src/compress/observe/blocks.js';
import { openDataset } from '../src/data/registry.js';
import { PIXELS, PIXEL_VALUES, preprocessingGraph, type Preprocessing } from '../src/data/preprocess.js';
import { readImages, scoredRecords } from '../src/data/records.js';
import { IMAGE_CHANNELS, IMAGE_SIDE, type Dataset } from '../src/data/dataset.js';
import { fileOf, findFiles } from '../src/model/files.js';
import { readPreprocessing } from '../src/model/image-processor.js';
import { serializeModel } from '../src/onnx/file.js';
import { viewAs } from '../src/onnx/tensor.js';
import { defaultSessionOptions, type Engine } from '../src/runtime/engine.js';
import { nodeEngine } from '../src/runtime/node.js';
import { layerCount, tokenCount } from '../src/vit/config.js';
import { loadCheckpoint } from '../src/vit/checkpoints/load.js';
import { INPUT } from '../src/vit/graph/embedding.js';
import { OUTPUT } from '../src/vit/graph/head.js';
import { buildGraph } from '../src/vit/graph/model.js';
import type { ViT } from '../src/vit/vit.js';

/** The folder of a model for CIFAR-10; the images lie in the folder that `EDGEFLEX_DATA` names. */
export const MODEL = process.env['MODEL'] ?? join('suites', 'models', 'vit-tiny-cifar10');
const IMAGES = Number(process.env['IMAGES'] ?? 1000);
const THREADS = Number(process.env['THREADS'] ?? 2);
const BATCH = 20;

/** Held-out training images on which the residual streams are compared. */
const COMPARED = 64;

/** A model, a context for stages, and test images to score on. */
export interface Bench {
  readonly vit: ViT;
  readonly context: StageContext;
  /** The classes of the test images. */
  readonly truth: readonly number[];
  /** The logits that a model gives for the test images, `[images, classes]`. */
  logits(vit: ViT): Promise<Float32Array>;
}

/** Opens the model and the images that the environment names. */
export async function openBench(): Promise<Bench> {
  const engine = await nodeEngine();
  const files = await findFiles(MODEL);
  const { vit } = await loadCheckpoint(files.weights, fileOf(files, 'config'));
  const preprocessing = await readPreprocessing(join(MODEL, 'preprocessor_config.json'));
  const data = await openDataset('cifar10', process.env['EDGEFLEX_DATA'] ?? join('data', 'cifar10'));
  const tokens = tokenCount(vit.config);
  const context: StageContext = {
    engine,
    calibration: calibrationSource(engine, THREADS, data.train, preprocessing, tokens, 1),
    threads: THREADS,
    original: { vit, probed: false, observations: () => Promise.resolve(noCheckpoints) },
    judgedBy: 'accuracy',
    seed: 1,
    finished: (model) => model,
    microBatch: undefined,
    measurePeak: undefined,
    checkpoints: noCheckpoints,
    observations: () => Promise.resolve(noCheckpoints),
    workedBefore: () => undefined,
    onProgress: () => undefined,
    throwIfStopped: () => undefined,
  };
  const { pixels, truth } = await preprocessed(engine, preprocessing, data.test);
  return { vit, context, truth, logits: (model) => logitsOf(engine, model, pixels) };
}

/** The first test images as a model reads them, in batches, and their classes. */
async function preprocessed(
  engine: Engine,
  preprocessing: Preprocessing,
  test: Dataset<'test'>,
): Promise<{ pixels: Float32Array[]; truth: number[] }> {
  const graph = await serializeModel(preprocessingGraph(preprocessing));
  const session = await engine.open(graph, { ...defaultSessionOptions, threads: THREADS });
  const batches: Float32Array[] = [];
  const { records } = await scoredRecords(test, preprocessing, test.count);
  for (let from = 0; from + BATCH <= Math.min(IMAGES, test.count); from += BATCH) {
    const indices = Array.from({ length: BATCH }, (_, i) => from + i);
    const raw = await readImages(records, indices);
    const input = engine.tensor('uint8', raw, [BATCH, IMAGE_CHANNELS, IMAGE_SIDE, IMAGE_SIDE]);
    const output = await session.run({ [PIXELS]: input });
    batches.push(defined(output[PIXEL_VALUES], PIXEL_VALUES).data as Float32Array);
  }
  await session.close();
  return { pixels: batches, truth: Array.from(test.classes.subarray(0, batches.length * BATCH)) };
}

async function logitsOf(engine: Engine, vit: ViT, batches: readonly Float32Array[]): Promise<Float32Array> {
  const session = await engine.open(await serializeModel(buildGraph(vit)), {
    ...defaultSessionOptions,
    threads: THREADS,
  });
  const { channels, imageSize, labels } = vit.config;
  const logits = new Float32Array(batches.length * BATCH * labels.length);
  for (const [index, pixels] of batches.entries()) {
    const input = engine.tensor('float32', pixels, [BATCH, channels, imageSize.height, imageSize.width]);
    const output = defined((await session.run({ [INPUT]: input }))[OUTPUT], OUTPUT);
    logits.set(output.data as Float32Array, index * BATCH * labels.length);
  }
  await session.close();
  return logits;
}

/** How far a residual stream lies from another: squared difference, as a share of the other's spread over tokens. */
export interface StreamApart {
  readonly all: number;
  /** Of the class tokens alone. */
  readonly classToken: number;
}

/**
 * How far the residual streams of a pruned model lie from those of the whole one behind each block, on held-out training images.
 *
 * @param context - runtime and images
 * @param clean - the whole model
 * @param pruned - the other
 */
export async function streamsApart(context: StageContext, clean: ViT, pruned: ViT): Promise<StreamApart[]> {
  const images = await context.calibration.holdout(COMPARED);
  const [a, b] = [await openStream(context, clean, images), await openStream(context, pruned, images)];
  const { hiddenSize } = clean.config;
  const apart: StreamApart[] = [];
  for (let layer = 0; layer < layerCount(clean.config); layer++) {
    await a.advance(clean, layer);
    await b.advance(pruned, layer);
    const [rows, others] = [await rowsOf(a), await rowsOf(b)];
    const image = tokenCount(clean.config) * hiddenSize;
    const first = (part: Float32Array): Float32Array => part.filter((_, at) => at % image < hiddenSize);
    apart.push({
      all: distance(rows, others, hiddenSize),
      classToken: distance(rows.map(first), others.map(first), hiddenSize),
    });
  }
  return apart;
}

function rowsOf(stream: BlockStream): Promise<Float32Array[]> {
  return Promise.all(
    [...stream.states()]
      .filter(([name]) => name.endsWith('residual'))
      .map(async ([, tensor]) => viewAs(await tensor.read(), Float32Array)),
  );
}

function distance(a: readonly Float32Array[], b: readonly Float32Array[], hidden: number): number {
  const [sums, squares] = [new Float64Array(hidden), new Float64Array(hidden)];
  let [error, rows] = [0, 0];
  for (const [part, values] of a.entries()) {
    rows += values.length / hidden;
    for (const [i, x] of values.entries()) {
      sums[i % hidden]! += x;
      squares[i % hidden]! += x ** 2;
      error += (x - b[part]![i]!) ** 2;
    }
  }
  return error / squares.reduce((sum, square, c) => sum + square - sums[c]! ** 2 / rows, 0);
}
