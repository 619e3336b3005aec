import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { firstTwice } from '../base/twice.js';
import {
  cifarLayout,
  recordBytes,
  type Dataset,
  type RecordFile,
  type RecordLayout,
  type Split,
} from './dataset.js';
import type { DatasetKind, OpenedData } from './kind.js';
import { holdsPickles, unpickledRecords, type PickledLayout } from './pickled.js';

/** How a dataset of CIFAR's binary layout names its files, and how its records lie in them. */
export interface BinaryLayout {
  readonly train: RegExp;
  readonly test: RegExp;
  /** The names of the classes, one a line. */
  readonly labels: string;
  /** How a record lies in a file; left out, as one of CIFAR-10. */
  readonly records?: RecordLayout;
  /** Which of its bytes before the pixels is the label; left out, the first. */
  readonly labelByte?: number;
  /** What the same images are called as pickles of Python; undefined where there are none. */
  readonly pickled?: PickledLayout;
}

/** A layout in which nothing is left to be said. */
type WholeLayout = BinaryLayout & Required<Pick<BinaryLayout, 'records' | 'labelByte'>>;

/**
 * How a dataset of CIFAR's binary layout is found and opened; where only its Python version is there, that one is turned into records
 * first. Opening checks what is there: whole records, labels in range,
 * and the sums of `SHA256SUMS` where it lies beside the files. One training batch or five are both accepted; what is missing is
 * not invented.
 *
 * @param name - of the dataset, for messages
 * @param given - how its files are named, and its records lie
 */
export function binaryDataset(name: string, given: BinaryLayout): Pick<DatasetKind, 'holds' | 'open'> {
  const layout = { records: cifarLayout, labelByte: 0, ...given };
  return {
    async holds(directory) {
      const files = await readdir(directory).catch((): string[] => []);
      // Several data sets call their images alike.
      const binary = files.some((file) => layout.test.test(file)) && files.includes(layout.labels);
      return binary || hasPickles(layout, files);
    },
    async open(directory) {
      const files = await readdir(directory).catch((): string[] => []);
      const { pickled } = layout;
      const binary = files.some((file) => layout.test.test(file)) || !hasPickles(layout, files);
      if (binary || pickled === undefined) return openBinary(name, layout, directory);
      for (const split of ['train', 'test'] as const) {
        const wanted = pickled.batches.flatMap(([pickle, records]) =>
          layout[split].test(records) ? [pickle] : [],
        );
        if (!wanted.some((pickle) => files.includes(pickle)))
          throw withoutImages(name, split, { directory, present: files.sort(), like: wanted.join(' or ') });
      }
      return openBinary(name, layout, await unpickledRecords(directory, pickled));
    },
  };
}

function hasPickles({ pickled }: BinaryLayout, files: readonly string[]): boolean {
  return pickled !== undefined && holdsPickles(files, pickled);
}

async function openBinary(name: string, layout: WholeLayout, directory: string): Promise<OpenedData> {
  const present = (await readdir(directory).catch(() => [])).sort();
  const sums = await readSums(join(directory, 'SHA256SUMS'));
  let verified = true;
  const check = (file: string, sha256: string): void => {
    verified = checkSum(join(directory, file), sha256, sums.get(file)) && verified;
  };
  const labels = await readLabels(join(directory, layout.labels), (sha256) => check(layout.labels, sha256));
  const open = async <S extends Split>(split: S): Promise<Dataset<S>> => {
    const names = present.filter((file) => layout[split].test(file));
    if (names.length === 0)
      throw withoutImages(name, split, {
        ...{ directory, present, like: layout[split].source.replace(/[\\^$]/g, '') },
      });
    const files: RecordFile[] = [];
    const classes: number[] = [];
    for (const file of names) {
      const path = join(directory, file);
      const bytes = await readFile(path);
      for (const label of checkedLabels(path, bytes, layout, labels.length)) classes.push(label);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      check(file, sha256);
      files.push({ path, records: bytes.length / recordBytes(layout.records), sha256 });
    }
    return {
      name,
      split,
      labels,
      images: { kind: 'records', records: { layout: layout.records, files } },
      count: files.reduce((sum, { records }) => sum + records, 0),
      classes: Uint16Array.from(classes),
      hash: hashJson(files.map(({ sha256 }) => sha256)),
    };
  };
  const [train, test] = [await open('train'), await open('test')];
  return { train, test, verified };
}

