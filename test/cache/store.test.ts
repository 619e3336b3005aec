import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cacheKey } from '../../src/cache/key.js';
import { cache } from '../../src/cache/store.js';
import { useFolderWithCache } from '../support/folder.js';

useFolderWithCache();

describe('an entry of the cache', () => {
  it('that one process asks for twice at once is made once, and both get it', async () => {
    const key = cacheKey('board', { what: 'twice at once' });
    let made = 0;
    const make = () =>
      cache().make(key, { title: 'a test' }, async (into) => {
        made += 1;
        await writeFile(join(into, 'file'), 'content');
      });
    const entries = await Promise.all([make(), make(), make()]);
    expect(made).toBe(1);
    expect(entries.map(({ cached }) => cached).sort()).toEqual([false, true, true]);
    for (const { files } of entries) expect(await readFile(join(files, 'file'), 'utf8')).toBe('content');
  });

  it('whose making failed is made by who waited for it', async () => {
    const key = cacheKey('board', { what: 'failed once' });
    const failing = cache().make(key, { title: 'a test' }, () => Promise.reject(new Error('no luck')));
    const other = cache().make(key, { title: 'a test' }, (into) => writeFile(join(into, 'file'), 'content'));
    await expect(failing).rejects.toThrow('no luck');
    expect((await other).cached).toBe(false);
  });

  it('that was damaged is made again', async () => {
    const key = cacheKey('board', { what: 'damaged' });
    const make = () =>
      cache().make(key, { title: 'a test' }, (into) => writeFile(join(into, 'file'), 'content'));
    const { files } = await make();
    await writeFile(join(files, 'file'), 'CONTENT');
    expect((await make()).cached).toBe(false);
    expect(await readFile(join(files, 'file'), 'utf8')).toBe('content');
  });
});
