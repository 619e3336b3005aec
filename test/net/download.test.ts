import { existsSync } from 'node:fs';
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError, ResourceError } from '../../src/base/errors.js';
import {
  download,
  UnreachableError,
  type Digest,
  type DownloadOptions,
  type DownloadProgress,
} from '../../src/net/download.js';
import { md5, records, sha256, temporaryDirectory } from '../data/support/cifar.js';
import { serveFile } from '../data/support/server.js';

const content = records(200, 1);
const other = records(200, 2);
const half = Math.floor(content.length / 2);
const digest: Digest = { algorithm: 'md5', hex: md5(content) };
const etag = '"one"';

function listening(options: Partial<DownloadOptions> = {}): {
  readonly options: DownloadOptions;
  readonly heard: DownloadProgress[];
} {
  const heard: DownloadProgress[] = [];
  const quick = { retryDelays: [1, 1], signal: new AbortController().signal };
  return { heard, options: { ...quick, ...options, onProgress: (progress) => void heard.push(progress) } };
}

async function targetFile(): Promise<{ readonly directory: string; readonly target: string }> {
  const directory = join(await temporaryDirectory(), 'not', 'yet');
  return { directory, target: join(directory, 'file.bin') };
}

/** Leaves half of the content as an interrupted call does. */
async function interrupted(
  target: string,
  version: { etag?: string; lastModified?: string },
): Promise<string> {
  let stopped = false;
  const { options } = listening({ retryDelays: [] });
  const server = await serveFile(() => ({ content, ...version, stopAfter: { bytes: half, how: 'cut' } }));
  await download(server.url, target, digest, options).catch((error: unknown) => {
    stopped = error instanceof UnreachableError;
  });
  await server.close();
  expect(stopped).toBe(true);
  expect((await stat(`${target}.partial`)).size).toBe(half);
  return server.url;
}

describe('a download that nothing disturbs', () => {
  test('puts the file in place and nothing beside it', async () => {
    const { directory, target } = await targetFile();
    const server = await serveFile(() => ({ content, etag }));
    const { options, heard } = listening();
    await download(server.url, target, digest, options);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(await readdir(directory)).toEqual(['file.bin']);
    expect(server.exchanges).toHaveLength(1);
    expect(server.exchanges[0]).toMatchObject({ range: undefined, acceptEncoding: 'identity' });
    expect(heard[0]).toEqual({ kind: 'receiving', received: 0, total: undefined });
    expect(heard.at(-2)).toEqual({ kind: 'receiving', received: content.length, total: content.length });
    expect(heard.at(-1)).toEqual({ kind: 'verifying' });
    const received = heard.flatMap((each) => (each.kind === 'receiving' ? [each.received] : []));
    expect(received).toEqual(received.toSorted((a, b) => a - b));
  });

  test('takes a SHA-256, too', async () => {
    const { target } = await targetFile();
    const server = await serveFile(() => ({ content }));
    await download(server.url, target, { algorithm: 'sha256', hex: sha256(content) }, listening().options);
    expect(existsSync(target)).toBe(true);
  });

  test('is left out when the file is there', async () => {
    const { target } = await targetFile();
    const server = await serveFile(() => ({ content }));
    await download(server.url, target, digest, listening().options);
    await download(server.url, target, digest, listening().options);
    expect(server.exchanges).toHaveLength(1);
  });

  test('replaces a file that has another digest', async () => {
    const { target } = await targetFile();
    const server = await serveFile((request) => ({ content: request === 0 ? other : content }));
    await download(server.url, target, { algorithm: 'md5', hex: md5(other) }, listening().options);
    await download(server.url, target, digest, listening().options);
    expect((await readFile(target)).equals(content)).toBe(true);
  });
});

