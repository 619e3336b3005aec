import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The rooms whose code decides what an artifact is. */
const ROOMS = ['base', 'compress', 'data', 'onnx', 'runtime', 'vit'];

let known: Promise<string> | undefined;

/**
 * Hash of the code that makes artifacts: a change of a stage must not find the work of its predecessor in the cache.
 */
export function codeVersion(): Promise<string> {
  known ??= hashRooms(dirname(dirname(fileURLToPath(import.meta.url))));
  return known;
}

async function hashRooms(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const room of ROOMS) {
    const entries = await readdir(join(root, room), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const file of files) hash.update(relative(root, file)).update(await readFile(file));
  }
  return hash.digest('hex');
}
