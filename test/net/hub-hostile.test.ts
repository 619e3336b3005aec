import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { fetchSnapshot } from '../../src/net/hub-snapshot.js';
import { keptIn } from '../support/cache.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();
const COMMIT = 'a'.repeat(40);
const weights = Buffer.alloc(5000, 7);
const oid = createHash('sha1').update(`blob ${weights.length}\0`).update(weights).digest('hex');
const file = (path: unknown, size: unknown = weights.length): object => ({ type: 'file', path, size, oid });

/** How a Hub misbehaves; what is left out it does well. */
interface Manners {
  readonly info?: unknown;
  readonly tree?: unknown;
  readonly link?: string;
  readonly redirect?: string;
  readonly body?: RequestListener;
  readonly answer?: RequestListener;
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function hub(manners: Manners): Promise<void> {
  const url = await listen((request, response) => {
    const json = (value: unknown, headers = {}): void =>
      void response
        .writeHead(200, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(value));
    if (manners.answer && request.url!.includes('/api/')) manners.answer(request, response);
    else if (request.url!.includes('/revision/') && manners.redirect !== undefined)
      response.writeHead(302, { location: manners.redirect }).end();
    else if (request.url!.includes('/revision/'))
      json('info' in manners ? manners.info : { _id: '1', id: 'someone/evil', sha: COMMIT });
    else if (request.url!.includes('/tree/'))
      json(
        'tree' in manners ? manners.tree : [file('model.safetensors')],
        manners.link ? { link: manners.link } : {},
      );
    else if (manners.body) manners.body(request, response);
    else response.end(weights);
  });
  vi.stubEnv('HF_ENDPOINT', url);
}

function fetchIt(): Promise<unknown> {
  return fetchSnapshot(
    { repository: 'someone/evil', revision: 'main' },
    {
      ...{ signal: new AbortController().signal, onProgress: () => undefined },
      ...{ retryDelays: [1], stallMilliseconds: 300 },
    },
  );
}

beforeEach(() => {
  vi.stubEnv('EDGEFLEX_CACHE', folder('deep', 'cache'));
  vi.stubEnv('HF_TOKEN', 'hf_secret123');
  onTestFinished(() => void vi.unstubAllEnvs());
});

it.each<[string, Manners]>([
  ['a commit that leads out of the cache', { info: { _id: '1', id: 'a/b', sha: '../../../../victim' } }],
  ['a commit of another type', { info: { _id: '1', id: 'a/b', sha: { x: 1 } } }],
  ['no commit', { info: { _id: '1', id: 'a/b' } }],
  ['a file that leads out of the cache', { tree: [file('../../../victim/evil.safetensors')] }],
  ['a file with an absolute path', { tree: [file('/tmp/evil.safetensors')] }],
  ['a file with backslashes', { tree: [file('..\\..\\evil.safetensors')] }],
  ['a file whose name is no text', { tree: [file(5)] }],
  ['a file of a negative size', { tree: [file('model.safetensors', -1)] }],
  ['entries that are none', { tree: [null, 1] }],
  ['a tree that is none', { tree: { a: 1 } }],
  [
    'an answer without end',
    {
      answer: (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = (): void => {
          while (response.write(`"${'x'.repeat(1 << 20)}`));
          response.once('drain', more);
        };
        more();
      },
    },
  ],
])('a Hub is refused that answers with %s', async (_, manners) => {
  await hub(manners);
  await refusalOf(fetchIt);
  expect(await keptIn(folder('deep', 'cache'))).toEqual([]);
  expect((await readdir(folder())).filter((name) => name !== 'deep')).toEqual([]);
});

it.each(['link', 'redirect'] as const)('the token does not follow a %s to another host', async (how) => {
  const seen: unknown[] = [];
  const other = await listen((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
  });
  await hub(how === 'link' ? { link: `<${other}/steal>; rel="next"` } : { redirect: `${other}/steal` });
  expect((await refusalOf(fetchIt)).found).toContain(other);
  expect(seen).toEqual([]);
});

it('a file is refused that is longer than the Hub said', async () => {
  await hub({
    body: (_, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(1 << 16)));
        response.once('drain', more);
      };
      more();
    },
  });
  expect((await refusalOf(fetchIt)).expected).toContain(String(weights.length));
  expect(await keptIn(folder('deep', 'cache'))).toEqual([]);
});

it('a file is given up that comes byte by byte', async () => {
  await hub({
    body: (_, response) => {
      response.writeHead(200, { 'content-length': weights.length });
      const timer = setInterval(() => response.write(weights.subarray(0, 1)), 50);
      response.on('close', () => clearInterval(timer));
    },
  });
  await expect(fetchIt()).rejects.toThrow(/no connection after 2 tries/);
}, 20_000);
