import { stat } from 'node:fs/promises';
import { foundBy, InputError } from '../../base/errors.js';
import { firstTwice } from '../../base/twice.js';
import type { ImagePlace, LabelledItem } from '../images/item.js';
import type { Marks } from '../marks.js';
import { byCodePoints, eachSplit, ofAllSplits, type Collected, type Splits } from './collected.js';
import type { Declaration } from './declaration.js';
import { declaredLabels } from './labels.js';

/** The images of a file, and what stands beside each for its class. */
export interface MarkedFile {
  readonly source: string;
  readonly places: readonly ImagePlace[];
  readonly marks: Marks;
  /** What the file itself calls the classes, in the order of their numbers. */
  readonly names?: readonly string[] | undefined;
  /** The place in the file at which an image stands, for messages. */
  readonly at: (index: number) => string;
}

/** Labels are kept in 16 bits. */
const MAX_CLASSES = 65_535;

/** How many classes are named in a message. */
const NAMED = 12;

/**
 * Images with their classes. These are the declared ones; where none are, those that the files name; else the names beside the training
 * images, in their order as texts, or the numbers beside them.
 *
 * @param declaration - of the set
 * @param splits - its images, before anything is known of their classes
 * @throws InputError with file and place when a mark is none of the classes, there are fewer than two or two of one name, or an image is not
 *   there
 */
export async function withClasses(
  declaration: Declaration,
  splits: Splits<readonly MarkedFile[]>,
): Promise<Collected> {
  const trained = splits.kind === 'one' ? splits.all : splits.train;
  const all = ofAllSplits(splits);
  const numbered = kindOf(all) === 'numbers';
  const named = await declaredLabels(declaration);
  const own = numbered ? namesIn(all) : undefined;
  if (named !== undefined && own !== undefined && named.length !== own.length)
    throw new InputError({
      source: declaration.source,
      place: 'labels',
      found: `${named.length} names`,
      expected: `${own.length}, one for each class in their order: ${listed(own)}`,
    });
  const labels = named ?? own ?? (numbered ? numbersOf(trained) : namesOf(trained));
  const [first] = trained;
  if (labels.length < 2 || labels.length > MAX_CLASSES)
    throw new InputError({
      source: first?.source ?? declaration.path,
      place: 'label',
      found: labels.length === 1 ? `one class, "${labels.join('')}"` : `${labels.length} classes`,
      expected: `two classes at least, and at most ${MAX_CLASSES}`,
    });
  const known = new Map(labels.map((name, index) => [name, index]));
  // Numbers in texts, as lists have them, are those of the declared classes unless they are names themselves.
  if (!numbered && named?.some((name) => NUMBER.test(name)) === false && marksOf(all).every(isNumber))
    for (const index of labels.keys()) known.set(String(index), index);
  const items = (files: readonly MarkedFile[]): LabelledItem[] =>
    files.flatMap((file) =>
      file.places.map((place, index) => ({ place, label: labelOf(file, index, labels, known) })),
    );
  await requireFiles(all);
  return { labels, splits: await eachSplit(splits, items), ignored: new Map() };
}

function kindOf(files: readonly MarkedFile[]): Marks['kind'] | undefined {
  const [first] = files;
  const other = files.find(({ marks }) => marks.kind !== first?.marks.kind);
  if (first !== undefined && other !== undefined)
    throw new InputError({
      source: other.source,
      place: 'label',
      found: `classes as ${other.marks.kind}`,
      expected: `classes as ${first.marks.kind}, like ${first.source}`,
    });
  return first?.marks.kind;
}

/** What the files call the classes: all alike. */
function namesIn(files: readonly MarkedFile[]): readonly string[] | undefined {
  const first = files.find(({ names }) => names !== undefined);
  if (first?.names === undefined) return undefined;
  const { names, source } = first;
  const other = files.find((file) => file.names?.join('\n') !== names.join('\n'));
  if (other !== undefined)
    throw new InputError({
      source: other.source,
      place: 'the names of the classes',
      found: other.names === undefined ? 'none' : listed(other.names),
      expected: `those of ${source}: ${listed(names)}`,
    });
  const twice = firstTwice(names);
  if (twice !== undefined)
    throw new InputError({
      source,
      place: 'the names of the classes',
      found: `the name "${twice}" twice`,
      expected: 'each once',
    });
  return names;
}

/** A whole number as it is written. */
const NUMBER = /^(?:0|[1-9]\d{0,8})$/;

function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** What stands beside the images as a text. */
function marksOf(files: readonly MarkedFile[]): string[] {
  return files.flatMap(({ marks }) => (marks.kind === 'names' ? marks.values : []));
}

/** The classes that are named beside images, as the folders of a set would be ordered; numbers by what they count. */
function namesOf(files: readonly MarkedFile[]): readonly string[] {
  const names = [...new Set(marksOf(files))];
  return names.every(isNumber) ? names.sort((a, b) => Number(a) - Number(b)) : names.sort(byCodePoints);
}

/** Classes without names are called by their numbers. */
function numbersOf(files: readonly MarkedFile[]): readonly string[] {
  let most = -1;
  for (const { marks } of files)
    if (marks.kind === 'numbers') for (const value of marks.values) most = Math.max(most, value);
  return Array.from({ length: Math.min(most, MAX_CLASSES) + 1 }, (_, label) => String(label));
}

function labelOf(
  { source, marks, at }: MarkedFile,
  index: number,
  labels: readonly string[],
  known: ReadonlyMap<string, number>,
): number {
  const mark = marks.values[index];
  const label = typeof mark === 'string' ? known.get(mark) : mark;
  if (label !== undefined && Number.isInteger(label) && label >= 0 && label < labels.length) return label;
  const classes = `the ${labels.length} classes: ${listed(labels)}`;
  throw new InputError({
    source,
    place: at(index),
    ...(typeof mark === 'string'
      ? { found: `the class "${mark}"`, expected: `one of ${classes}` }
      : { found: `label ${mark ?? 'none'}`, expected: `0 to ${labels.length - 1}, of ${classes}` }),
    ...(mark === -1 && {
      hint: 'Hugging Face writes -1 where an image has no label: such a split cannot be scored. Name another one with test.',
    }),
  });
}

/** Images in files of their own must be there. */
async function requireFiles(files: readonly MarkedFile[]): Promise<void> {
  for (const { source, places, at } of files)
    for (const [index, { kind, path }] of places.entries()) {
      if (kind !== 'file') continue;
      const found = await stat(path).then(
        (file) => (file.isFile() ? undefined : `${path}, which is no file`),
        (error: unknown) => `${path}: ${foundBy(error)}`,
      );
      if (found !== undefined)
        throw new InputError({ source, place: at(index), found, expected: 'an image' });
    }
}

/** Some names, not all where there are many. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).join(', ');
  return names.length > NAMED ? `${shown} … (${names.length})` : shown;
}