describe('a connection that is cut', () => {
  test('is taken up where it ended, within one call', async () => {
    const { target } = await targetFile();
    const server = await serveFile((request) => ({
      content,
      etag,
      ...(request === 0 && { stopAfter: { bytes: half, how: 'cut' } }),
    }));
    const { options, heard } = listening();
    await download(server.url, target, digest, options);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(server.exchanges[1]).toMatchObject({
      range: `bytes=${half}-`,
      ifRange: etag,
      status: 206,
      sent: content.length - half,
    });
    expect(server.exchanges).toHaveLength(2);
    expect(heard.filter(({ kind }) => kind === 'waiting')).toHaveLength(1);
  });

  test.each([
    ['an ETag', { etag }, etag],
    [
      'a date, where the ETag is weak',
      { etag: 'W/"one"', lastModified: 'Thu, 04 Jun 2009 18:37:19 GMT' },
      'Thu, 04 Jun 2009 18:37:19 GMT',
    ],
    ['nothing, where the server names no version', {}, undefined],
  ])('is taken up by a later call with %s', async (_what, version, ifRange) => {
    const { target } = await targetFile();
    let cut = true;
    const server = await serveFile(() => ({
      content,
      ...version,
      ...(cut && { stopAfter: { bytes: half, how: 'cut' } }),
    }));
    await expect(
      download(server.url, target, digest, listening({ retryDelays: [] }).options),
    ).rejects.toThrow(/What was received is kept/);
    cut = false;
    const { options, heard } = listening();
    await download(server.url, target, digest, options);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(heard[0]).toEqual({ kind: 'receiving', received: half, total: content.length });
    expect(server.exchanges[1]).toMatchObject({ range: `bytes=${half}-`, ifRange, status: 206 });
    expect(server.exchanges[1]!.sent).toBe(content.length - half);
  });

  test('is given up only when nothing new comes any more', async () => {
    const { target } = await targetFile();
    const step = Math.ceil(content.length / 5);
    const server = await serveFile(() => ({ content, etag, stopAfter: { bytes: step, how: 'cut' } }));
    // Five connections, four of them cut, although only one failure in a row is allowed.
    await download(server.url, target, digest, listening({ retryDelays: [1] }).options);
    expect(server.exchanges).toHaveLength(5);
    expect(server.exchanges.reduce((sum, { sent }) => sum + sent, 0)).toBe(content.length);
  });

  test('that only falls silent is noticed', async () => {
    const { target } = await targetFile();
    const server = await serveFile((request) => ({
      content,
      etag,
      ...(request === 0 && { stopAfter: { bytes: half, how: 'silence' } }),
    }));
    const { options, heard } = listening({ stallMilliseconds: 200 });
    await download(server.url, target, digest, options);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(heard).toContainEqual({ kind: 'waiting', reason: 'nothing came for 0.2 s', seconds: 0.001 });
    expect(server.exchanges[1]!.range).toBe(`bytes=${half}-`);
  });

  test('begins anew on a server without ranges', async () => {
    const { target } = await targetFile();
    const server = await serveFile((request) => ({
      content,
      etag,
      ranges: false,
      ...(request === 0 && { stopAfter: { bytes: half, how: 'cut' } }),
    }));
    await download(server.url, target, digest, listening().options);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(server.exchanges.map(({ status }) => status)).toEqual([200, 200]);
    expect(server.exchanges[1]!.range).toBe(`bytes=${half}-`);
  });

  test('on a server without ranges that always cuts is given up', async () => {
    const { target } = await targetFile();
    const server = await serveFile(() => ({
      content,
      ranges: false,
      stopAfter: { bytes: half, how: 'cut' },
    }));
    await expect(download(server.url, target, digest, listening().options)).rejects.toThrow(UnreachableError);
    expect(server.exchanges).toHaveLength(3);
  });
});

describe('a file that changed meanwhile is not spliced', () => {
  test.each([
    ['with If-Range', true, [200, 200]],
    ['by a server that ignores If-Range', false, [200, 206, 200]],
  ])('%s', async (_what, ifRange, statuses) => {
    const { target } = await targetFile();
    const server = await serveFile((request) =>
      request === 0
        ? { content, etag, stopAfter: { bytes: half, how: 'cut' } }
        : { content: other, etag: '"two"', ifRange },
    );
    await download(server.url, target, { algorithm: 'md5', hex: md5(other) }, listening().options);
    expect((await readFile(target)).equals(other)).toBe(true);
    expect(server.exchanges.map(({ status }) => status)).toEqual(statuses);
  });

  test('when it is shorter now than what we have', async () => {
    const { target } = await targetFile();
    const short = content.subarray(0, 1000);
    const server = await serveFile((request) =>
      request === 0 ? { content, stopAfter: { bytes: half, how: 'cut' } } : { content: short },
    );
    await download(server.url, target, { algorithm: 'md5', hex: md5(short) }, listening().options);
    expect((await readFile(target)).equals(short)).toBe(true);
    expect(server.exchanges.map(({ status }) => status)).toEqual([200, 416, 200]);
  });

  test('nor one from another address', async () => {
    const { target } = await targetFile();
    await interrupted(target, { etag });
    const server = await serveFile(() => ({ content, etag }));
    await download(server.url, target, digest, listening().options);
    expect(server.exchanges).toMatchObject([{ range: undefined, status: 200 }]);
  });

  test('nor bytes whose note is lost', async () => {
    const { target } = await targetFile();
    let cut = true;
    const server = await serveFile(() => ({
      content,
      etag,
      ...(cut && { stopAfter: { bytes: half, how: 'cut' } }),
    }));
    await download(server.url, target, digest, listening({ retryDelays: [] }).options).catch(() => undefined);
    cut = false;
    await writeFile(`${target}.partial.json`, '{"url": "ht');
    await download(server.url, target, digest, listening().options);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(server.exchanges[1]!.range).toBeUndefined();
  });
});

