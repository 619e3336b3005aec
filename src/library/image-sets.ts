import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { Job } from '../base/job.js';
import { writeOutput } from '../base/output.js';
import { fetchDataset, type FetchedData, type FetchProgress } from '../data/fetch.js';
import type { OpenedData } from '../data/kind.js';
import { datasetNames, datasetOf } from '../data/registry.js';
import type { Declaration } from '../data/sets/declaration.js';
import { declarationFrom, declaredSets, nameOf, readDeclaration } from '../data/sets/declared.js';
import type { Findings } from '../data/sets/findings.js';
import { loadModelFor, localModel } from '../model/load.js';
import type { ModelRecord } from '../model/record.js';
import { namedModel } from '../model/source.js';
import { fetchStep, type LoadingStep } from '../run/events.js';
import { knownImages, namesImages } from '../run/locate-data.js';
import { openImages, type ImagesEvent } from './images.js';
import { checkedOptions, fields, signalOf, type Stoppable } from './options.js';

/** What may be said of images of one's own, where their folder or file does not say it. Paths are relative to the working folder. */
export interface ImagesOptions extends Stoppable {
  /** The folder, list, split or file of the training images; `train` if left out. */
  readonly train?: string | undefined;
  /** The folder, list, split or file of the test images; `test` or `val` if left out. */
  readonly test?: string | undefined;
  /** Where there is one split only: the share of each class to test on. */
  readonly holdout?: number | undefined;
  /** A file with the names of the classes, one a line, in the order of their folders. */
  readonly labels?: string | undefined;
  /** The column or array that holds the images, where there are several. */
  readonly image?: string | undefined;
  /** The column or array that holds the classes. */
  readonly label?: string | undefined;
  /** Rotate images as their EXIF data says, which torchvision's loader does not do. */
  readonly exif?: boolean | undefined;
}

/** How images are registered. */
export interface AddImagesOptions extends ImagesOptions {
  /** Replace an existing declaration of that name. */
  readonly force?: boolean | undefined;
}

/** How images are checked. */
export interface CheckImagesOptions extends ImagesOptions {
  /** Where the images of a built-in dataset lie. */
  readonly data?: string | undefined;
  /** A model whose classes are compared with those of the images. */
  readonly model?: string | undefined;
  /** Look at every image again though no file has changed. */
  readonly again?: boolean | undefined;
}

/** How a published dataset is fetched. */
export interface FetchImagesOptions extends Stoppable {
  /** A mirror of the official archive. */
  readonly url?: string | undefined;
  /** With `url`: the MD5 of the archive there in hex, where it is packed in another way. */
  readonly md5?: string | undefined;
}

/** What is known of images after each was looked at. */
export interface ImagesFacts extends Partial<Findings> {
  readonly name: string;
  /** SHA-256 over the test images and their classes. */
  readonly hash: string;
  /** Names of the classes, in the order of their numbers. */
  readonly classes: readonly string[];
  readonly trainImages: number;
  readonly testImages: number;
  /** The classes of the model that are those of the images; left out where no model was named, or nothing says so. */
  readonly modelClasses?: ModelRecord['classes'];
}

/** Images that can be used by name. */
export interface ListedImages {
  readonly name: string;
  /** Who brings them: `EdgeFlex`, a plug-in, or the file that declares them. */
  readonly from: string;
  /** Where they lie, or how to get them. */
  readonly images: string;
}

/** What happens while images are checked. */
export type CheckImagesEvent =
  | ImagesEvent
  /** The model is fetched whose classes are compared. */
  | ({ readonly kind: 'loading' } & LoadingStep);

/** Images that were looked at. */
export class CheckedImages {
  /** @internal */
  constructor(
    /** @internal */
    readonly data: OpenedData,
    /** What is known of the model that was named; undefined where none was. */
    readonly model: ModelRecord | undefined,
    /** The file that declares them now; undefined where none was written. */
    readonly file: string | undefined,
  ) {}

  /** What was found, for programs. */
  get facts(): ImagesFacts {
    const { train, test, findings } = this.data;
    return {
      ...{ name: test.name, hash: test.hash, classes: test.labels },
      ...{ trainImages: train.count, testImages: test.count, ...findings },
      ...(this.model?.classes && { modelClasses: this.model.classes }),
    };
  }
}

const ownSchema = {
  signal: fields.signal,
  train: z.string().optional(),
  test: z.string().optional(),
  holdout: z.number().gt(0).lt(1).optional(),
  labels: z.string().optional(),
  image: z.string().optional(),
  label: z.string().optional(),
  exif: z.boolean().optional(),
};

const addSchema = z.strictObject({ ...ownSchema, force: z.boolean().default(false) });

const checkSchema = z.strictObject({
  ...ownSchema,
  data: fields.data,
  model: z.string().optional(),
  again: z.boolean().default(false),
});

const fetchSchema = z.strictObject({
  signal: fields.signal,
  url: z.string().optional(),
  md5: z.string().optional(),
});

