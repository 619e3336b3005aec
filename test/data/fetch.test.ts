import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { DeviceError, InputError, ResourceError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import {
  fetchDataset,
  type FetchedData,
  type FetchOptions,
  type FetchProgress,
} from '../../src/data/fetch.js';
import { fetchedDirectory } from '../../src/data/location.js';
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
import { keptIn } from '../support/cache.js';
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

/** What lies around the cache, and what is kept in it. */
async function everything(): Promise<string[]> {
  const entries = await readdir(around, { recursive: true, withFileTypes: true });
  const outside = entries
    .filter((entry) => !entry.isDirectory() && !join(entry.parentPath, entry.name).startsWith(`${cache}/`))
    .map((entry) => join(entry.parentPath, entry.name).slice(around.length + 1));
  return [...outside, ...(await keptIn(cache))].sort();
}

const inPlace = [...needed, 'SHA256SUMS'].map((name) => `dataset/${name}`).sort();

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
      directory: await fetchedDirectory('cifar10'),
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
    ['an altered pixel', 'test_batch.bin', 'test_batch.bin: found another digest'],
    ['a missing batch', 'data_batch_3.bin', 'data_batch_3.bin: found no such file'],
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
    expect(await everything()).toEqual(['archive/cifar-10-binary.tar.gz']);
    expect((await fetchFrom(server, archive)).fetched).toBe(true);
    expect(server.exchanges).toHaveLength(1);
    expect(await everything()).toEqual(inPlace);
  });

  test('by a crash: what it left is no dataset and goes away', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const directory = dirname((await fetchFrom(server, archive)).directory);
    await rename(directory, `${directory}.partial`);
    await rm(join(`${directory}.partial`, 'manifest.json'));
    await expect(locateData('cifar10', undefined, undefined)).rejects.toThrow('edgeflex data fetch cifar10');
    expect((await fetchFrom(server, archive)).fetched).toBe(true);
    expect(await everything()).toEqual(inPlace);
    expect(existsSync(`${directory}.partial`)).toBe(false);
  });

  test('by a full disk: the archive stays', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const failure = fetchFrom(server, archive, {
      onProgress: ({ kind }) => {
        if (kind === 'extracting') fillDisk();
      },
    });
    await expect(failure).rejects.toThrow(ResourceError);
    await expect(failure).rejects.toThrow(/the disk is full \(ENOSPC.*\)\nFree some space/);
    expect(await everything()).toEqual(['archive/cifar-10-binary.tar.gz']);
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
  test('are refused, naming the one that is at it; the lock of a process that was killed does not hold', async () => {
    const holder = join(around, 'holder.mjs');
    const store = pathToFileURL(join(packageRoot(), 'dist', 'cache', 'store.js')).href;
    const key = pathToFileURL(join(packageRoot(), 'dist', 'cache', 'key.js')).href;
    await writeFile(
      holder,
      `import { cache } from ${JSON.stringify(store)};
       import { cacheKey } from ${JSON.stringify(key)};
       await cache().claim(cacheKey('archive', { archive: 'cifar10', md5: '${md5(archive)}' }), 'held');
       console.log('held');
       setInterval(() => undefined, 1000);`,
    );
    const child = spawn(process.execPath, [holder], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const server = await serveFile(() => ({ content: archive }));
    const failure = fetchFrom(server, archive);
    await expect(failure).rejects.toThrow(DeviceError);
    await expect(failure).rejects.toThrow(`process ${child.pid} on ${hostname()}`);
    expect(server.exchanges).toHaveLength(0);
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    expect((await fetchFrom(server, archive)).fetched).toBe(true);
  });
});

test('a dataset that was never fetched lies nowhere', async () => {
  expect(await fetchedDirectory('cifar10')).toBeUndefined();
});
