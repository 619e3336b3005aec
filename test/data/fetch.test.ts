import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { DeviceError, InputError } from '../../src/base/errors.js';
import {
  fetchDataset,
  type FetchedData,
  type FetchOptions,
  type FetchProgress,
} from '../../src/data/fetch.js';
import { fetchedDirectory } from '../../src/data/location.js';
import { withLock } from '../../src/cache/lock.js';
import { openDataset } from '../../src/data/open.js';
import { locateData } from '../../src/run/locate-data.js';
import {
  archiveOf,
  cifarEntries,
  cifarFiles,
  FOLDER,
  labels,
  md5,
  sha256,
  tarEntry,
  temporaryDirectory,
} from './support/cifar.js';
import { serveFile, type TestServer } from './support/server.js';

const archive = archiveOf(cifarEntries());
const needed = [...cifarFiles().keys()].filter((name) => name !== 'readme.html');

/** Directory around the cache, so that what escapes from the cache is seen. */
let around: string;
let cache: string;

beforeEach(async () => {
  around = await temporaryDirectory();
  cache = join(around, 'deep', 'cache');
  vi.stubEnv('EDGEFLEX_CACHE', cache);
  vi.stubEnv('EDGEFLEX_DATA', undefined);
  onTestFinished(() => void vi.unstubAllEnvs().restoreAllMocks());
});

async function everything(): Promise<string[]> {
  const entries = await readdir(around, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(around.length + 1))
    .sort();
}

const inPlace = [...needed, 'SHA256SUMS'].map((name) => `deep/cache/data/${FOLDER}/${name}`).sort();

function fetchFrom(
  server: Pick<TestServer, 'url'>,
  content: Buffer,
  options: Partial<FetchOptions> = {},
): Promise<FetchedData> {
  return fetchDataset('cifar10', {
    url: server.url,
    md5: md5(content),
    signal: new AbortController().signal,
    onProgress: () => undefined,
    retryDelays: [1],
    ...options,
  });
}

describe('fetching CIFAR-10', () => {
  test('puts the dataset where it is looked for, and nothing else', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const heard: FetchProgress['kind'][] = [];
    const found = await fetchFrom(server, archive, { onProgress: ({ kind }) => void heard.push(kind) });
    expect(found).toEqual({
      name: 'cifar10',
      directory: join(cache, 'data', FOLDER),
      fetched: true,
      url: server.url,
      trainImages: 4 + 5 + 6 + 7 + 8,
      testImages: 10,
    });
    expect(await everything()).toEqual(inPlace);
    expect([...new Set(heard)]).toEqual(['receiving', 'verifying', 'extracting']);
    for (const [name, bytes] of cifarFiles())
      if (needed.includes(name))
        expect((await readFile(join(found.directory, name))).equals(bytes)).toBe(true);
    const located = await locateData('cifar10', undefined, undefined);
    expect(located.verified).toBe(true);
    expect(located.train.labels).toEqual(labels);
  });

  test('writes sums that sha256sum understands', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const { directory } = await fetchFrom(server, archive);
    const files = cifarFiles();
    expect(await readFile(join(directory, 'SHA256SUMS'), 'utf8')).toBe(
      needed.map((name) => `${sha256(files.get(name)!)}  ${name}\n`).join(''),
    );
  });

  test('accepts paths that begin with ./ and an archive that is not compressed', async () => {
    const plain = Buffer.concat([
      ...[...cifarFiles()].map(([name, bytes]) => tarEntry(`./${FOLDER}/${name}`, bytes)),
      Buffer.alloc(1024),
    ]);
    const server = await serveFile(() => ({ content: plain }));
    expect((await fetchFrom(server, plain)).testImages).toBe(10);
  });

  test('does nothing when it is there already', async () => {
    const server = await serveFile(() => ({ content: archive }));
    await fetchFrom(server, archive);
    const heard: FetchProgress[] = [];
    const again = await fetchFrom(server, archive, { onProgress: (progress) => void heard.push(progress) });
    expect(again).toMatchObject({ fetched: false, url: undefined, trainImages: 30, testImages: 10 });
    expect(server.exchanges).toHaveLength(1);
    expect(heard).toEqual([]);
  });

  test.each([
    ['an altered pixel', 'test_batch.bin', 'found SHA-256'],
    ['a missing batch', 'data_batch_3.bin', 'found no data_batch_3.bin'],
  ])('replaces a dataset with %s', async (what, file, reason) => {
    const server = await serveFile(() => ({ content: archive }));
    const { directory } = await fetchFrom(server, archive);
    const path = join(directory, file);
    const bytes = await readFile(path);
    const altered = Buffer.from(bytes);
    altered[100]! ^= 1;
    if (what === 'a missing batch') await rm(path);
    else await writeFile(path, altered);
    await writeFile(join(directory, 'stray.txt'), 'of an earlier version');
    const heard: FetchProgress[] = [];
    const again = await fetchFrom(server, archive, { onProgress: (progress) => void heard.push(progress) });
    expect(again.fetched).toBe(true);
    expect(heard[0]).toEqual({ kind: 'replacing', reason: expect.stringContaining(reason) as string });
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await everything()).toEqual(inPlace);
  });

  test('leaves a damaged dataset where it is until it has a better one', async () => {
    const server = await serveFile((request) => ({ content: archive, ...(request > 0 && { status: 404 }) }));
    const { directory } = await fetchFrom(server, archive);
    await rm(join(directory, 'data_batch_3.bin'));
    await expect(fetchFrom(server, archive)).rejects.toThrow('HTTP 404');
    expect(existsSync(join(directory, 'data_batch_1.bin'))).toBe(true);
  });

  test('deletes an archive with the wrong sum', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const failure = fetchFrom(server, archive, { md5: undefined });
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(
      `found MD5 ${md5(archive)}; expected c32a1d4ab5d03f1284b67883e8d87530`,
    );
    expect(await everything()).toEqual([]);
  });

  test('takes a sum in capitals', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const found = await fetchFrom(server, archive, { md5: md5(archive).toUpperCase() });
    expect(found.fetched).toBe(true);
  });
});