/**
 * Registers images of one's own, and looks at each: `data/<name>.yaml` in the working folder then declares them, and suites and
 * `dataset` options accept the name.
 *
 * @param name - lower-case letters, digits and hyphens
 * @param path - folders of classes; CSV or Parquet; `.npz`; CIFAR files
 * @param options - what their folder or file does not say
 * @throws InputError when the name is none or taken, or the images cannot be used
 *
 * @example
 * ```ts
 * const { facts } = await addImages('pets', '/home/me/pets', { holdout: 0.2 });
 * ```
 */
export function addImages(
  name: string,
  path: string,
  options: AddImagesOptions = {},
): Job<ImagesEvent, CheckedImages> {
  return new Job(
    (emit) => added(name, path, options, emit),
    ({ kind }) => kind === 'opening-images',
  );
}

async function added(
  name: string,
  path: string,
  options: AddImagesOptions,
  emit: (event: ImagesEvent) => void,
): Promise<CheckedImages> {
  const asked = checkedOptions('addImages', options, addSchema);
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name) || datasetNames().includes(name))
    throw new InputError({
      source: 'the name of the images',
      found: name,
      expected: datasetNames().includes(name)
        ? 'a name that no built-in dataset has'
        : 'lower-case letters, digits and hyphens',
    });
  const file = join('data', `${name}.yaml`);
  if (existsSync(file) && !asked.force)
    throw new InputError({ source: file, found: 'a declaration', expected: 'none, or --force' });
  const said = declared(asked, path);
  const signal = signalOf(asked);
  const data = await openImages(
    { name, declared: declarationFrom(said, name, resolve(file)) },
    { given: undefined, signal, emit },
  );
  const beside = (to: string): string => relative(resolve('data'), to) || '.';
  const written = {
    ...said,
    path: beside(said.path),
    ...(typeof said.labels === 'string' && { labels: beside(said.labels) }),
  };
  await writeOutput(file, stringify(written), { force: asked.force });
  return new CheckedImages(data, undefined, file);
}

/**
 * Looks at images: whether each can be decoded, and whether any training image is also a test image.
 *
 * @param images - a name, or the path of images or of a file that declares them
 * @param options - what their folder or file does not say; a model to compare classes with
 * @throws InputError when there are no such images, or they or the model cannot be used
 */
export function checkImages(
  images: string,
  options: CheckImagesOptions = {},
): Job<CheckImagesEvent, CheckedImages> {
  return new Job(
    (emit) => checked(images, options, emit),
    ({ kind }) => kind === 'opening-images' || kind === 'loading',
  );
}

async function checked(
  images: string,
  options: CheckImagesOptions,
  emit: (event: CheckImagesEvent) => void,
): Promise<CheckedImages> {
  const asked = checkedOptions('checkImages', options, checkSchema);
  const known = namesImages(images);
  const name = known ? knownImages(images) : nameOf(images);
  const own = known ? undefined : declarationFrom(declared(asked, images), name, resolve(images));
  const signal = signalOf(asked);
  const data = await openImages(
    { name, ...(own && { declared: own }) },
    { given: asked.data, again: asked.again, signal, emit },
  );
  if (asked.model === undefined) return new CheckedImages(data, undefined, undefined);
  const local = await localModel(namedModel(asked.model), {
    signal,
    onProgress: (progress) => {
      emit({ kind: 'loading', ...fetchStep(progress) });
    },
  });
  return new CheckedImages(data, (await loadModelFor(local, data.train)).record, undefined);
}

/** What options say of images, as a declaration does. */
function declared(
  { train, test, holdout, labels, image, label, exif }: ImagesOptions,
  path: string,
): Omit<Declaration, 'name' | 'source'> {
  return {
    path: resolve(path),
    ...(train !== undefined && { train }),
    ...(test !== undefined && { test }),
    ...(holdout !== undefined && { holdout }),
    ...(labels !== undefined && { labels: resolve(labels) }),
    ...(image !== undefined && { image }),
    ...(label !== undefined && { label }),
    ...(exif === true && { exif }),
  };
}

/**
 * Downloads a published dataset into the cache, verifies and unpacks it. An interrupted download is continued.
 *
 * @param name - `cifar10` or `cifar100`
 * @param options - a mirror
 * @throws InputError when there is no such dataset, or what came is not it; DeviceError when there is no connection; ResourceError when
 *   the disk is full; the signal's reason when it fires, whereupon what came is kept
 */
export function fetchImages(name: string, options: FetchImagesOptions = {}): Job<FetchProgress, FetchedData> {
  return new Job(
    async (emit) => {
      const asked = checkedOptions('fetchImages', options, fetchSchema);
      const { url, md5 } = asked;
      return fetchDataset(name, { url, md5, signal: signalOf(asked), onProgress: emit });
    },
    ({ kind }) => kind === 'receiving',
  );
}

/** All images that can be used by name: declared ones of the working folder and of EdgeFlex, then built-in datasets. */
export async function listImages(): Promise<readonly ListedImages[]> {
  const own = await Promise.all(
    declaredSets().map(async ({ name, path }) => ({
      ...{ name, from: path },
      images: (await readDeclaration(path)).path,
    })),
  );
  const known = datasetNames().map((name) => {
    const { builtIn, hint, origin } = datasetOf(name);
    return {
      name,
      from: origin === undefined ? 'EdgeFlex' : `plug-in ${origin.name}`,
      images: builtIn ?? hint,
    };
  });
  return [...own, ...known];
}
