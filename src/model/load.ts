import { basename } from 'node:path';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { sameSize, square } from '../base/size.js';
import { channelsOfImages, IMAGE_CHANNELS, type Dataset, type Split } from '../data/dataset.js';
import { defaultPreprocessing, type Preprocessing } from '../data/preprocess.js';
import { preprocessingOfImages } from '../data/records.js';
import { fetchSnapshot, type SnapshotProgress } from '../net/hub-snapshot.js';
import { readModel } from '../onnx/file.js';
import type { OnnxModel } from '../onnx/model.js';
import { nodeEngine } from '../runtime/node.js';
import { loadCheckpoint } from '../vit/checkpoints/load.js';
import { loadOnnx } from '../vit/onnx/load.js';
import { UnrecognisedGraph } from '../vit/onnx/unrecognised.js';
import { syntheticViT } from '../vit/synthetic.js';
import type { ViT } from '../vit/vit.js';
import { readCard, type ModelCard } from './card.js';
import { withClassesOf } from './classes.js';
import { fileOf, findFiles, type ModelFiles, type OnnxFiles } from './files.js';
import { digestsOf, identityOf, type SourceDigest } from './identity.js';
import { readPreprocessing } from './image-processor.js';
import { preprocessingOf, type ModelInput } from './preprocessing.js';
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
  /**
   * How it is scored, where it has no head and gets none: by embeddings of training images. The head that its weights have then is a probe
   * by which stages judge what they do.
   */
  readonly scoredBy?: NeighbourSettings | undefined;
}

