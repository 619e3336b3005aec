import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { foundBy, InputError } from '../base/errors.js';
import { asDict, isKind, unpickle, UnpickleError, type Pickled, type PickledDict } from '../base/unpickle.js';
import { cacheKey } from '../cache/key.js';
import { cache } from '../cache/store.js';
import { IMAGE_BYTES } from './dataset.js';
import { stateOf } from './file-state.js';

/** How the Python version of a data set stands to its binary version. */
export interface PickledLayout {
  /** Each pickle of images, and the file of records that holds the same. */
  readonly batches: readonly (readonly [pickle: string, records: string])[];
  /** Under which names the labels lie, in the order of the bytes that they are in a record. */
  readonly labels: readonly string[];
  /** The pickle of the names of the classes, and in the order of the labels each list in it and the text that holds the same. */
  readonly meta: string;
  readonly names: readonly (readonly [list: string, text: string])[];
}

/** Raised whenever the same pickles would give other records. */
const CONVERT_VERSION = 1;

/** The largest of them has 155 MB. */
const MAX_BYTES = 2 ** 30;

/** What these pickles name: how NumPy 1 and 2 make an array, and how bytes of Python 2 are spelt. */
const NAMES = new Set([
  ...['numpy.ndarray', 'numpy.dtype', '_codecs.encode'],
  ...['numpy.core', 'numpy._core'].flatMap((core) => [
    `${core}.multiarray._reconstruct`,
    `${core}.numeric._frombuffer`,
  ]),
]);

/**
 * The records of a data set's Python version, as its binary version has them, byte by byte: in the cache. The pickles are read, not
 * run: one that names anything but NumPy's arrays is refused.
 *
 * @param directory - where the pickles lie
 * @param layout - what they are called
 * @returns the folder of the records
 * @throws InputError with file and place when one is damaged, or holds something else
 */
export async function unpickledRecords(directory: string, layout: PickledLayout): Promise<string> {
  const present: (readonly [string, string])[] = [];
  for (const [pickle, records] of layout.batches)
    if (await isFile(join(directory, pickle))) present.push([pickle, records]);
  const states = await Promise.all(
    [layout.meta, ...present.map(([pickle]) => pickle)].map((file) => boundedState(join(directory, file))),
  );
  const key = cacheKey('images', { pickles: { directory, states, layout }, version: CONVERT_VERSION });
  const entry = await cache().make(key, { title: `records of ${directory}` }, async (folder) => {
    const meta = await dictIn(join(directory, layout.meta));
    const lists: LabelList[] = [];
    for (const [index, [list, text]] of layout.names.entries()) {
      const names = namesIn(join(directory, layout.meta), list, meta.entries.get(list));
      await writeFile(join(folder, text), names.map((name) => `${name}\n`).join(''));
      lists.push({ name: layout.labels[index] ?? '', classes: names.length });
    }
    for (const [pickle, records] of present)
      await writeFile(join(folder, records), await recordsIn(join(directory, pickle), lists));
  });
  return entry.files;
}

/**
 * Whether the pickles of a data set lie in a folder.
 *
 * @param names - of the files in it
 * @param layout - what the pickles are called
 */
export function holdsPickles(names: readonly string[], layout: PickledLayout): boolean {
  return names.includes(layout.meta) && layout.batches.some(([pickle]) => names.includes(pickle));
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** The state of a pickle that is not too large to be read as a whole. */
async function boundedState(path: string): Promise<readonly number[]> {
  const state = await stateOf(path, 'a pickle');
  const [size = 0] = state;
  if (size <= MAX_BYTES) return state;
  throw new InputError({
    source: path,
    found: `${size} bytes`,
    expected: `a pickle of at most ${MAX_BYTES}`,
  });
}

async function dictIn(path: string): Promise<PickledDict> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new InputError({ source: path, found: foundBy(error), expected: 'a pickle' });
  });
  try {
    const dict = asDict(unpickle(bytes, (name) => NAMES.has(name)));
    if (dict !== undefined) return dict;
    throw new UnpickleError('no dictionary');
  } catch (error) {
    if (!(error instanceof UnpickleError)) throw error;
    throw new InputError({
      source: path,
      place: 'the pickle',
      found: error.message,
      expected: "a dictionary of lists and of one of NumPy's arrays, in protocol 2 to 5",
      hint: 'Nothing of it was run.',
    });
  }
}

function namesIn(path: string, list: string, value: Pickled | undefined): readonly string[] {
  const names = (Array.isArray(value) ? (value as readonly Pickled[]) : []).map((name) =>
    isKind(name, 'bytes') ? new TextDecoder().decode(name.bytes) : name,
  );
  const texts = names.filter((name) => typeof name === 'string' && /^[^\n]*\S[^\n]*$/.test(name));
  if (texts.length > 0 && texts.length === names.length) return texts as string[];
  throw new InputError({
    source: path,
    place: list,
    found: value === undefined ? 'no such list' : 'no list of names',
    expected: 'the names of the classes',
  });
}