/** The refusal of a folder that has no file of a split. */
function withoutImages(
  name: string,
  split: Split,
  { directory, present, like }: { directory: string; present: readonly string[]; like: string },
): InputError {
  return new InputError({
    source: directory,
    found: `no ${split} images (${present.length === 0 ? 'nothing at all' : present.join(', ')})`,
    expected: `the files of ${name}, named like ${like}`,
  });
}

function checkedLabels(
  path: string,
  bytes: Uint8Array,
  { records: { height, width, labelBytes }, labelByte }: WholeLayout,
  classes: number,
): Uint8Array {
  const step = recordBytes({ height, width, labelBytes });
  if (bytes.length === 0 || bytes.length % step !== 0)
    throw new InputError({
      source: path,
      place: `record ${Math.floor(bytes.length / step)}`,
      found: `${bytes.length} bytes, ${bytes.length % step} of them after the last whole record`,
      expected: `a multiple of ${step} bytes (${labelBytes === 1 ? 'a label' : `${labelBytes} labels`} and 3 × ${height} × ${width} pixels each)`,
      hint: 'The file is truncated: fetch it again.',
    });
  const labels = new Uint8Array(bytes.length / step);
  for (let record = 0; record < labels.length; record++) {
    const label = bytes[record * step + labelByte] ?? NaN;
    if (!(label < classes))
      throw new InputError({
        source: path,
        place: `record ${record}`,
        found: `label ${label}`,
        expected: `a label from 0 to ${classes - 1}`,
      });
    labels[record] = label;
  }
  return labels;
}

/** Whether there is a sum to check against; a wrong one throws. */
function checkSum(path: string, found: string, expected: string | undefined): boolean {
  if (expected !== undefined && expected !== found)
    throw new InputError({
      source: path,
      found: `SHA-256 ${found}`,
      expected: `${expected}, as SHA256SUMS says`,
      hint: 'The file was altered or damaged: fetch it again.',
    });
  return expected !== undefined;
}

async function readLabels(path: string, check: (sha256: string) => void): Promise<string[]> {
  const bytes = existsSync(path) ? await readFile(path) : undefined;
  const lines = (bytes?.toString('utf8') ?? '').split('\n').map((line) => line.trim());
  const labels = lines.filter((line) => line !== '');
  if (bytes === undefined || labels.length === 0)
    throw new InputError({
      source: path,
      found: bytes === undefined ? 'no such file' : 'no class name',
      expected: 'the names of the classes, one a line',
    });
  const twice = firstTwice(labels);
  if (twice !== undefined)
    throw new InputError({ source: path, found: `the name "${twice}" twice`, expected: 'each once' });
  check(createHash('sha256').update(bytes).digest('hex'));
  return labels;
}

/** The sums by file; none where there is no such file. */
async function readSums(path: string): Promise<Map<string, string>> {
  const text = existsSync(path) ? await readFile(path, 'utf8') : '';
  const sums = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const parts = /^([0-9a-f]{64}) [ *](.+)$/i.exec(line.trimEnd());
    if (parts === null)
      throw new InputError({
        source: path,
        place: `line ${index + 1}`,
        found: JSON.stringify(line),
        expected: 'a SHA-256 sum in hex, two spaces and a file, as sha256sum writes them',
      });
    const [, sum = '', file = ''] = parts;
    sums.set(file, sum.toLowerCase());
  }
  return sums;
}
