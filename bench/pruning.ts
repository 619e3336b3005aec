import { join } from 'node:path';
import { z } from 'zod';
import { defined } from '../src/base/defined.js';
import { noCheckpoints } from '../src/compress/checkpoints.js';
import { calibrationSource } from '../src/compress/calibration.js';
import type { StageContext } from '../src/compress/context.js';
import { openStream, type BlockStream } from '../src/compress/observe/blocks.js';
import { chosenClasses } from '../src/compress/observe/logits.js';
import { pruneOptionsSchema, type PruneOptions } from '../src/compress/prune/options.js';
import { prune } from '../src/compress/prune/stage.js';
import { openDataset } from '../src/data/registry.js';
import { PIXELS, PIXEL_VALUES, preprocessingGraph, type Preprocessing } from '../src/data/preprocess.js';
import { readImages } from '../src/data/records.js';
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
const MODEL = process.env['MODEL'] ?? join('suites', 'models', 'vit-tiny-cifar10');
const IMAGES = Number(process.env['IMAGES'] ?? 1000);
const THREADS = Number(process.env['THREADS'] ?? 2);
const BATCH = 20;

/** Held-out training images on which the residual streams are compared. */
const COMPARED = 64;

/** What is tried: options of the stage, as JSON. */
const tried = z
  .array(z.looseObject({}))
  .parse(
    JSON.parse(
      process.env['PRUNE'] ??
        '[{"ratio":0.33},{"ratio":0.5},{"ratio":0.33,"allocation":"uniform"},{"ratio":0.5,"allocation":"uniform"}]',
    ),
  );

/**
 * What pruning the MLPs costs a model: test images that are classified rightly, and by block the width that was chosen, the loss
 * that was predicted, and how far the residual stream behind the block lies from that of the model as it was.
 */
export async function pruning(): Promise<void> {
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
    seed: 1,
    finished: (model) => model,
    microBatch: undefined,
    measurePeak: undefined,
    checkpoints: noCheckpoints,
    workedBefore: () => undefined,
    onProgress: () => undefined,
    throwIfStopped: () => undefined,
  };
  const pixels = await preprocessed(engine, preprocessing, data.test);
  const truth = data.test.classes;
  const rightOf = async (model: ViT): Promise<string> => {
    const choices = await classified(engine, model, pixels);
    const right = choices.filter((choice, image) => choice === truth[image]).length;
    return `${((100 * right) / choices.length).toFixed(1)} % of ${choices.length}`;
  };
  console.log(`${MODEL}\nas it was: ${await rightOf(vit)}`);
  for (const each of tried) {
    const options: PruneOptions = pruneOptionsSchema.parse(each);
    const started = performance.now();
    const { vit: pruned, report } = await prune(vit, context, options);
    const seconds = (performance.now() - started) / 1000;
    console.log(`${JSON.stringify(each)}: ${await rightOf(pruned)}; pruned in ${seconds.toFixed(0)} s`);
    const apart = await streamsApart(context, vit, pruned);
    for (const { layer, before, after, loss } of report.blocks)
      console.log(
        `  block ${layer + 1}: ${after} of ${before}; predicted ${(100 * loss).toFixed(2)} % of the MLP's variance, stream apart by ${(100 * apart[layer]!).toFixed(2)} %`,
      );
  }
}

/** The first test images as a model reads them, in batches. */
async function preprocessed(
  engine: Engine,
  preprocessing: Preprocessing,
  test: Dataset<'test'>,
): Promise<Float32Array[]> {
  const graph = await serializeModel(preprocessingGraph(preprocessing));
  const session = await engine.open(graph, { ...defaultSessionOptions, threads: THREADS });
  const batches: Float32Array[] = [];
  for (let from = 0; from + BATCH <= Math.min(IMAGES, test.count); from += BATCH) {
    const indices = Array.from({ length: BATCH }, (_, i) => from + i);
    const raw = await readImages(test.files, indices);
    const input = engine.tensor('uint8', raw, [BATCH, IMAGE_CHANNELS, IMAGE_SIDE, IMAGE_SIDE]);
    const output = await session.run({ [PIXELS]: input });
    batches.push(defined(output[PIXEL_VALUES], PIXEL_VALUES).data as Float32Array);
  }
  await session.close();
  return batches;
}

/** The class that a model gives to each image. */
async function classified(engine: Engine, vit: ViT, batches: readonly Float32Array[]): Promise<number[]> {
  const session = await engine.open(await serializeModel(buildGraph(vit)), {
    ...defaultSessionOptions,
    threads: THREADS,
  });
  const { channels, imageSize, labels } = vit.config;
  const choices: number[] = [];
  for (const pixels of batches) {
    const input = engine.tensor('float32', pixels, [BATCH, channels, imageSize, imageSize]);
    const output = await session.run({ [INPUT]: input });
    choices.push(...chosenClasses(defined(output[OUTPUT], OUTPUT).data as Float32Array, labels.length));
  }
  await session.close();
  return choices;
}

/** By block, the squared difference of the residual streams behind it, as a share of the clean one's spread over tokens. */
async function streamsApart(context: StageContext, clean: ViT, pruned: ViT): Promise<number[]> {
  const images = await context.calibration.holdout(COMPARED);
  const [a, b] = [await openStream(context, clean, images), await openStream(context, pruned, images)];
  const apart: number[] = [];
  for (let layer = 0; layer < layerCount(clean.config); layer++) {
    await a.advance(clean, layer);
    await b.advance(pruned, layer);
    apart.push(await distance(a, b, clean.config.hiddenSize));
  }
  return apart;
}

async function distance(clean: BlockStream, pruned: BlockStream, hidden: number): Promise<number> {
  const rowsOf = async (stream: BlockStream): Promise<Float32Array[]> =>
    Promise.all(
      [...stream.states()]
        .filter(([name]) => name.endsWith('residual'))
        .map(async ([, tensor]) => viewAs(await tensor.read(), Float32Array)),
    );
  const [a, b] = [await rowsOf(clean), await rowsOf(pruned)];
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
