import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { cacheKey } from '../../src/cache/key.js';
import { fetchShared, shareEntry } from '../../src/cache/shared.js';
import { CacheStore } from '../../src/cache/store.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const folder = useFolder();
const key = cacheKey('artifact', { model: 'abc', recipe: 'int8' });
let here: CacheStore;
let there: CacheStore;
let shared = '';

beforeEach(async () => {
  [here, there] = [new CacheStore(folder('here')), new CacheStore(folder('there'))];
  shared = folder('shared');
  await here.make(key, { title: 'a model' }, async (files) => {
    await mkdir(join(files, 'deep'));
    await writeFile(join(files, 'model.onnx'), 'graph');
    await writeFile(join(files, 'deep', 'weights'), 'numbers');
    return { parameters: 7 };
  });
});

const share = (from: CacheStore, digest = key.digest): Promise<string> =>
  shareEntry(from, shared, 'artifact', digest);
const fetch = (to: CacheStore, digest = key.digest): Promise<string> =>
  fetchShared(to, shared, 'artifact', digest);

it('an entry goes by way of a shared folder to another cache, once', async () => {
  expect([await fetch(there), await share(here), await share(here)]).toEqual(['missing', 'copied', 'there']);
  expect([await fetch(there), await fetch(there), await fetch(here)]).toEqual(['copied', 'there', 'there']);
  const entry = (await there.find(key))!;
  expect(entry).toMatchObject({ title: 'a model', facts: { parameters: 7 } });
  expect(await readFile(join(entry.files, 'deep', 'weights'), 'utf8')).toBe('numbers');
  expect(await readdir(join(shared, 'artifact'))).toEqual([key.digest]);
});

it('what is damaged in the shared folder is refused, and put right by a machine that has it whole', async () => {
  await share(here);
  await appendFile(join(shared, 'artifact', key.digest, 'files', 'model.onnx'), '!');
  expect((await refusalOf(() => fetch(there))).source).toBe(join(shared, 'artifact', key.digest));
  expect(await there.find(key)).toBeUndefined();
  expect(await share(here)).toBe('copied');
  expect(await fetch(there)).toBe('copied');
});

it('what a cache does not have whole is not shared, and no path is made of what is no digest', async () => {
  expect(await share(there)).toBe('missing');
  await appendFile(join((await here.find(key))!.files, 'model.onnx'), '!');
  expect(await share(here)).toBe('missing');
  for (const digest of ['', '../../etc', key.digest.slice(1), key.digest.toUpperCase()])
    expect([await share(here, digest), await fetch(there, digest)]).toEqual(['missing', 'missing']);
});

it('a folder that cannot be written is refused with what to do', async () => {
  await writeFile(shared, '');
  const fault = await refusalOf(() => share(here));
  expect(fault.hint).toContain('--artifacts');
});
