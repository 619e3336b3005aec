import { readdir, stat, writeFile } from 'node:fs/promises';
import { expect, it, vi } from 'vitest';
import { hashFile } from '../../../src/base/hash.js';
import { arm64Node, NODE_VERSION } from '../../../src/device/ssh/bring-node.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();
const name = `node-v${NODE_VERSION}-linux-arm64`;

it('a Node for boards is fetched through npm where another file lies in its place, and once', async () => {
  await writeFile(folder(name), '#!/bin/sh\necho hacked\n');
  const path = await arm64Node(folder());
  expect(path).toBe(folder(name));
  expect(await readdir(folder())).toEqual([name]);
  const { mode, mtimeMs } = await stat(path);
  expect(mode & 0o111).toBe(0o111);
  const sum = await hashFile(path);
  expect(await arm64Node(folder())).toBe(path);
  expect((await stat(path)).mtimeMs).toBe(mtimeMs);
  expect(await hashFile(path)).toBe(sum);
}, 180_000);

it('a Node for boards that npm cannot get is asked for on the board', async () => {
  vi.stubEnv('npm_config_registry', 'http://127.0.0.1:1');
  vi.stubEnv('npm_config_fetch_retries', '0');
  vi.stubEnv('npm_config_cache', folder('npm'));
  try {
    await expect(arm64Node(folder('none'))).rejects.toThrow(
      /^npm could not get Node 20\.20\.2 for the board: [^]+\nWithout the network: install Node on the board/,
    );
    expect(await readdir(folder('none'))).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
}, 60_000);