describe('an archive that is not what it should be', () => {
  const outside = (): string => join(around, 'outside');
  const entries = cifarEntries();

  test('writes nothing outside, whatever its entries are called', async () => {
    await mkdir(outside());
    const evil = Buffer.from('evil');
    const hostile = archiveOf([
      tarEntry('../evil', evil),
      tarEntry('../../evil', evil),
      tarEntry('../../../evil', evil),
      tarEntry(`${FOLDER}/../../evil`, evil),
      tarEntry(`${FOLDER}/../data_batch_1.bin`, evil),
      tarEntry(join(outside(), 'evil'), evil),
      tarEntry(`${FOLDER}/link`, { linkTo: outside() }),
      tarEntry(`${FOLDER}/link/evil`, evil),
      tarEntry(`${FOLDER}/unexpected.bin`, evil),
      // A link in the place of the folder, and one in the place of a file that then comes.
      tarEntry(FOLDER, { linkTo: outside() }),
      tarEntry(`${FOLDER}/test_batch.bin`, { linkTo: join(outside(), 'test_batch.bin') }),
      tarEntry(`${FOLDER}/batches.meta.txt`, { linkTo: '../../../../evil', hard: true }),
      ...entries,
    ]);
    const server = await serveFile(() => ({ content: hostile }));
    expect((await fetchFrom(server, hostile)).trainImages).toBe(30);
    expect(await everything()).toEqual(inPlace);
  });

  test('is refused when a link stands for one of the files', async () => {
    await mkdir(outside());
    await writeFile(join(outside(), 'secret'), cifarFiles().get('test_batch.bin')!);
    const files = cifarFiles();
    files.delete('test_batch.bin');
    const linked = archiveOf([
      ...cifarEntries(files),
      tarEntry(`${FOLDER}/test_batch.bin`, { linkTo: join(outside(), 'secret') }),
    ]);
    const server = await serveFile(() => ({ content: linked }));
    const failure = fetchFrom(server, linked);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(`found no test_batch.bin in ${FOLDER}/`);
    expect(await everything()).toEqual(['outside/secret']);
  });

  test.each([
    ['cut gzip', archive.subarray(0, archive.length / 2), 'unexpected end of file'],
    ['an HTML page', Buffer.from('<html>'.repeat(1000)), 'checksum failure'],
    ['nothing', Buffer.alloc(0), 'Unrecognized archive format'],
    ['another archive', archiveOf([tarEntry('README', Buffer.from('hello'))]), 'no data_batch_1.bin, data_'],
    ['cut tar', Buffer.concat(entries).subarray(0, 20_000), 'Truncated input'],
  ])('is refused: %s', async (_what, broken, reason) => {
    const server = await serveFile(() => ({ content: broken }));
    const failure = fetchFrom(server, broken);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(server.url);
    await expect(failure).rejects.toThrow(reason);
    await expect(failure).rejects.toThrow('it was deleted');
    expect(await everything()).toEqual([]);
  });

  test('is refused when its labels are out of range', async () => {
    const files = cifarFiles();
    files.get('data_batch_2.bin')![3073] = 10;
    const wrong = archiveOf(cifarEntries(files));
    const server = await serveFile(() => ({ content: wrong }));
    await expect(fetchFrom(server, wrong)).rejects.toThrow(
      `${server.url}: data_batch_2.bin: record 1: found label 10; expected a label from 0 to 9`,
    );
    expect(await everything()).toEqual([]);
  });
});

