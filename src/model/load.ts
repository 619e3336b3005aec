import { existsSync, readdirSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { hashFile, hashJson } from '../base/hash.js';
import {
  defaultPreprocessing,
  readPreprocessing,
  timmPreprocessing,
  torchvisionPreprocessing,
  type Preprocessing,
} from '../data/preprocess.js';
import { fetchSnapshot, type SnapshotProgress } from '../hub/snapshot.js';
import { loadCheckpoint, type Checkpoint } from '../vit/checkpoints/load.js';
import { isPickle, pickleRefused } from '../vit/checkpoints/tensors.js';
import { loadOnnx } from '../vit/onnx/load.js';
import { nodeEngine } from '../runtime/node.js';
import { syntheticViT } from '../vit/synthetic.js';
import type { ViT } from '../vit/vit.js';
import type { ModelRecord } from './record.js';
import type { ModelSource } from './source.js';

/** A model ready to be compressed. */
export interface LoadedModel {
  readonly name: string;
  readonly vit: ViT;
  readonly preprocessing: Preprocessing;
  /** Hash of everything the weights and the architecture come from. */
  readonly identity: string;
  /** Weights made from a seed: of no use for accuracy. */
  readonly synthetic: boolean;
  /** What whoever trained the model says it scores; undefined where nobody says. */
  readonly card: ModelCard | undefined;
  /** Where it comes from. */
  readonly record: ModelRecord;
}

const cardSchema = z.object({
  dataset: z.string(),
  split: z.string(),
  images: z.number().int().positive(),
  correct: z.number().int().nonnegative(),
  framework: z.string(),
});

/** A model card's claim of accuracy. */
export type ModelCard = z.infer<typeof cardSchema>;

/** What getting a model from elsewhere needs. */
export interface Fetching {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SnapshotProgress) => void;
}

/** A model whose files lie on this machine. */
export type LocalModel = Exclude<ModelSource, { kind: 'hub' }> & { readonly hub?: ModelRecord['hub'] };

/**
 * Gets a model's files onto this machine: those of the Hub into the cache, pinned to a commit.
 *
 * @param model - of a suite or the command line
 * @param fetching - progress and signal
 * @throws InputError when the Hub has no such model; DeviceError when it cannot be reached; the signal's reason when it fires
 */
export async function localModel(model: ModelSource, fetching: Fetching): Promise<LocalModel> {
  if (model.kind !== 'hub') return model;
  const { repository, revision, name } = model;
  const { directory, commit } = await fetchSnapshot({ repository, revision }, fetching);
  return { kind: 'path', name, path: directory, hub: { repository, revision, commit } };
}

/** Files of a model directory that determine what the model computes. */
const DEFINING = /^(config|preprocessor_config)\.json$|\.safetensors$|\.safetensors\.index\.json$/;

/**
 * Loads a model.
 *
 * @param model - files on this machine or a synthetic architecture
 * @param labels - class names for a synthetic model
 * @throws InputError when the files hold no ViT
 */
export async function loadModel(model: LocalModel, labels: readonly string[]): Promise<LoadedModel> {
  if (model.kind === 'synthetic') {
    const { architecture, imageSize, seed, name } = model;
    return {
      name,
      vit: syntheticViT(architecture, seed, imageSize, labels),
      preprocessing: defaultPreprocessing(imageSize),
      identity: hashJson({ architecture, imageSize, seed, classes: labels.length }),
      synthetic: true,
      card: undefined,
      record: { source: 'seed', notes: [] },
    };
  }
  const { name, hub } = model;
  const file = onnxFileOf(model.path);
  if (file !== undefined) return loadedOnnx(name, file, await cardOf(model));
  const directory = directoryOf(model.path);
  const checkpoint = await loadCheckpoint(directory);
  const { preprocessing, notes } = await preprocessingOf(directory, checkpoint);
  const files = (await readdir(directory))
    .filter((file) => DEFINING.test(file) && file !== 'parity.safetensors')
    .sort();
  const sums: [string, string][] = [];
  for (const file of files) sums.push([file, await hashFile(join(directory, file))]);
  return {
    name,
    vit: checkpoint.vit,
    preprocessing,
    identity: hashJson(sums),
    synthetic: false,
    card: await cardOf(model),
    record: {
      source: hub ? 'hub' : 'directory',
      naming: checkpoint.scheme,
      ...(hub && { hub }),
      notes: [...checkpoint.notes, ...notes],
    },
  };
}