describe('a download that cannot succeed', () => {
  test('is deleted when the digest is wrong', async () => {
    const { directory, target } = await targetFile();
    const server = await serveFile(() => ({ content: other, etag }));
    const failure = download(server.url, target, digest, listening().options);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(
      `${server.url}: found MD5 ${md5(other)}; expected ${md5(content)}\nThe download was deleted.`,
    );
    expect(await readdir(directory)).toEqual([]);
    expect(server.exchanges).toHaveLength(1);
  });

  test('says that the file is not there, at once', async () => {
    const { directory, target } = await targetFile();
    const server = await serveFile(() => ({ content, status: 404 }));
    const failure = download(server.url, target, digest, listening().options);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(`${server.url}: found HTTP 404 Not Found; expected the file`);
    expect(server.exchanges).toHaveLength(1);
    expect(await readdir(directory)).toEqual([]);
  });

  test('keeps what it has when the file is gone', async () => {
    const { target } = await targetFile();
    const server = await serveFile((request) =>
      request === 0 ? { content, etag, stopAfter: { bytes: half, how: 'cut' } } : { content, status: 404 },
    );
    await expect(download(server.url, target, digest, listening().options)).rejects.toThrow('HTTP 404');
    expect((await stat(`${target}.partial`)).size).toBe(half);
  });

  test('waits for a server that is overloaded', async () => {
    const { target } = await targetFile();
    const server = await serveFile((request) => ({ content, ...(request < 2 && { status: 503 }) }));
    const { options, heard } = listening();
    await download(server.url, target, digest, options);
    expect(heard.filter(({ kind }) => kind === 'waiting')).toEqual([
      { kind: 'waiting', reason: 'HTTP 503 Service Unavailable', seconds: 0.001 },
      { kind: 'waiting', reason: 'HTTP 503 Service Unavailable', seconds: 0.001 },
    ]);
  });

  test('says that there is no connection', async () => {
    const { target } = await targetFile();
    const server = await serveFile(() => ({ content }));
    await server.close();
    const { options, heard } = listening();
    const failure = download(server.url, target, digest, options);
    await expect(failure).rejects.toThrow(UnreachableError);
    await expect(failure).rejects.toThrow(
      /no connection after 3 tries \(.*ECONNREFUSED.*\)\nIs this machine/,
    );
    expect(heard.filter(({ kind }) => kind === 'waiting')).toHaveLength(2);
  });

  test('refuses a server that packs the file once more', async () => {
    const { target } = await targetFile();
    const server = await serveFile(() => ({ content, headers: { 'Content-Encoding': 'x-gzip' } }));
    await expect(download(server.url, target, digest, listening().options)).rejects.toThrow(
      'Content-Encoding: found x-gzip',
    );
  });

  test.each(['', 'here', 'file:///etc/hostname', 'ftp://example.org/a', 'http://me:secret@127.0.0.1/a'])(
    'refuses the address "%s"',
    async (url) => {
      const { target } = await targetFile();
      await expect(download(url, target, digest, listening().options)).rejects.toThrow(InputError);
    },
  );

  test('refuses a port that fetch does not call', async () => {
    const { target } = await targetFile();
    const failure = download('http://127.0.0.1:1/a', target, digest, listening().options);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow('bad port');
  });

  test('names a place that cannot be written', async () => {
    const { directory, target } = await targetFile();
    const server = await serveFile(() => ({ content }));
    await writeFile(join(directory, '..', '..', 'not'), '');
    const failure = download(server.url, target, digest, listening().options);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow('EDGEFLEX_CACHE can name another cache folder');
  });

  test.skipIf(!existsSync('/dev/full'))('says that the disk is full', async () => {
    const directory = await temporaryDirectory();
    const target = join(directory, 'file.bin');
    await symlink('/dev/full', `${target}.partial`);
    const server = await serveFile(() => ({ content }));
    const failure = download(server.url, target, digest, listening().options);
    await expect(failure).rejects.toThrow(ResourceError);
    await expect(failure).rejects.toThrow(/the disk is full \(ENOSPC.*\)\nFree some space/);
    expect(server.exchanges).toHaveLength(1);
  });
});

describe('a download that is stopped', () => {
  test('while it receives, keeps what it has', async () => {
    const { target } = await targetFile();
    const stop = new AbortController();
    const reason = new Error('enough');
    const server = await serveFile((request) => ({
      content,
      etag,
      ...(request === 0 && { stopAfter: { bytes: half, how: 'silence' } }),
    }));
    const stopped = download(server.url, target, digest, {
      ...listening().options,
      signal: stop.signal,
      onProgress: (progress) => {
        if (progress.kind === 'receiving' && progress.received === half) stop.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    expect(existsSync(target)).toBe(false);
    await download(server.url, target, digest, listening().options);
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(server.exchanges[1]).toMatchObject({ range: `bytes=${half}-`, sent: content.length - half });
  });

  test('while it waits for the next try, does not wait on', async () => {
    const { target } = await targetFile();
    const stop = new AbortController();
    const reason = new Error('enough');
    const server = await serveFile(() => ({ content, status: 503 }));
    const started = performance.now();
    const stopped = download(server.url, target, digest, {
      retryDelays: [30_000],
      signal: stop.signal,
      onProgress: ({ kind }) => {
        if (kind === 'waiting') stop.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('before it began, asks no server', async () => {
    const { target } = await targetFile();
    const server = await serveFile(() => ({ content }));
    const reason = new Error('enough');
    const options = listening({ signal: AbortSignal.abort(reason) }).options;
    await expect(download(server.url, target, digest, options)).rejects.toBe(reason);
    expect(server.exchanges).toHaveLength(0);
  });
});
