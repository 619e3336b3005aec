import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { hashFile, hashJson } from '../base/hash.js';
import { defaultPreprocessing, readPreprocessing, type Preprocessing } from '../data/preprocess.js';
import type { SuiteModel } from '../suite/read.js';
import { loadHuggingFace } from '../vit/huggingface.js';
import { syntheticNames, syntheticViT } from '../vit/synthetic.js';
import type { ViT } from '../vit/vit.js';

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

/**
 * The model that a user names on the command line.
 *
 * @param reference - a directory, or the name of a synthetic architecture
 * @throws InputError when it is neither
 */
export function namedModel(reference: string): SuiteModel {
  const architecture = syntheticNames.find((name) => name === reference);
  if (architecture) return { kind: 'synthetic', name: reference, architecture, imageSize: 224, seed: 1 };
  if (!existsSync(reference))
    throw new InputError({
      source: reference,
      found: 'nothing',
      expected: `a directory with a model in Hugging Face layout, or one of ${syntheticNames.join(', ')}`,
    });
  return { kind: 'path', name: basename(resolve(reference)), path: resolve(reference) };
}

/** Files of a model directory that determine what the model computes. */
const DEFINING = /^(config|preprocessor_config)\.json$|\.safetensors$|\.safetensors\.index\.json$/;

/**
 * Loads a model of a suite.
 *
 * @param model - a directory in Hugging Face layout or a synthetic architecture
 * @param labels - class names for a synthetic model
 * @throws InputError when the directory holds no ViT
 */
export async function loadModel(model: SuiteModel, labels: readonly string[]): Promise<LoadedModel> {
  if (model.kind === 'synthetic') {
    const { architecture, imageSize, seed, name } = model;
    return {
      name,
      vit: syntheticViT(architecture, seed, imageSize, labels),
      preprocessing: defaultPreprocessing(imageSize),
      identity: hashJson({ architecture, imageSize, seed, classes: labels.length }),
      synthetic: true,
      card: undefined,
    };
  }
  const { path, name } = model;
  if (!existsSync(path))
    throw new InputError({ source: path, found: 'nothing', expected: 'a directory with a model' });
  const vit = await loadHuggingFace(path);
  const preprocessing = await readPreprocessing(join(path, 'preprocessor_config.json'));
  if (preprocessing.size !== vit.config.imageSize)
    throw new InputError({
      source: join(path, 'preprocessor_config.json'),
      place: 'size',
      found: String(preprocessing.size),
      expected: `${vit.config.imageSize}, the image_size of config.json`,
    });
  const files = (await readdir(path))
    .filter((file) => DEFINING.test(file) && file !== 'parity.safetensors')
    .sort();
  const sums: [string, string][] = [];
  for (const file of files) sums.push([file, await hashFile(join(path, file))]);
  return {
    name,
    vit,
    preprocessing,
    identity: hashJson(sums),
    synthetic: false,
    card: await cardOf(model),
  };
}

/** The card beside a model; undefined where there is none. */
export async function cardOf(model: SuiteModel): Promise<ModelCard | undefined> {
  if (model.kind === 'synthetic') return undefined;
  const path = join(model.path, 'card.json');
  if (!existsSync(path)) return undefined;
  return cardSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data;
}
