import { readdir, stat, truncate } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { hashFile } from '../../../src/base/hash.js';
import { CacheStore } from '../../../src/cache/store.js';
import { arm64Node } from '../../../src/device/ssh/bring-node.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();

it('a Node for boards is fetched through npm once, and again when it is damaged', async () => {
  const store = new CacheStore(folder());
  const path = await arm64Node(store);
  const { mode, mtimeMs } = await stat(path);
  expect(mode & 0o111).toBe(0o111);
  const sum = await hashFile(path);
  expect(await arm64Node(store)).toBe(path);
  expect((await stat(path)).mtimeMs).toBe(mtimeMs);
  await truncate(path, 1000);
  expect(await arm64Node(store)).toBe(path);
  expect(await hashFile(path)).toBe(sum);
}, 180_000);

it('a Node for boards that npm cannot get is asked for on the board', async () => {
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:1');
  vi.stubEnv('npm_config_fetch_retries', '0');
  vi.stubEnv('npm_config_cache', folder('npm'));
  try {
    await expect(arm64Node(new CacheStore(folder('none')))).rejects.toThrow(
      /^npm could not get Node 20\.20\.2 for the board: [^]+\nWithout the network: install Node on the board/,
    );
    expect(await readdir(folder('none', 'entries', 'board'))).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
}, 60_000);
