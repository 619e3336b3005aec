import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { RECORD_BYTES, type Dataset, type RecordFile, type Split } from './dataset.js';
import type { DatasetKind, OpenedData } from './kind.js';

/** How a dataset of CIFAR-10's binary layout names its files. */
export interface BinaryLayout {
  readonly train: RegExp;
  readonly test: RegExp;
  /** The names of the classes, one a line. */
  readonly labels: string;
}

/**
 * How a dataset of CIFAR-10's binary layout is found and opened. Opening checks what is there: whole records, labels in range,
 * and the sums of `SHA256SUMS` where it lies beside the files. One training batch or five are both accepted; what is missing is
 * not invented.
 *
 * @param name - of the dataset, for messages
 * @param layout - how its files are named
 */
export function binaryDataset(name: string, layout: BinaryLayout): Pick<DatasetKind, 'holds' | 'open'> {
  return {
    async holds(directory) {
      const files = await readdir(directory).catch(() => []);
      return files.some((file) => layout.test.test(file));
    },
    open: (directory) => openBinary(name, layout, directory),
  };
}

async function openBinary(name: string, layout: BinaryLayout, directory: string): Promise<OpenedData> {
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
      throw new InputError({
        source: directory,
        found: `no ${split} images (${present.length === 0 ? 'nothing at all' : present.join(', ')})`,
        expected: `the files of ${name}, named like ${layout[split].source.replace(/[\\^$]/g, '')}`,
      });
    const files: RecordFile[] = [];
    const classes: Uint8Array[] = [];
    for (const file of names) {
      const path = join(directory, file);
      const bytes = await readFile(path);
      classes.push(checkedLabels(path, bytes, labels.length));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      check(file, sha256);
      files.push({ path, records: bytes.length / RECORD_BYTES, sha256 });
    }
    return {
      name,
      split,
      labels,
      files,
      count: files.reduce((sum, { records }) => sum + records, 0),
      classes: Buffer.concat(classes),
      hash: hashJson(files.map(({ sha256 }) => sha256)),
    };
  };
  const [train, test] = [await open('train'), await open('test')];
  return { train, test, verified };
}

function checkedLabels(path: string, bytes: Uint8Array, classes: number): Uint8Array {
  if (bytes.length === 0 || bytes.length % RECORD_BYTES !== 0)
    throw new InputError({
      source: path,
      place: `record ${Math.floor(bytes.length / RECORD_BYTES)}`,
      found: `${bytes.length} bytes, ${bytes.length % RECORD_BYTES} of them after the last whole record`,
      expected: `a multiple of ${RECORD_BYTES} bytes (a label and 3 × 32 × 32 pixels each)`,
      hint: 'The file is truncated: fetch it again.',
    });
  const labels = new Uint8Array(bytes.length / RECORD_BYTES);
  for (let record = 0; record < labels.length; record++) {
    const label = bytes[record * RECORD_BYTES] ?? NaN;
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
      found: bytes === undefined ? 'nothing' : 'no class name',
      expected: 'the names of the classes, one a line',
    });
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
