import { basename } from 'node:path';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { IMAGE_CHANNELS } from '../data/dataset.js';
import { defaultPreprocessing, type Preprocessing } from '../data/preprocess.js';
import { fetchSnapshot, type SnapshotProgress } from '../net/hub-snapshot.js';
import { nodeEngine } from '../runtime/node.js';
import { loadCheckpoint } from '../vit/checkpoints/load.js';
import { loadOnnx } from '../vit/onnx/load.js';
import { syntheticViT } from '../vit/synthetic.js';
import type { ViT } from '../vit/vit.js';
import { readCard, type ModelCard } from './card.js';
import { withClassesOf } from './classes.js';
import { fileOf, findFiles, type ModelFiles } from './files.js';
import { digestsOf, identityOf, type SourceDigest } from './identity.js';
import { readPreprocessing } from './image-processor.js';
import { preprocessingOf } from './preprocessing.js';
import type { ModelRecord } from './record.js';
import type { ModelSource } from './source.js';

/** A model ready to be compressed. */
export interface LoadedModel {
  readonly name: string;
  readonly vit: ViT;
  readonly preprocessing: Preprocessing;
  /** Hash of everything the weights and the architecture come from. */
  readonly identity: string;
  /** Digests of the files that it was read from; none for weights from a seed. */
  readonly digests: readonly SourceDigest[];
  /** Weights made from a seed: of no use for accuracy. */
  readonly synthetic: boolean;
  /** What whoever trained the model says it scores; undefined where nobody says. */
  readonly card: ModelCard | undefined;
  /** Where it comes from. */
  readonly record: ModelRecord;
}

/** What getting a model from elsewhere needs. */
export interface Fetching {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SnapshotProgress) => void;
}

/** A model whose files lie on this machine, each of them known before any is read; or one that is made from a seed. */
export type LocalModel =
  | Extract<ModelSource, { kind: 'synthetic' }>
  | {
      readonly kind: 'files';
      readonly name: string;
      readonly files: ModelFiles;
      /** Where on the Hub they are from. */
      readonly hub?: ModelRecord['hub'];
    };

/**
 * Gets a model's files onto this machine, those of the Hub into the cache, pinned to a commit; and finds out which of them are read.
 *
 * @param model - of a suite or the command line
 * @param fetching - progress and signal
 * @throws InputError when there is no such model, or it is not clear which file is meant; DeviceError when the Hub cannot be
 *   reached; the signal's reason when it fires
 */
export async function localModel(model: ModelSource, fetching: Fetching): Promise<LocalModel> {
  if (model.kind !== 'hub') return modelHere(model);
  const { repository, revision, name } = model;
  const { directory, commit } = await fetchSnapshot({ repository, revision }, fetching);
  return { kind: 'files', name, files: await findFiles(directory), hub: { repository, revision, commit } };
}

/**
 * Finds the files of a model that lies on this machine.
 *
 * @param model - of a suite or the command line, none of the Hub
 * @throws InputError when there is none, or it is not clear which file is meant
 */
export async function modelHere(model: Exclude<ModelSource, { kind: 'hub' }>): Promise<LocalModel> {
  if (model.kind === 'synthetic') return model;
  return { kind: 'files', name: model.name, files: await findFiles(model.path) };
}

/**
 * Loads a model.
 *
 * @param model - files on this machine or a synthetic architecture
 * @param labels - class names of the images, in whose order the logits come; a synthetic model gets them
 * @throws InputError when the files hold no ViT, or one for other images or for as many other classes
 */
export async function loadModel(model: LocalModel, labels: readonly string[]): Promise<LoadedModel> {
  if (model.kind === 'synthetic') return syntheticModel(model, labels);
  const { name, files, hub } = model;
  const digests = await digestsOf(files);
  const {
    vit: read,
    preprocessing,
    record,
  } = await (files.layout === 'onnx' ? fromOnnx(files) : fromCheckpoint(files));
  if (read.config.channels !== IMAGE_CHANNELS)
    throw new InputError({
      source: files.weights,
      place: 'the first layer',
      found: `images of ${read.config.channels} ${read.config.channels === 1 ? 'channel' : 'channels'}`,
      expected: `${IMAGE_CHANNELS}, as the images of the data sets have`,
    });
  const { vit, match, notes } = withClassesOf(files.weights, read, labels);
  const identity = identityOf(digests);
  return {
    ...{ name, vit, preprocessing, digests, synthetic: false },
    // Another order of the classes is another model.
    identity: match.kind === 'mapped' ? hashJson({ identity, order: match.order }) : identity,
    card: await cardOf(model),
    record: {
      ...record,
      ...(hub && { source: 'hub', hub }),
      notes: [...notesOnChoice(files), ...record.notes, ...notes],
    },
  };
}

/** The card beside a model; undefined where there is none. */
export async function cardOf(model: LocalModel): Promise<ModelCard | undefined> {
  return model.kind === 'synthetic' ? undefined : readCard(fileOf(model.files, 'card'));
}

function syntheticModel(
  { architecture, imageSize, seed, name }: Extract<LocalModel, { kind: 'synthetic' }>,
  labels: readonly string[],
): LoadedModel {
  return {
    ...{ name, synthetic: true, card: undefined, digests: [] },
    vit: syntheticViT(architecture, seed, imageSize, labels),
    preprocessing: defaultPreprocessing(imageSize),
    identity: hashJson({ architecture, imageSize, seed, classes: labels.length }),
    record: { source: 'seed', notes: [] },
  };
}

/** What the weights and what lies beside them give. */
type Read = Pick<LoadedModel, 'vit' | 'preprocessing' | 'record'>;

async function fromCheckpoint(files: ModelFiles): Promise<Read> {
  const preprocessor = fileOf(files, 'preprocessor');
  const wanted = preprocessor === undefined ? undefined : (await readPreprocessing(preprocessor)).size;
  const checkpoint = await loadCheckpoint(files.weights, fileOf(files, 'config'), wanted);
  const { vit, scheme } = checkpoint;
  const { imageSize } = vit.config;
  const { preprocessing, notes } = await preprocessingOf(preprocessor, imageSize, checkpoint);
  const record = { source: 'directory', naming: scheme, notes: [...checkpoint.notes, ...notes] } as const;
  return { vit, preprocessing, record };
}

async function fromOnnx(files: Extract<ModelFiles, { layout: 'onnx' }>): Promise<Read> {
  const { weights, graph } = files;
  const { vit, difference } = await loadOnnx(weights, graph, fileOf(files, 'config'), await nodeEngine());
  const { imageSize } = vit.config;
  const { preprocessing, notes } = await preprocessingOf(fileOf(files, 'preprocessor'), imageSize, undefined);
  const recognised =
    `Recognised in ${basename(weights)}; its logits and those of what was recognised differ by ` +
    `${difference.toPrecision(2)} at most on random images.`;
  return { vit, preprocessing, record: { source: 'onnx', notes: [recognised, ...notes] } };
}

function notesOnChoice({ weights, notTaken }: ModelFiles): string[] {
  if (notTaken.length === 0) return [];
  return [`The weights are those of ${basename(weights)}; the folder also has ${notTaken.join(', ')}.`];
}
