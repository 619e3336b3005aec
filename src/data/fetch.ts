import { existsSync } from 'node:fs';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DeviceError, InputError } from '../base/errors.js';
import { hashFile } from '../base/hash.js';
import { cacheKey } from '../cache/key.js';
import { cache } from '../cache/store.js';
import { download, UnreachableError, type DownloadOptions, type DownloadProgress } from '../net/download.js';
import { ArchiveError, extractFiles } from './extract.js';
import type { OpenedData } from './kind.js';
import { datasetKey } from './location.js';
import { datasetOf, openDataset } from './registry.js';

/** A dataset's official archive. */
interface Archive {
  readonly name: string;
  readonly url: string;
  /** As the publisher states it, in hex. */
  readonly md5: string;
  /** The files without which the dataset is not whole, inside the folder of the dataset. */
  readonly files: readonly string[];
}

/** A mirror may pack a dataset in another way, but not without end. */
const MAX_ARCHIVE_BYTES = 2 ** 30;

/** The datasets that are published somewhere; the others come with the suites. */
const archives: Readonly<Record<string, Archive>> = {
  cifar10: {
    name: 'cifar10',
    url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
    md5: 'c32a1d4ab5d03f1284b67883e8d87530',
    files: [
      ...[1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
      'test_batch.bin',
      'batches.meta.txt',
    ],
  },
  cifar100: {
    name: 'cifar100',
    url: 'https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz',
    md5: '03b5dce01913d631647c71ecec9e9cb8',
    files: ['train.bin', 'test.bin', 'fine_label_names.txt', 'coarse_label_names.txt'],
  },
};

/** Names of the datasets that can be fetched. */
export const fetchableNames: readonly string[] = Object.keys(archives);

/** How far a fetch is: the download's own steps and what comes around it. */
export type FetchProgress =
  | DownloadProgress
  /** What lies in the cache cannot be used; it is fetched anew. */
  | { readonly kind: 'replacing'; readonly reason: string }
  | { readonly kind: 'extracting' };

/** How a dataset is fetched. */
export interface FetchOptions extends Omit<DownloadOptions, 'onProgress'> {
  readonly onProgress: (progress: FetchProgress) => void;
  /** Another address of the archive: a mirror. */
  readonly url?: string | undefined;
  /** MD5 of the archive there, in hex, where it is packed in another way than the official one. */
  readonly md5?: string | undefined;
}

/** A dataset in the cache. */
export interface FetchedData {
  readonly name: string;
  readonly directory: string;
  /** False when it was there already. */
  readonly fetched: boolean;
  /** Where it came from, when it was fetched now. */
  readonly url: string | undefined;
  readonly trainImages: number;
  readonly testImages: number;
}

/**
 * Gets a published dataset into the user's cache: downloads the archive (going on where an earlier call stopped),
 * verifies it, unpacks it, and opens the dataset to see that it is whole. It is there only then.
 * `SHA256SUMS` is written beside the files, so that later damage is seen.
 *
 * @param name - which dataset
 * @param options - progress, signal, mirror
 * @throws InputError when the name, the address or the sum is unusable, the archive is not the dataset's, or the cache
 *   cannot be written; DeviceError when there is no connection, the disk is full, or another process is fetching; the
 *   signal's reason when it fires
 */
export async function fetchDataset(name: string, options: FetchOptions): Promise<FetchedData> {
  const archive = archiveOf(name);
  const md5 = sumOf(archive, options);
  const packed = await cache().claim(
    cacheKey('archive', { archive: archive.name, md5 }),
    `archive of ${name}`,
  );
  let done = false;
  try {
    const present = await openPresent(archive);
    done = present !== undefined && !('damage' in present);
    if (present !== undefined && !('damage' in present))
      return outcome(archive, present.directory, present.data, undefined);
    if (present !== undefined) options.onProgress({ kind: 'replacing', reason: present.damage });
    const url = options.url ?? archive.url;
    const path = packed.pathOf(basename(archive.url));
    const limits = { ...options, maxBytes: MAX_ARCHIVE_BYTES };
    await download(url, path, { algorithm: 'md5', hex: md5 }, limits).catch((error: unknown) => {
      throw error instanceof UnreachableError ? withOfflineHint(archive, error) : error;
    });
    // What was downloaded stays when unpacking is stopped.
    await packed.take(basename(path));
    options.onProgress({ kind: 'extracting' });
    try {
      const entry = await cache().make(
        datasetKey(archive.name),
        { title: archive.name, replace: true, signal: options.signal },
        (folder) => unpack(archive, path, folder, options.signal),
      );
      done = true;
      return outcome(archive, entry.files, await openDataset(archive.name, entry.files), url);
    } catch (error) {
      done = error instanceof ArchiveError;
      throw error instanceof ArchiveError ? unusable(url, error) : error;
    }
  } finally {
    if (done) await packed.discard();
    else packed.release();
  }
}

function archiveOf(name: string): Archive {
  const archive = Object.hasOwn(archives, name) ? archives[name] : undefined;
  if (archive === undefined)
    throw new InputError({
      source: 'the dataset to fetch',
      found: name,
      expected: fetchableNames.join(' or '),
      ...(name === 'shapes10' && { hint: 'shapes10 comes with edgeflex, in suites/data/.' }),
    });
  return archive;
}

function sumOf(archive: Archive, { url, md5 }: FetchOptions): string {
  if (md5 === undefined) return archive.md5;
  if (url === undefined)
    throw new InputError({
      source: 'the MD5 sum',
      found: md5,
      expected: 'none without the address of a mirror: the official archive has a known sum',
    });
  if (!/^[0-9a-f]{32}$/i.test(md5))
    throw new InputError({ source: 'the MD5 sum', found: md5, expected: '32 hexadecimal digits' });
  return md5.toLowerCase();
}

/** The dataset as it lies in the cache; or why it cannot be used; or undefined where there is none. */
async function openPresent(
  archive: Archive,
): Promise<{ directory: string; data: OpenedData } | { damage: string } | undefined> {
  const key = datasetKey(archive.name);
  const entry = await cache().find(key);
  if (entry) return { directory: entry.files, data: await openDataset(archive.name, entry.files) };
  const [first] = await cache().damageTo(key);
  return first && { damage: `${first.file}: found ${first.found}` };
}

/** Unpacks the archive into a folder of its own and puts the dataset's files into another when it is known to be whole. */
async function unpack(archive: Archive, packed: string, folder: string, signal: AbortSignal): Promise<void> {
  const inside = datasetOf(archive.name).folder;
  const all = join(folder, 'unpacked');
  const wanted = archive.files.map((file) => `${inside}/${file}`);
  await extractFiles(packed, wanted, all, signal);
  await openUnpacked(archive, packed, join(all, inside));
  signal.throwIfAborted();
  for (const file of await readdir(join(all, inside)))
    await rename(join(all, inside, file), join(folder, file));
  await rm(all, { recursive: true });
}

async function openUnpacked(archive: Archive, packed: string, unpacked: string): Promise<void> {
  const missing = missingFiles(archive, unpacked);
  if (missing.length > 0)
    throw new ArchiveError({
      source: packed,
      found: `no ${missing.join(', ')} in ${basename(unpacked)}/`,
      expected: `the files of ${archive.name}`,
    });
  await writeSums(unpacked, archive.files);
  try {
    await openDataset(archive.name, unpacked);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { source, place } = error.fault;
    const file = basename(source);
    throw new ArchiveError({
      ...error.fault,
      source: packed,
      place: place === undefined ? file : `${file}: ${place}`,
    });
  }
}

function missingFiles({ files }: Archive, directory: string): string[] {
  return files.filter((file) => !existsSync(join(directory, file)));
}

async function writeSums(directory: string, files: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const file of files) lines.push(`${await hashFile(join(directory, file))}  ${file}\n`);
  await writeFile(join(directory, 'SHA256SUMS'), lines.join(''));
}

function outcome(
  { name }: Archive,
  directory: string,
  { train, test }: OpenedData,
  url: string | undefined,
): FetchedData {
  const found = { trainImages: train.count, testImages: test.count };
  return { name, directory, fetched: url !== undefined, url, ...found };
}

/** The archive that the fault names is gone when the user reads of it; the address is not. */
function unusable(url: string, { fault }: ArchiveError): InputError {
  const hint =
    'Its sum is the expected one, and still it is of no use, so it was deleted: name another address.';
  return new InputError({ ...fault, source: url, hint });
}

function withOfflineHint({ name, url }: Archive, error: UnreachableError): DeviceError {
  return new DeviceError(
    `${error.message}\nWithout a network: bring ${basename(url)} here by other means, unpack it, and give the folder ` +
      `with --data or EDGEFLEX_DATA to what needs ${name}.`,
    { cause: error },
  );
}