describe('a fetch that is stopped while it unpacks', () => {
  test('leaves no dataset, and the next call needs no download', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const stop = new AbortController();
    const reason = new Error('enough');
    const stopped = fetchFrom(server, archive, {
      signal: stop.signal,
      onProgress: ({ kind }) => {
        if (kind === 'extracting') stop.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    expect(await everything()).toEqual(['deep/cache/downloads/cifar-10-binary.tar.gz']);
    expect((await fetchFrom(server, archive)).fetched).toBe(true);
    expect(server.exchanges).toHaveLength(1);
    expect(await everything()).toEqual(inPlace);
  });

  test('by a crash: what it left is no dataset and goes away', async () => {
    const half = join(cache, 'data', `${FOLDER}.partial`, FOLDER);
    await mkdir(half, { recursive: true });
    await writeFile(join(half, 'test_batch.bin'), 'half');
    await writeFile(join(half, 'data_batch_9.bin'), 'half');
    await expect(locateData('cifar10', undefined, undefined)).rejects.toThrow('edgeflex data fetch cifar10');
    const server = await serveFile(() => ({ content: archive }));
    await fetchFrom(server, archive);
    expect(await everything()).toEqual(inPlace);
  });

  test('by a full disk: the archive stays', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const failure = fetchFrom(server, archive, {
      onProgress: ({ kind }) => {
        if (kind === 'extracting') fillDisk();
      },
    });
    await expect(failure).rejects.toThrow(DeviceError);
    await expect(failure).rejects.toThrow(/the disk is full \(ENOSPC.*\)\nFree some space/);
    expect(await everything()).toEqual(['deep/cache/downloads/cifar-10-binary.tar.gz']);
    vi.restoreAllMocks();
    expect((await fetchFrom(server, archive)).fetched).toBe(true);
    expect(server.exchanges).toHaveLength(1);
  });
});

/** Lets every write by which files are unpacked fail, as a full disk does. */
function fillDisk(): void {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    syscall: 'write',
  });
  vi.spyOn(fs, 'write').mockImplementation((...values: readonly unknown[]) => {
    const done = values.at(-1) as (error: Error) => void;
    setImmediate(done, error);
  });
}

describe('what a caller may ask for', () => {
  const quiet = { signal: new AbortController().signal, onProgress: () => undefined };

  test.each([
    ['shapes10', {}, 'shapes10 comes with edgeflex'],
    ['toString', {}, 'expected cifar10'],
    ['cifar10', { md5: md5(archive) }, 'expected none without the address of a mirror'],
    ['cifar10', { md5: 'c32a', url: 'http://127.0.0.1/' }, '32 hexadecimal digits'],
    ['cifar10', { url: 'mirror' }, 'http:// or https://'],
  ])('%s %o is refused', async (name, options, message) => {
    const failure = fetchDataset(name, { ...quiet, ...options });
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(message);
  });

  test('without a network it is told how to bring the images', async () => {
    const server = await serveFile(() => ({ content: archive }));
    await server.close();
    const failure = fetchFrom(server, archive);
    await expect(failure).rejects.toThrow(DeviceError);
    await expect(failure).rejects.toThrow(/Without a network: bring cifar-10-binary\.tar\.gz here .* --data/);
  });
});

describe('two fetches at once', () => {
  const lock = (): string => join(cache, 'downloads', 'cifar-10-binary.tar.gz.lock');

  async function locked(by: unknown): Promise<void> {
    await mkdir(join(cache, 'downloads'), { recursive: true });
    await writeFile(lock(), typeof by === 'string' ? by : JSON.stringify(by));
  }

  test.each([
    ['a living process', { process: process.pid, host: hostname() }, `process ${process.pid} on`],
    ['another machine', { process: 1, host: 'elsewhere' }, 'process 1 on elsewhere'],
    ['nobody knows whom', '', 'another process'],
  ])('are refused: locked by %s', async (_what, by, message) => {
    const server = await serveFile(() => ({ content: archive }));
    await locked(by);
    const failure = fetchFrom(server, archive);
    await expect(failure).rejects.toThrow(DeviceError);
    await expect(failure).rejects.toThrow(message);
    expect(server.exchanges).toHaveLength(0);
    expect(existsSync(lock())).toBe(true);
  });

  test('a lock that nobody has touched for long does not hold', async () => {
    await locked({ process: 1, host: 'elsewhere' });
    const before = new Date(Date.now() - 31_000);
    await utimes(lock(), before, before);
    const server = await serveFile(() => ({ content: archive }));
    expect((await fetchFrom(server, archive)).fetched).toBe(true);
  });

  test('a lock is touched as long as it is held', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    await withLock(lock(), async () => {
      const before = new Date(Date.now() - 60_000);
      await utimes(lock(), before, before);
      vi.advanceTimersByTime(5_000);
      await vi.waitFor(async () => expect((await stat(lock())).mtimeMs).toBeGreaterThan(Date.now() - 30_000));
    });
    expect(vi.getTimerCount()).toBe(0);
    expect(existsSync(lock())).toBe(false);
  });

  test('the lock of a process that is gone does not hold', async () => {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(child, 'exit');
    await locked({ process: child.pid, host: hostname() });
    const server = await serveFile(() => ({ content: archive }));
    expect((await fetchFrom(server, archive)).fetched).toBe(true);
    expect(await everything()).toEqual(inPlace);
  });
});

test('the cache is found by the dataset’s name', async () => {
  expect(fetchedDirectory('cifar10')).toBe(join(cache, 'data', FOLDER));
  await expect(openDataset('cifar10', fetchedDirectory('cifar10'))).rejects.toThrow(InputError);
});