/** The ONNX file that a path names: itself, or the only model in a directory without safetensors. */
function onnxFileOf(path: string): string | undefined {
  if (path.endsWith('.onnx')) return path;
  if (!existsSync(path) || !statSync(path).isDirectory()) return undefined;
  const files = readdirSync(path);
  const models = files.filter((name) => name.endsWith('.onnx'));
  const weights = files.some((name) => name.endsWith('.safetensors'));
  return models.length === 1 && !weights ? join(path, models[0]!) : undefined;
}

async function loadedOnnx(name: string, path: string, card: ModelCard | undefined): Promise<LoadedModel> {
  const { vit, difference } = await loadOnnx(path, await nodeEngine());
  const { imageSize } = vit.config;
  const own = join(dirname(path), 'preprocessor_config.json');
  const known = existsSync(own);
  const preprocessing = known ? await preprocessingFor(own, imageSize) : defaultPreprocessing(imageSize);
  const parts = (await readdir(dirname(path))).filter((each) => /\.onnx$|[._]data$/.test(each)).sort();
  const sums: [string, string][] = [];
  for (const part of parts) sums.push([part, await hashFile(join(dirname(path), part))]);
  return {
    ...{ name, vit, preprocessing, synthetic: false, card },
    identity: hashJson(sums),
    record: {
      source: 'onnx',
      notes: [
        `Recognised in ${basename(path)}; its logits and those of what was recognised differ by ${difference.toPrecision(2)} at most on random images.`,
        ...(known
          ? []
          : [
              'Images are resized and scaled to −1 … 1: no preprocessor_config.json beside the file says otherwise.',
            ]),
      ],
    },
  };
}

async function preprocessingFor(path: string, imageSize: number): Promise<Preprocessing> {
  const preprocessing = await readPreprocessing(path);
  if (preprocessing.size !== imageSize)
    throw new InputError({
      source: path,
      place: 'size',
      found: String(preprocessing.size),
      expected: `${imageSize}, the model's image size`,
    });
  return preprocessing;
}

/** The directory that a model's files lie in, where it or its weights were named. */
function directoryOf(path: string): string {
  if (!existsSync(path))
    throw new InputError({ source: path, found: 'nothing', expected: 'a directory with a model' });
  if (statSync(path).isDirectory()) return path;
  if (isPickle(path)) throw pickleRefused(path);
  if (path.endsWith('.onnx')) return dirname(path);
  if (!path.endsWith('.safetensors'))
    throw new InputError({
      source: path,
      found: 'a file',
      expected: 'a directory with a model, its .safetensors file or an .onnx file',
    });
  return dirname(path);
}

async function preprocessingOf(
  directory: string,
  { vit, scheme, images }: Checkpoint,
): Promise<{ readonly preprocessing: Preprocessing; readonly notes: readonly string[] }> {
  const { imageSize } = vit.config;
  const own = join(directory, 'preprocessor_config.json');
  if (existsSync(own) || scheme === 'Hugging Face') {
    return { preprocessing: await preprocessingFor(own, imageSize), notes: [] };
  }
  if (images) return { preprocessing: timmPreprocessing(images, imageSize), notes: [] };
  const preprocessing =
    scheme === 'timm' ? timmPreprocessing({}, imageSize) : torchvisionPreprocessing(imageSize);
  const assumed =
    `Images are prepared as ${scheme} does where nothing else is said (resized to ${preprocessing.resizedTo ?? imageSize}, ` +
    `${preprocessing.interpolation === 'cubic' ? 'bicubic' : 'bilinear'}, ImageNet's mean and deviation): no file beside the weights says how.`;
  return { preprocessing, notes: [assumed] };
}

/** The card beside a model; undefined where there is none. */
export async function cardOf(model: LocalModel): Promise<ModelCard | undefined> {
  if (model.kind === 'synthetic') return undefined;
  const path = join(directoryOf(model.path), 'card.json');
  if (!existsSync(path)) return undefined;
  return cardSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
}
