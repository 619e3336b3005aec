import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { fetchedDirectory } from '../../src/data/location.js';
import { edgeflex, type Outcome } from '../cli/support.js';
import { archiveOf, cifarEntries, md5, temporaryDirectory } from './support/cifar.js';
import { serveFile, type TestServer } from './support/server.js';

const archive = archiveOf(cifarEntries());
const sum = md5(archive);

let cache: string;
beforeEach(async () => {
  cache = await temporaryDirectory();
  vi.stubEnv('EDGEFLEX_CACHE', cache);
  onTestFinished(() => void vi.unstubAllEnvs());
});

/** Runs `edgeflex data …`; standard error is no terminal then. */
function run(...args: string[]): Promise<Outcome> {
  return edgeflex(['data', ...args], { EDGEFLEX_CACHE: cache });
}

function fetching(server: TestServer, ...args: string[]): Promise<Outcome> {
  return run('fetch', 'cifar10', '--url', server.url, '--md5', sum, ...args);
}

describe('edgeflex data fetch', () => {
  test('says what it does and what it found', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const { code, out, err } = await fetching(server);
    expect(code).toBe(exitCodes.fine);
    expect(out).toBe(
      `cifar10: 30 training and 10 test images fetched to ${(await fetchedDirectory('cifar10')) ?? 'nowhere'}\n`,
    );
    expect(err).toMatch(
      /^cifar10: downloading\n( {2}.* MiB of .* MiB, .*\n)+ {2}.* MiB received; verifying\n/,
    );
    expect(err).toMatch(/ {2}checksum OK, extracting\n$/);
  });

  test('says that it is there already', async () => {
    const server = await serveFile(() => ({ content: archive }));
    await fetching(server);
    const { code, out, err } = await fetching(server);
    expect({ code, err }).toEqual({ code: exitCodes.fine, err: '' });
    expect(out).toMatch(/^cifar10: 30 training and 10 test images are there already, in /);
  });

  test('prints JSON and nothing else on standard output', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const { out } = await fetching(server, '--json');
    expect(JSON.parse(out)).toEqual({
      schemaVersion: 1,
      name: 'cifar10',
      directory: await fetchedDirectory('cifar10'),
      fetched: true,
      url: server.url,
      trainImages: 30,
      testImages: 10,
    });
    expect(JSON.parse((await fetching(server, '--json')).out)).toMatchObject({ fetched: false });
  });

  test('says when a connection is cut and where it goes on', async () => {
    const bytes = Math.floor(archive.length / 2);
    const server = await serveFile((request) => ({
      content: archive,
      etag: '"one"',
      ...(request === 0 && { stopAfter: { bytes, how: 'cut' } }),
    }));
    const { code, err } = await fetching(server);
    expect(code).toBe(exitCodes.fine);
    expect(err).toMatch(/; trying again in 1\.0 s\n/);
    expect(err.match(/downloading/g)).toHaveLength(1);
    expect(err).not.toContain('starting over');
  });

  test('stops at Ctrl-C, and the same command goes on', async () => {
    const bytes = Math.floor(archive.length / 2);
    const server = await serveFile((request) => ({
      content: archive,
      etag: '"one"',
      ...(request === 0 && { stopAfter: { bytes, how: 'silence' } }),
    }));
    // Without a listener of ours the signal would end the tests.
    const guard = (): void => undefined;
    process.on('SIGINT', guard);
    onTestFinished(() => void process.removeListener('SIGINT', guard));
    const listeners = process.listenerCount('SIGINT');
    const running = fetching(server);
    await vi.waitFor(() => expect(server.exchanges[0]?.sent).toBe(bytes));
    await new Promise((resolve) => setTimeout(resolve, 200));
    process.kill(process.pid, 'SIGINT');
    const { code, out, err } = await running;
    expect(code).toBe(exitCodes.interrupted);
    expect(out).toBe('');
    expect(err).toMatch(/\nStopped after 0\.\d+ MiB, which are kept\. Continue with:\n {2}edgeflex\b/);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
    const again = await fetching(server);
    expect(again.err).toMatch(/^cifar10: continuing after 0\.\d+ MiB\n/);
    expect(server.exchanges[1]).toMatchObject({ range: `bytes=${bytes}-`, sent: archive.length - bytes });
  });

  test('says why it replaces what is there', async () => {
    const server = await serveFile(() => ({ content: archive }));
    await fetching(server);
    const directory = await fetchedDirectory('cifar10');
    await writeFile(join(directory ?? '/nowhere', 'batches.meta.txt'), 'cat\ndog\n');
    const { err, out } = await fetching(server);
    expect(err).toMatch(
      /^ {2}what is there cannot be used and will be replaced: .*batches\.meta\.txt: found another size/,
    );
    expect(out).toMatch(/fetched to/);
  });

  test.each([
    ['an unknown dataset', ['fetch', 'imagenet'], exitCodes.usage, 'found imagenet; expected cifar10'],
    ['no dataset', ['fetch'], exitCodes.usage, "missing required argument 'name'"],
    ['an unknown flag', ['fetch', 'cifar10', '--fast'], exitCodes.usage, "unknown option '--fast'"],
    ['no sub-command', [], exitCodes.usage, 'Usage: '],
    ['a sum alone', ['fetch', 'cifar10', '--md5', sum], exitCodes.usage, 'without the address of a mirror'],
    ['help', ['fetch', '--help'], exitCodes.fine, ''],
  ])('%s: exit code and message', async (_what, args, code, message) => {
    const outcome = await run(...args);
    expect(outcome.code).toBe(code);
    expect(outcome.err).toContain(message);
    expect(outcome.err).not.toContain('bug in edgeflex');
  });

  test('a wrong sum is bad input', async () => {
    const server = await serveFile(() => ({ content: archive }));
    const wrong = await run('fetch', 'cifar10', '--url', server.url);
    expect(wrong.code).toBe(exitCodes.usage);
    expect(wrong.err).toContain(`found MD5 ${sum}; expected c32a1d4ab5d03f1284b67883e8d87530`);
  });
});