/** How test images get a class by embeddings alone: by a vote of the nearest training images. */
export interface NeighbourSettings {
  /** How many vote. */
  readonly neighbours: number;
  /** A vote weighs exp(cosine / temperature). */
  readonly temperature: number;
  /** Training images among which neighbours are looked for. */
  readonly images: number;
  /** How many were asked for, where there are not as many. */
  readonly asked?: number;
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
 * @param channels - of the images
 * @throws UnrecognisedGraph when an ONNX file holds no ViT that is recognised; InputError when the files hold none, or one for other
 *   images or for as many other classes
 */
export async function loadModel(
  model: LocalModel,
  labels: readonly string[],
  channels: number = IMAGE_CHANNELS,
): Promise<LoadedModel> {
  if (model.kind === 'synthetic') return syntheticModel(model, labels, channels);
  const { name, files, hub } = model;
  const digests = await digestsOf(files);
  const {
    vit: read,
    preprocessing,
    record,
  } = await (files.layout === 'onnx' ? fromOnnx(files, channels) : fromCheckpoint(files, channels));
  const { vit, match, notes, classes } = withClassesOf(files.weights, read, labels);
  const identity = identityOf(digests);
  return {
    ...{ name, vit, preprocessing, digests, synthetic: false },
    // Another order of the classes is another model.
    identity: match.kind === 'mapped' ? hashJson({ identity, order: match.order }) : identity,
    card: await cardOf(model),
    record: {
      ...record,
      ...(classes && { classes }),
      ...(hub && { source: 'hub', hub }),
      notes: [...notesOnChoice(files), ...notesOnChannels(preprocessing), ...record.notes, ...notes],
    },
  };
}

/**
 * Loads a model for the images of a data set.
 *
 * @param model - files on this machine or a synthetic architecture
 * @param images - the set: its classes, and what its images are like
 * @throws InputError when the files hold no ViT, or one for other images or for as many other classes
 */
export async function loadModelFor(model: LocalModel, images: Dataset<Split>): Promise<LoadedModel> {
  const loaded = await loadModel(model, images.labels, channelsOfImages(images));
  return { ...loaded, preprocessing: preprocessingOfImages(images, loaded.preprocessing) };
}

/** The card beside a model; undefined where there is none. */
export async function cardOf(model: LocalModel): Promise<ModelCard | undefined> {
  return model.kind === 'synthetic' ? undefined : readCard(fileOf(model.files, 'card'));
}

function syntheticModel(
  { architecture, imageSize, seed, name }: Extract<LocalModel, { kind: 'synthetic' }>,
  labels: readonly string[],
  channels: number,
): LoadedModel {
  const vit = syntheticViT(architecture, seed, imageSize, labels);
  requireChannels(name, vit.config.channels, channels);
  const { height } = imageSize;
  // Squares have been known by one side since there were no others.
  const identitySize = sameSize(imageSize, square(height)) ? height : imageSize;
  return {
    ...{ name, synthetic: true, card: undefined, digests: [] },
    vit,
    preprocessing: defaultPreprocessing(imageSize),
    identity: hashJson({ architecture, imageSize: identitySize, seed, classes: labels.length }),
    record: { source: 'seed', notes: [] },
  };
}

/** What the weights and what lies beside them give. */
type Read = Pick<LoadedModel, 'vit' | 'preprocessing' | 'record'>;

async function fromCheckpoint(files: ModelFiles, channels: number): Promise<Read> {
  const preprocessor = fileOf(files, 'preprocessor');
  const wanted = preprocessor === undefined ? undefined : (await readPreprocessing(preprocessor)).size;
  const checkpoint = await loadCheckpoint(files.weights, fileOf(files, 'config'), wanted);
  const { vit, scheme } = checkpoint;
  const input = inputOf(files.weights, vit, channels);
  const { preprocessing, notes } = await preprocessingOf(preprocessor, input, checkpoint);
  const record = { source: 'directory', naming: scheme, notes: [...checkpoint.notes, ...notes] } as const;
  return { vit, preprocessing, record };
}

async function fromOnnx(files: OnnxFiles, channels: number): Promise<Read> {
  const { weights } = files;
  const { vit, difference, widened } = await loadOnnx(
    weights,
    await graphOf(weights),
    fileOf(files, 'config'),
    await nodeEngine(),
  );
  const input = inputOf(weights, vit, channels);
  const { preprocessing, notes } = await preprocessingOf(fileOf(files, 'preprocessor'), input, undefined);
  const recognised =
    `Recognised in ${basename(weights)}${widened ? ', whose 16-bit numbers were widened' : ''}; its logits and those of what ` +
    `was recognised differ by ${difference.toPrecision(2)} at most on random images.`;
  return { vit, preprocessing, record: { source: 'onnx', notes: [recognised, ...notes] } };
}

/** @throws UnrecognisedGraph when it holds what is not read */
async function graphOf(path: string): Promise<OnnxModel> {
  try {
    return await readModel(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new UnrecognisedGraph({ kind: 'not-read', found: error.fault.found }, error.fault);
  }
}

/** @throws InputError when the images have another number of channels */
function inputOf(
  source: string,
  { config: { imageSize: size, channels } }: ViT,
  ofImages: number,
): ModelInput {
  requireChannels(source, channels, ofImages);
  return { source, size, channels };
}

/** @throws InputError when images of so many channels cannot be given to a model: colours can be made grey */
function requireChannels(source: string, taken: number, ofImages: number): void {
  if (taken === ofImages || (taken === 1 && ofImages === IMAGE_CHANNELS)) return;
  throw new InputError({
    source,
    place: 'the first layer',
    found: `images with ${taken} ${taken === 1 ? 'channel' : 'channels'}`,
    expected: `${ofImages} channels, like the images of the dataset${ofImages === IMAGE_CHANNELS ? ', or 1 (grey)' : ''}`,
  });
}

/** What becomes of coloured images, in sentences. */
export function notesOnChannels({ grey }: Preprocessing): string[] {
  return grey ? ['Images are converted to grey, since the model takes one channel.'] : [];
}

/** What was chosen among the files of a folder, in sentences. */
export function notesOnChoice({ weights, notTaken }: ModelFiles): string[] {
  if (notTaken.length === 0) return [];
  return [`The weights are those of ${basename(weights)}; the folder also has ${notTaken.join(', ')}.`];
}
