import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { onTestFinished } from 'vitest';
import { RECORD_BYTES, type Dataset, type Records, type Split } from '../../../src/data/dataset.js';
import { seededRandom } from '../../../src/base/random.js';

export const FOLDER = 'cifar-10-batches-bin';

/** A directory that is deleted when the test ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Records with labels 0, 1, 2 … 9, 0 … and random pixels. */
export function records(count: number, seed: number): Buffer {
  const random = seededRandom(seed);
  const bytes = Buffer.from(Array.from({ length: count * RECORD_BYTES }, () => random.integer(256)));
  for (let record = 0; record < count; record++) bytes[record * RECORD_BYTES] = record % 10;
  return bytes;
}

export const labels = [
  ...['airplane', 'automobile', 'bird', 'cat', 'deer'],
  ...['dog', 'frog', 'horse', 'ship', 'truck'],
];

/** The records of a data set that is stored as such. */
export function storedRecords({ images }: Dataset<Split>): Records {
  if (images.kind !== 'records') throw new Error('the images are not stored as records');
  return images.records;
}

/** The files of a small CIFAR-10: five training batches of 4, 5, 6, 7 and 8 images and a test batch of 10. */
export function cifarFiles(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const batch of [1, 2, 3, 4, 5]) files.set(`data_batch_${batch}.bin`, records(3 + batch, batch));
  files.set('test_batch.bin', records(10, 99));
  // The official file ends with an empty line.
  files.set('batches.meta.txt', Buffer.from(`${labels.join('\n')}\n\n`));
  files.set('readme.html', Buffer.from('<html></html>'));
  return files;
}

/** Writes files into a directory that is made. */
export async function writeFiles(directory: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(directory, name), bytes);
}

/** One entry of a tar archive, byte by byte, so that it can be as hostile as it likes. */
export function tarEntry(
  path: string,
  content: Buffer | { readonly linkTo: string; readonly hard?: boolean } | 'directory',
): Buffer {
  const body = Buffer.isBuffer(content) ? content : Buffer.alloc(0);
  const block = Buffer.alloc(512);
  new Header({
    path,
    mode: 0o644,
    uid: 2156,
    gid: 1103,
    size: body.length,
    mtime: new Date(0),
    type: Buffer.isBuffer(content)
      ? 'File'
      : content === 'directory'
        ? 'Directory'
        : content.hard === true
          ? 'Link'
          : 'SymbolicLink',
    ...(typeof content === 'object' && 'linkTo' in content && { linkpath: content.linkTo }),
  }).encode(block, 0);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

/** A compressed tar archive of entries. */
export function archiveOf(entries: readonly Buffer[]): Buffer {
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
}

/** The entries of an archive in the official layout. */
export function cifarEntries(files: ReadonlyMap<string, Buffer> = cifarFiles()): Buffer[] {
  const entries = [...files].map(([name, bytes]) => tarEntry(`${FOLDER}/${name}`, bytes));
  return [tarEntry(`${FOLDER}/`, 'directory'), ...entries];
}

/** MD5 in hex. */
export function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** SHA-256 in hex. */
export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
