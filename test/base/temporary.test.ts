import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeAbandoned, temporaryFolder, withTemporaryFolder } from '../../src/base/temporary.js';

describe('withTemporaryFolder', () => {
  it('removes the folder with all that is in it, also when the action throws', async () => {
    let seen = '';
    const failing = withTemporaryFolder('test', async (folder) => {
      seen = folder;
      await writeFile(join(folder, 'file'), 'x');
      throw new Error('halt');
    });
    await expect(failing).rejects.toThrow('halt');
    expect(seen).toContain(`edgeflex-test-${process.pid}-`);
    expect(existsSync(seen)).toBe(false);
  });

  it('gives what the action gives', async () => {
    expect(await withTemporaryFolder('test', (folder) => Promise.resolve(existsSync(folder)))).toBe(true);
  });
});

describe('removeAbandoned', () => {
  let directory: string;
  const long = new Date(Date.now() - 2 * 86_400_000);
  const gone = spawnSync('true').pid;
  const make = async (name: string, written: Date): Promise<void> => {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'file'), 'x');
    await utimes(join(directory, name), written, written);
  };
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'abandoned-'))));
  afterEach(() => rm(directory, { recursive: true }));

  it('removes what a process that is gone left a day ago, and nothing else', async () => {
    await make(`edgeflex-inputs-${gone}-aaaaaa`, long);
    const kept = [
      `edgeflex-inputs-${gone}-bbbbbb`, // written to just now
      `edgeflex-inputs-${process.pid}-cccccc`, // its process is here
      `edgeflex-inputs-dddddd`,
      `other-inputs-${gone}-eeeeee`,
    ];
    for (const [index, name] of kept.entries()) await make(name, index === 0 ? new Date() : long);
    await removeAbandoned(directory);
    expect((await readdir(directory)).sort()).toEqual(kept.sort());
  });

  it('takes a directory that is not there for one with nothing in it', async () => {
    await expect(removeAbandoned(join(directory, 'none'))).resolves.toBeUndefined();
  });
});

describe('temporaryFolder', () => {
  it('makes another folder each time', async () => {
    const folders = [await temporaryFolder('test'), await temporaryFolder('test')];
    expect(folders[0]).not.toBe(folders[1]);
    for (const folder of folders) await rm(folder, { recursive: true });
  });
});
