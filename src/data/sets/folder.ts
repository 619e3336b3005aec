import { existsSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { foundBy, InputError } from '../../base/errors.js';
import { MAX_IMAGES } from '../dataset.js';
import { hasImageName } from '../images/format.js';
import type { LabelledItem } from '../images/item.js';
import { byCodePoints, type Collected } from './collected.js';
import type { Declaration } from './declaration.js';
import { declaredLabels } from './labels.js';
import { listed } from './marks.js';

/** What folders of test images are called, the one that is taken first. */
const TEST_NAMES = ['test', 'val', 'validation', 'valid'] as const;

/** Folders below a class folder beyond this depth are no data set. */
const MAX_DEPTH = 16;

/**
 * The images of a folder of class folders, as torchvision's `ImageFolder` finds them: a class for each folder, in the order of their
 * names as texts; images by their suffixes, at any depth, links followed. Hidden files and folders are left alone.
 *
 * @param declaration - where it is, and which folders are the splits
 * @throws InputError when there are no splits, a class has no image, or a test class is none of the training images
 */
export async function collectFolder(declaration: Declaration): Promise<Collected> {
  const { path, source, image, label } = declaration;
  if (image !== undefined || label !== undefined)
    throw new InputError({
      source,
      place: image === undefined ? 'label' : 'image',
      found: `a column "${image ?? label ?? ''}" for ${path}`,
      expected: 'none: images in class folders have neither columns nor arrays',
    });
  const names = await splitFolders(declaration);
  const named = await declaredLabels(declaration);
  const ignored = new Map<string, number>();
  if (names === undefined) {
    const labels = await classFolders(path);
    const all = await imagesOf(path, labels, ignored);
    return { labels: calledAs(labels, named, declaration), splits: { kind: 'one', all }, ignored };
  }
  const [train, test] = [join(path, names.train), join(path, names.test)];
  const labels = await classFolders(train);
  const strange = (await classFolders(test)).find((name) => !labels.includes(composed(name)));
  if (strange !== undefined)
    throw new InputError({
      source: join(test, strange),
      found: `the class "${strange}", which has no training images`,
      expected: `the classes of ${train}: ${listed(labels)}`,
      ...(source !== test && { hint: `The splits are those that ${source} declares.` }),
    });
  return {
    labels: calledAs(labels, named, declaration),
    splits: {
      kind: 'declared',
      train: await imagesOf(train, labels, ignored),
      test: await imagesOf(test, labels, ignored),
    },
    ignored,
  };
}

/** The folders' names, or in their order those that are declared: `n01440764` says nothing. */
function calledAs(
  folders: readonly string[],
  named: readonly string[] | undefined,
  { source }: Declaration,
): readonly string[] {
  if (named === undefined || named.length === folders.length) return named ?? folders;
  throw new InputError({
    source,
    place: 'labels',
    found: `${named.length} names`,
    expected: `${folders.length}, one for each class folder in their order: ${listed(folders)}`,
  });
}

/** The folders of the splits; undefined where all images are in one. */
async function splitFolders({
  path,
  train,
  test,
  holdout,
}: Declaration): Promise<{ readonly train: string; readonly test: string } | undefined> {
  const present = await foldersIn(path);
  const foundTest = test ?? TEST_NAMES.find((name) => present.includes(name));
  const foundTrain = train ?? (present.includes('train') ? 'train' : undefined);
  if (holdout !== undefined && train === undefined && test === undefined) return undefined;
  if (foundTrain === undefined || foundTest === undefined)
    throw new InputError({
      source: path,
      place: 'splits',
      found: present.length === 0 ? 'no folder' : `the folders ${listed(present)}`,
      expected: 'a folder train and one called test or val, or others that --train and --test name',
      hint: 'Where there is one split only, "edgeflex data add" with --holdout 20% keeps a fifth of each class for the test.',
    });
  for (const name of [foundTrain, foundTest])
    if (!existsSync(join(path, name)))
      throw new InputError({
        source: join(path, name),
        found: 'no such folder',
        expected: 'a folder of class folders',
      });
  return { train: foundTrain, test: foundTest };
}

async function foldersIn(path: string): Promise<string[]> {
  const names = await readdir(path).catch((error: unknown) => {
    throw new InputError({ source: path, found: foundBy(error), expected: 'a folder of class folders' });
  });
  const folders: string[] = [];
  for (const name of names)
    if (!name.startsWith('.') && (await isFolder(join(path, name)))) folders.push(name);
  return folders.sort(byCodePoints);
}

/** What a path leads to, links followed; a link that leads nowhere is a file, for its reader to refuse by name. */
async function kindOf(path: string): Promise<'folder' | 'file' | 'other'> {
  return stat(path).then(
    (found) => (found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other'),
    () => 'file',
  );
}

async function isFolder(path: string): Promise<boolean> {
  return (await kindOf(path)) === 'folder';
}

/** A name with its accents in their letters: some systems write them behind these, and both are one name. */
function composed(name: string): string {
  return name.normalize('NFC');
}

async function classFolders(path: string): Promise<string[]> {
  const names = await foldersIn(path);
  if (names.length >= 2) return names.map(composed);
  throw new InputError({
    source: path,
    found: names.length === 0 ? 'no folders' : `one folder, ${names.join('')}`,
    expected: 'a folder for each class, two at least',
  });
}

async function imagesOf(
  split: string,
  labels: readonly string[],
  ignored: Map<string, number>,
): Promise<LabelledItem[]> {
  const items: LabelledItem[] = [];
  const folders = new Map((await foldersIn(split)).map((name) => [composed(name), name]));
  for (const [label, name] of labels.entries()) {
    const own = folders.get(name);
    if (own === undefined) continue;
    const folder = join(split, own);
    const before = items.length;
    for await (const path of imageFiles(folder, ignored)) {
      items.push({ place: { kind: 'file', path }, label });
      if (items.length > MAX_IMAGES)
        throw new InputError({ source: split, found: `more than ${MAX_IMAGES} images`, expected: 'fewer' });
    }
    if (items.length === before)
      throw new InputError({
        source: folder,
        found: 'no image',
        expected: `images of the class "${name}": .jpg, .jpeg, .png, .webp, .tif, .tiff, .ppm or .pgm`,
        hint: 'Where it is no class, move it out of the folder of class folders.',
      });
  }
  return items;
}

/** The images below a folder, in the order of their names; links are followed, but not in circles. */
async function* imageFiles(
  folder: string,
  ignored: Map<string, number>,
  above: readonly string[] = [],
): AsyncGenerator<string> {
  const real = await realpath(folder);
  if (above.includes(real) || above.length > MAX_DEPTH) return;
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort(byCodePoints);
  const folders: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const kind = await kindOf(path);
    if (kind === 'folder') folders.push(path);
    // A pipe or a device gives bytes without end, or none and no end either.
    else if (hasImageName(name) && kind === 'file') yield path;
    else {
      const suffix = kind === 'other' ? name : extname(name).toLowerCase() || name;
      ignored.set(suffix, (ignored.get(suffix) ?? 0) + 1);
    }
  }
  for (const path of folders) yield* imageFiles(path, ignored, [...above, real]);
}
