import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../src/base/paths.js';
import { calibrationSource } from '../../../src/compress/calibration.js';
import type { StageContext } from '../../../src/compress/context.js';
import { mergeTokensOptionsSchema } from '../../../src/compress/merge-tokens/options.js';
import { mergeTokens } from '../../../src/compress/merge-tokens/stage.js';
import { precisionOptionsSchema } from '../../../src/compress/precision/options.js';
import { precision } from '../../../src/compress/precision/stage.js';
import { pruneOptionsSchema } from '../../../src/compress/prune/options.js';
import { prune } from '../../../src/compress/prune/stage.js';
import { quantizeOptionsSchema } from '../../../src/compress/quantize/options.js';
import { quantize } from '../../../src/compress/quantize/stage.js';
import { float32, viewAs, type TensorSource } from '../../../src/onnx/tensor.js';
import { loadModel, modelHere } from '../../../src/model/load.js';
import { featureWidth, tokenCount } from '../../../src/vit/config.js';
import { withWeights, type ViT } from '../../../src/vit/vit.js';
import type { Bench } from '../../compress/support.js';

const folder = join(packageRoot(), 'test', 'vit', 'models');

/** Where PyTorch's logits for the tiny models lie. */
export const parityFile = join(folder, 'parity.safetensors');

/** Names of the tiny models that PyTorch's libraries wrote (`models/make.py`). */
export const tinyModels = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

const classes = Array.from({ length: 10 }, (_, index) => `class ${index}`);

/** Images as a tiny model takes them. */
export interface TinyImages {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/**
 * The images whose logits PyTorch gave for a tiny model.
 *
 * @param parity - the tensors of `parityFile`
 * @param name - the model
 */
export async function imagesOf(parity: ReadonlyMap<string, TensorSource>, name: string): Promise<TinyImages> {
  const images = parity.get(`${name}.pixel_values`) ?? parity.get('pixel_values')!;
  return { dims: images.dims, data: viewAs(await images.read(), Float32Array) };
}

/** A tiny model, and a context in which stages work on it. */
export interface Tiny {
  readonly vit: ViT;
  readonly context: StageContext;
}

/** Opens a tiny model by its name; stages see the bench's training images in its size. */
export async function tinyModel(name: string, bench: Bench): Promise<Tiny> {
  const local = await modelHere({ kind: 'path', name, path: join(folder, name) });
  const { vit: read, preprocessing } = await loadModel(local, classes);
  const vit = read.config.labels.length === 0 ? withFeatures(read) : read;
  const calibration = calibrationSource(
    ...([bench.engine, 1, bench.data.train, preprocessing, tokenCount(vit.config), 1] as const),
  );
  return { vit, context: { ...bench.context, calibration } };
}

/** The ways in which the tiny models are compressed. */
export type Variant = 'fp32' | 'fp16' | 'w8' | 'w4' | 'int8' | 'pruned' | 'merged';

/** A backbone with a head that gives its features as they are. */
function withFeatures(vit: ViT): ViT {
  const width = featureWidth(vit.config);
  const labels = Array.from({ length: width }, (_, index) => `feature ${index}`);
  const identity = Float32Array.from({ length: width ** 2 }, (_, at) => (at % (width + 1) === 0 ? 1 : 0));
  return withWeights({ ...vit, config: { ...vit.config, labels } }, [
    ['head.weight', float32([width, width], identity)],
    ['head.bias', float32([width], new Float32Array(width))],
  ]);
}

type Compressed = Promise<{ readonly vit: ViT }>;

/** What is made of each tiny model, by the words of recipes. */
export const variants: Readonly<Record<Variant, (of: Tiny) => Compressed>> = {
  fp32: ({ vit }) => Promise.resolve({ vit }),
  fp16: ({ vit, context }) => precision(vit, context, precisionOptionsSchema.parse({ images: 16 })),
  w8: (of) => quantized(of, 'w8'),
  w4: (of) => quantized(of, 'w4'),
  int8: (of) => quantized(of, 'w8a8'),
  pruned: ({ vit, context }) =>
    prune(vit, context, pruneOptionsSchema.parse({ ratio: 0.25, images: 16, multiple: 1 })),
  merged: ({ vit, context }) =>
    mergeTokens(vit, context, mergeTokensOptionsSchema.parse({ r: 3, images: 16 })),
};

function quantized({ vit, context }: Tiny, format: 'w8' | 'w4' | 'w8a8'): Compressed {
  return quantize(vit, context, quantizeOptionsSchema.parse({ format, images: 16, rows: 64 }));
}
