import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntryKind } from '../../src/cache/key.js';

/**
 * The files that a cache holds for its users, as `<kind>/<name>`, sorted: without manifests, notes of what was checked, and locks.
 *
 * @param root - the cache folder
 */
export async function keptIn(root: string): Promise<string[]> {
  const entries = await readdir(join(root, 'entries'), { recursive: true, withFileTypes: true }).catch(
    () => [],
  );
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(join(root, 'entries').length + 1))
    .flatMap((path) => {
      const [, kind, name] = /^([a-z]+)\/[0-9a-f]{32}\/files\/(.+)$/.exec(path) ?? [];
      return kind === undefined || name === undefined ? [] : [`${kind}/${name}`];
    })
    .sort();
}

/**
 * The folders of a cache's entries of a kind, unfinished ones included.
 *
 * @param root - the cache folder
 */
export async function entryFolders(root: string, kind: EntryKind): Promise<string[]> {
  const folder = join(root, 'entries', kind);
  return (await readdir(folder).catch(() => [])).sort().map((name) => join(folder, name));
}
