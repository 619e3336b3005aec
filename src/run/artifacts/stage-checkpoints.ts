import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../base/paths.js';
import { isGone } from '../../base/process.js';
import { noCheckpoints, type CheckpointStore } from '../../compress/checkpoints.js';
import { shelfIn } from './checkpoint-files.js';

/** Bytes that stages which nobody works on may take together; those used longest ago go first. */
const LIMIT_BYTES = 4 * 1024 ** 3;

/** Names the process that works in a directory. */
const OWNER = 'owner';

/** The shelves of a recipe's stages. */
export interface Shelves {
  /** The shelf of a stage; one that keeps nothing while another process works on the same stage. */
  checkpointsOf(index: number): Promise<CheckpointStore>;
  /** Lets others use the shelves. */
  release(): Promise<void>;
}

/**
 * Opens the shelves of a recipe's stages in the cache.
 *
 * @param keys - one for each stage: a hash of everything that the model behind the stage is made from
 */
export function openShelves(keys: readonly string[]): Shelves {
  const owned = new Set<string>();
  return {
    async checkpointsOf(index) {
      const directory = directoryOf(keys[index]!);
      await mkdir(directory, { recursive: true });
      if (!(await acquire(directory))) return noCheckpoints;
      owned.add(directory);
      const now = new Date();
      await utimes(directory, now, now);
      await removeOldest(keys);
      return shelfIn(directory);
    },
    async release() {
      for (const directory of owned) await rm(join(directory, OWNER), { force: true });
    },
  };
}

/**
 * Removes what stages left in the cache, but for those that another process works on.
 *
 * @param keys - the stages
 */
export async function dropShelves(keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const directory = directoryOf(key);
    if (await isFree(directory)) await rm(directory, { recursive: true, force: true });
  }
}

const shelvesDirectory = (): string => join(cacheDirectory(), 'stages');
const directoryOf = (key: string): string => join(shelvesDirectory(), key.slice(0, 32));

async function acquire(directory: string): Promise<boolean> {
  if (!(await isFree(directory))) return false;
  await writeFile(join(directory, OWNER), String(process.pid));
  return true;
}

/** Whether no other process works in a directory. */
async function isFree(directory: string): Promise<boolean> {
  const text = await readFile(join(directory, OWNER), 'utf8').catch(() => '');
  const owner = Number(text);
  return !Number.isInteger(owner) || owner <= 0 || owner === process.pid || isGone(owner);
}

async function removeOldest(inUse: readonly string[]): Promise<void> {
  const using = new Set(inUse.map(directoryOf));
  const others: { directory: string; bytes: number; used: number }[] = [];
  for (const name of await readdir(shelvesDirectory())) {
    const directory = join(shelvesDirectory(), name);
    if (using.has(directory) || !(await isFree(directory))) continue;
    const files = await readdir(directory).catch(() => []);
    const sizes = await Promise.all(
      files.map(async (file) => (await stat(join(directory, file)).catch(() => ({ size: 0 }))).size),
    );
    const used = (await stat(directory).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
    others.push({ directory, bytes: sizes.reduce((sum, size) => sum + size, 0), used });
  }
  let left = others.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { directory, bytes } of others.sort((a, b) => a.used - b.used)) {
    if (left <= LIMIT_BYTES) return;
    await rm(directory, { recursive: true, force: true });
    left -= bytes;
  }
}
