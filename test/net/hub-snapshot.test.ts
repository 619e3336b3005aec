import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeviceError } from '../../src/base/errors.js';
import { hubReference } from '../../src/net/hub-reference.js';
import { fetchSnapshot, type Snapshot, type SnapshotProgress } from '../../src/net/hub-snapshot.js';
import { useFolder } from '../support/folder.js';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { ID, startHub, type HubOptions, type TestHub } from './hub-server.js';

const folder = useFolder();
const read = (name: string): Promise<Buffer> => readFile(join(microDirectory, name));
const files = {
  'README.md': Buffer.from('a model'),
  'config.json': await read('config.json'),
  'preprocessor_config.json': await read('preprocessor_config.json'),
  'model.safetensors': await read('model.safetensors'),
  'pytorch_model.bin': Buffer.from('a pickle'),
};

beforeEach(() => {
  vi.stubEnv('EDGEFLEX_CACHE', folder('cache'));
  vi.stubEnv('HF_TOKEN', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function hubWith(options: Partial<HubOptions> = {}): Promise<TestHub> {
  const hub = await startHub({ files, ...options });
  vi.stubEnv('HF_ENDPOINT', hub.url);
  return hub;
}

interface How {
  readonly revision?: string;
  readonly repository?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SnapshotProgress) => void;
}

function fetchIt({ revision = 'main', repository = ID, signal, onProgress }: How = {}): Promise<Snapshot> {
  return fetchSnapshot(
    { repository, revision },
    {
      ...{ retryDelays: [1, 1], stallMilliseconds: 5000, signal: signal ?? new AbortController().signal },
      onProgress: onProgress ?? (() => undefined),
    },
  );
}

describe('a model of the Hub', () => {
  it('is fetched once: its settings and weights at the commit, and nothing else', async () => {
    const hub = await hubWith();
    const progress: SnapshotProgress[] = [];
    const snapshot = await fetchIt({ onProgress: (each) => progress.push(each) });
    expect(snapshot.commit).toBe(hub.commit);
    for (const name of ['config.json', 'preprocessor_config.json', 'model.safetensors'] as const)
      expect((await readFile(join(snapshot.directory, name))).equals(files[name])).toBe(true);
    const fetched = hub.seen.map(({ path }) => path).filter((path) => path.includes('/resolve/'));
    expect(fetched.map((path) => path.split('/').at(-1))).toEqual([
      'config.json',
      'preprocessor_config.json',
      'model.safetensors',
    ]);
    expect(progress.at(-1)).toEqual({ kind: 'verifying', file: 'model.safetensors' });
    const before = hub.seen.length;
    expect(await fetchIt()).toEqual(snapshot);
    expect(hub.seen.slice(before).every(({ path }) => path.startsWith('/api/'))).toBe(true);
  });

  it('needs no network once its commit is there, and says that it asked nobody', async () => {
    const hub = await hubWith();
    const { commit, directory } = await fetchIt({ revision: 'v1' });
    await hub.close();
    expect(await fetchIt({ revision: commit })).toEqual({ commit, directory, offline: false });
    expect(await fetchIt({ revision: 'v1' })).toEqual({ commit, directory, offline: true });
    await expect(fetchIt()).rejects.toThrow(DeviceError);
  });

  it('goes on by range where the connection was cut', async () => {
    const hub = await hubWith({ cut: { 'model.safetensors': 200_000 } });
    const { directory } = await fetchIt();
    expect(hub.seenByStore.map(({ range }) => range)).toEqual([undefined, 'bytes=200000-']);
    expect((await readFile(join(directory, 'model.safetensors'))).equals(files['model.safetensors'])).toBe(
      true,
    );
  });

  it('stops when it is asked to, keeps what came, and goes on from there', async () => {
    const hub = await hubWith({ cut: { 'model.safetensors': 200_000 } });
    const controller = new AbortController();
    const reason = new Error('enough');
    const stopped = fetchIt({
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.kind === 'waiting') controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    await fetchIt();
    expect(hub.seenByStore.at(-1)!.range).toBe('bytes=200000-');
  });

  it.each(['config.json', 'model.safetensors'] as const)(
    'is refused when the sum of %s is wrong',
    async (name) => {
      const damaged = Buffer.from(files[name]);
      damaged[50]! ^= 1;
      await hubWith({ damaged: { [name]: damaged } });
      const fault = await refusalOf(() => fetchIt());
      expect(fault.source).toMatch(new RegExp(`/${ID}/resolve/[0-9a-f]{40}/${name}$`));
      expect(fault.found).toMatch(
        name === 'config.json' ? /^git blob [0-9a-f]{40}$/ : /^SHA-256 [0-9a-f]{64}$/,
      );
    },
  );

  it('is opened by the token, which does not leave the Hub', async () => {
    const hub = await hubWith({ token: 'hf_right' });
    const fault = await refusalOf(() => fetchIt());
    expect(fault.found).toBe(`no such model, or none of that revision (main), at ${hub.url} (HTTP 401)`);
    expect(fault.hint).toMatch(/HF_TOKEN/);
    vi.stubEnv('HF_TOKEN', 'hf_wrong');
    expect(await refusalOf(() => fetchIt())).toMatchObject({
      source: 'HF_TOKEN',
      found: `a token that ${hub.url} does not accept (HTTP 401)`,
    });
    vi.stubEnv('HF_TOKEN', 'hf_right');
    await fetchIt();
    expect(hub.seen.at(-1)!.authorization).toBe('Bearer hf_right');
    expect(hub.seenByStore.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('is refused when its id or its revision is not known', async () => {
    await hubWith();
    for (const how of [{ repository: 'someone/else' }, { revision: 'v2' }])
      expect((await refusalOf(() => fetchIt(how))).found).toMatch(/^no such model.*\(HTTP 404\)$/);
  });

  it('is fetched with its pickle where it has nothing else', async () => {
    const hub = await hubWith({
      files: { 'config.json': files['config.json'], 'pytorch_model.bin': Buffer.from('x') },
    });
    await fetchIt();
    expect(
      hub.seen.some(({ path }) => path.includes('/resolve/') && path.endsWith('pytorch_model.bin')),
    ).toBe(true);
  });

  it('is fetched with the configuration of open_clip where it has one', async () => {
    const names = ['open_clip_config.json', 'open_clip_model.safetensors'];
    const hub = await hubWith({ files: Object.fromEntries(names.map((name) => [name, Buffer.from(name)])) });
    await fetchIt();
    const fetched = hub.seen.flatMap(({ path }) =>
      path.includes('/resolve/') ? path.split('/').at(-1)! : [],
    );
    expect(fetched.sort()).toEqual(names);
  });

  it('is fetched in its shards, with their index', async () => {
    const hub = await hubWith({
      files: {
        'model.safetensors.index.json': Buffer.from('{}'),
        'model-00001-of-00002.safetensors': Buffer.from('1'),
        'model-00002-of-00002.safetensors': Buffer.from('2'),
        'other.safetensors': Buffer.from('3'),
      },
    });
    await fetchIt();
    expect(hub.seen.filter(({ path }) => path.includes('/resolve/'))).toHaveLength(3);
  });
});

describe('what is configured', () => {
  it('is refused where it cannot be meant', async () => {
    vi.stubEnv('HF_ENDPOINT', 'ftp://hub');
    expect((await refusalOf(() => fetchIt())).source).toBe('HF_ENDPOINT');
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1');
    vi.stubEnv('HF_TOKEN', 'secret');
    const fault = await refusalOf(() => fetchIt());
    expect(fault.source).toBe('HF_TOKEN');
    expect(fault.found).not.toContain('secret');
  });

  it('says that there is no connection, and to where', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1');
    await expect(fetchIt()).rejects.toThrow(
      /^http:\/\/127\.0\.0\.1:1: no connection \(.+\)\nIs this machine on the network/,
    );
  });
});

it.each([
  ['google/vit-base-patch16-224', { repository: 'google/vit-base-patch16-224', revision: 'main' }],
  ['timm/vit_base.augreg@v1.0', { repository: 'timm/vit_base.augreg', revision: 'v1.0' }],
  ['a/b@refs/pr/3', { repository: 'a/b', revision: 'refs/pr/3' }],
  ['a', undefined],
  ['a/b/c', undefined],
  ['../b', undefined],
  ['a/..', undefined],
  ['a/b@../x', undefined],
  ['a/b@', undefined],
  ['a/b c', undefined],
])('the name %s stands for %j', (text, expected) => {
  expect(hubReference(text)).toEqual(expected);
});
