import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { calibrationSource } from '../../src/compress/calibration.js';
import type { Calibration, StageContext } from '../../src/compress/context.js';
import type { PipelineContext } from '../../src/compress/pipeline.js';
import { noCheckpoints, type CheckpointStore, type Kept } from '../../src/compress/checkpoints.js';
import { floatsOf } from '../../src/compress/weights.js';
import { packageRoot } from '../../src/base/paths.js';
import type { OpenedData } from '../../src/data/kind.js';
import { openDataset } from '../../src/data/registry.js';
import { readPreprocessing } from '../../src/model/image-processor.js';
import { serializeModel } from '../../src/onnx/file.js';
import { viewAs } from '../../src/onnx/tensor.js';
import { defaultSessionOptions, type Engine } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { tokenCount } from '../../src/vit/config.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import { wholeGraph } from '../support/whole-graph.js';
import { loadFolder } from '../support/load.js';
import { readSafetensors } from '../../src/vit/safetensors.js';
import type { ViT } from '../../src/vit/vit.js';

/** The built-in model, its images and a context for stages: all real. */
export interface Bench {
  readonly engine: Engine;
  readonly vit: ViT;
  readonly data: OpenedData;
  readonly context: StageContext & PipelineContext;
  /** 32 preprocessed images, `[32, 3, 32, 32]`. */
  readonly pixels: Float32Array;
  /** The logits that PyTorch gave for them, `[32, 10]`. */
  readonly reference: Float32Array;
}

const model = join(packageRoot(), 'suites', 'models', 'vit-micro-shapes10');

export async function openBench(): Promise<Bench> {
  const engine = await nodeEngine();
  const { vit } = await loadFolder(model);
  const data = await openDataset('shapes10', join(packageRoot(), 'suites', 'data', 'shapes10'));
  const preprocessing = await readPreprocessing(join(model, 'preprocessor_config.json'));
  const parity = (await readSafetensors(join(model, 'parity.safetensors'))).tensors;
  const floats = async (name: string): Promise<Float32Array> =>
    viewAs(await parity.get(name)!.read(), Float32Array);
  const context: Bench['context'] = {
    engine,
    calibration: calibrationSource(engine, 1, data.train, preprocessing, tokenCount(vit.config), 1),
    threads: 1,
    original: { vit, probed: false, observations: () => Promise.resolve(noCheckpoints) },
    probed: false,
    judgedBy: 'accuracy',
    seed: 1,
    finished: (vit) => vit,
    microBatch: undefined,
    measurePeak: undefined,
    checkpoints: noCheckpoints,
    checkpointsOf: () => Promise.resolve(noCheckpoints),
    observations: () => Promise.resolve(noCheckpoints),
    observationsOf: () => Promise.resolve(noCheckpoints),
    workedBefore: () => undefined,
    onProgress: () => undefined,
    throwIfStopped: () => undefined,
  };
  return {
    engine,
    vit,
    data,
    context,
    pixels: await floats('pixel_values'),
    reference: await floats('logits'),
  };
}

/**
 * A store that keeps all it is given.
 *
 * @param entries - where, by name
 */
export function memoryOf(entries: Map<string, Kept<unknown>>): CheckpointStore {
  return {
    take: <T>(name: string) => Promise.resolve(entries.get(name) as Kept<T> | undefined),
    put: (name, kept) => {
      entries.set(name, kept);
      return Promise.resolve(kept.tensors);
    },
    drop: (name) => {
      entries.delete(name);
      return Promise.resolve();
    },
  };
}

/** The logits that a model's graph gives for preprocessed images, run in one batch. */
export async function logitsOf(bench: Bench, vit: ViT, pixels = bench.pixels): Promise<Float32Array> {
  const session = await bench.engine.open(await serializeModel(buildGraph(vit)), {
    ...defaultSessionOptions,
    threads: 1,
  });
  const {
    channels,
    imageSize: { height: imageSize },
  } = vit.config;
  const images = pixels.length / (channels * imageSize ** 2);
  const input = bench.engine.tensor('float32', pixels, [images, channels, imageSize, imageSize]);
  const output = await session.run({ pixel_values: input });
  await session.close();
  return output['logits']!.data as Float32Array;
}

/** Largest absolute difference of two arrays. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} values`);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

/** Preprocessed calibration images, one after the other. */
export async function pixelsOf(calibration: Calibration): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for await (const batch of calibration.batches()) parts.push(batch);
  return Float32Array.from(parts.flatMap((part) => Array.from(part)));
}

/**
 * Intermediate values of a model's graph, fetched whole out of the runtime.
 *
 * @param names - which, as the graph calls them
 * @param graph - left out, the one that computes all tokens in the last block, too
 * @returns their elements by name
 */
export async function valuesOf(
  bench: Bench,
  vit: ViT,
  names: readonly string[],
  pixels: Float32Array,
  graph: OnnxModel = wholeGraph(vit),
): Promise<Map<string, Float32Array>> {
  const outputs = names.map((name) => graph.values.find((value) => value.name === name)!);
  const session = await bench.engine.open(await serializeModel({ ...graph, outputs }), {
    ...defaultSessionOptions,
    threads: 1,
  });
  const {
    channels,
    imageSize: { height: imageSize },
  } = vit.config;
  const images = pixels.length / (channels * imageSize ** 2);
  const input = bench.engine.tensor('float32', pixels, [images, channels, imageSize, imageSize]);
  const results = await session.run({ pixel_values: input });
  await session.close();
  return new Map(names.map((name) => [name, results[name]!.data as Float32Array]));
}

/** The elements of a float tensor, as a copy that a test may change. */
export async function copyOf(vit: ViT, name: string): Promise<Float32Array> {
  return (await floatsOf(vit, name)).slice();
}

/** How often each kernel runs in one pass over the bench's images. */
export async function kernelsOf(bench: Bench, vit: ViT): Promise<Map<string, number>> {
  const session = await bench.engine.openProfiled(await serializeModel(buildGraph(vit)), {
    ...defaultSessionOptions,
    threads: 1,
  });
  await session.run({ pixel_values: bench.engine.tensor('float32', bench.pixels, [32, 3, 32, 32]) });
  const counts = new Map<string, number>();
  for (const { opType } of await session.calls()) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  await session.close();
  return counts;
}

/** A hash of every tensor of a model and of all that says how they compute. */
export async function fingerprint(vit: ViT): Promise<string> {
  const hash = createHash('sha256');
  for (const [name, tensor] of vit.weights)
    hash.update(`${name} ${tensor.dtype} ${tensor.dims.join()}`).update(await tensor.read());
  return hash.update(JSON.stringify([vit.config, [...vit.forms], vit.bytePatches])).digest('hex');
}