/** A list of labels in a pickle, and how many classes they are of. */
interface LabelList {
  readonly name: string;
  readonly classes: number;
}

async function recordsIn(path: string, labels: readonly LabelList[]): Promise<Buffer> {
  const { entries } = await dictIn(path);
  const pixels = pixelsIn(path, entries.get('data'));
  const count = pixels.length / IMAGE_BYTES;
  const lists = labels.map((list) => labelsIn(path, list, entries.get(list.name), count));
  const step = labels.length + IMAGE_BYTES;
  const records = Buffer.alloc(count * step);
  for (let record = 0; record < count; record++) {
    for (const [place, list] of lists.entries()) records[record * step + place] = list[record] ?? 0;
    const image = pixels.subarray(record * IMAGE_BYTES, (record + 1) * IMAGE_BYTES);
    records.set(image, record * step + labels.length);
  }
  return records;
}

function labelsIn(
  path: string,
  { name, classes }: LabelList,
  value: Pickled | undefined,
  count: number,
): readonly number[] {
  const list = Array.isArray(value) ? (value as readonly Pickled[]) : [];
  const strange = list.findIndex(
    (label) =>
      typeof label !== 'number' || !Number.isInteger(label) || label < 0 || label >= Math.min(classes, 256),
  );
  if (list.length === count && strange < 0) return list as readonly number[];
  throw new InputError({
    source: path,
    place: strange < 0 ? name : `${name}[${strange}]`,
    found:
      value === undefined
        ? 'no such list'
        : strange < 0
          ? `${list.length} labels`
          : `the label ${shown(list[strange])}`,
    expected: strange < 0 ? `${count}, one for each image` : `a whole number from 0 to ${classes - 1}`,
  });
}

function pixelsIn(path: string, value: Pickled | undefined): Uint8Array {
  const refuse = (found: string): InputError =>
    new InputError({
      ...{ source: path, place: 'data', found },
      expected: `an array uint8 (images, ${IMAGE_BYTES}), row by row`,
    });
  const array = value === undefined ? undefined : arrayIn(value);
  if (array === undefined)
    throw refuse(value === undefined ? 'no such array' : 'something other than an array');
  const { type, shape, byColumns, bytes } = array;
  const [count, size] = shape;
  if (type !== 'u1') throw refuse(`values of the type ${type}`);
  if (shape.length !== 2 || size !== IMAGE_BYTES || !(Number(count) > 0))
    throw refuse(`the shape (${shape.join(', ')})`);
  if (byColumns) throw refuse('an array stored column by column');
  if (bytes.length !== Number(count) * IMAGE_BYTES)
    throw refuse(`${bytes.length} bytes for the shape (${shape.join(', ')})`);
  return bytes;
}

interface PickledArray {
  readonly type: string;
  readonly shape: readonly (number | string)[];
  readonly byColumns: boolean;
  readonly bytes: Uint8Array;
}

/** An array as NumPy's `__reduce__` gives it (a state), or for protocol 5 (a call with its bytes). */
function arrayIn(value: Pickled): PickledArray | undefined {
  if (!isKind(value, 'call') || !isKind(value.of, 'global')) return undefined;
  const [, maker] = /^numpy\._?core\.(\w+\.\w+)$/.exec(value.of.name) ?? [];
  const parts = listOf(maker === 'multiarray._reconstruct' ? value.state : value.with);
  const [, shape, type, order, data] =
    maker === 'numeric._frombuffer' ? [null, parts[2], parts[1], parts[3] === 'F', parts[0]] : parts;
  const [bytes, dtype] = [bytesIn(data), typeIn(type)];
  if (bytes === undefined || dtype === undefined) return undefined;
  return { type: dtype, shape: listOf(shape).map(shown), byColumns: order === true, bytes };
}

function typeIn(value: Pickled | undefined): string | undefined {
  if (value === undefined || !isKind(value, 'call')) return undefined;
  const [name] = listOf(value.with);
  return isKind(value.of, 'global') && value.of.name === 'numpy.dtype' && typeof name === 'string'
    ? name
    : undefined;
}

/** Bytes, or the text that Python 2 and pickles of protocol 2 spell them as. */
function bytesIn(value: Pickled | undefined): Uint8Array | undefined {
  if (value === undefined) return undefined;
  if (isKind(value, 'bytes')) return value.bytes;
  if (!isKind(value, 'call') || !isKind(value.of, 'global') || value.of.name !== '_codecs.encode')
    return undefined;
  const [text, coding] = listOf(value.with);
  return typeof text === 'string' && coding === 'latin1' ? Buffer.from(text, 'latin1') : undefined;
}

function listOf(value: Pickled | undefined): readonly Pickled[] {
  return Array.isArray(value) ? (value as readonly Pickled[]) : [];
}

function shown(value: Pickled | undefined): number | string {
  return typeof value === 'number' || typeof value === 'string' ? value : 'that is no number';
}
