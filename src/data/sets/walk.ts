import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { byCodePoints } from './collected.js';

/** Folders are looked into no deeper: those of a data set's splits and parts lie above. */
const MAX_DEPTH = 5;

/** A folder, and the names of the files in it in their order or why they cannot be read. */
export type FilesOfFolder =
  | { readonly kind: 'read'; readonly folder: string; readonly files: readonly string[] }
  | { readonly kind: 'unreadable'; readonly folder: string; readonly error: unknown };

/**
 * The files of a folder and of the folders below it, links followed; hidden ones are left alone.
 *
 * @param folder - where to begin
 * @param isLast - whether nothing below a folder is looked for, by the names of its files
 * @param depth - of the folder
 */
export async function* filesBelow(
  folder: string,
  isLast: (files: readonly string[]) => boolean = () => false,
  depth = 0,
): AsyncGenerator<FilesOfFolder> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => ({ error }));
  if (!Array.isArray(entries)) {
    yield { kind: 'unreadable', folder, error: entries.error };
    return;
  }
  const [files, folders]: [string[], string[]] = [[], []];
  for (const entry of entries.sort((a, b) => byCodePoints(a.name, b.name))) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const isFolder =
      entry.isDirectory() || (entry.isSymbolicLink() && (await leadsToFolder(join(folder, name))));
    (isFolder ? folders : files).push(name);
  }
  yield { kind: 'read', folder, files };
  if (depth === MAX_DEPTH || isLast(files)) return;
  for (const name of folders) yield* filesBelow(join(folder, name), isLast, depth + 1);
}

async function leadsToFolder(link: string): Promise<boolean> {
  return stat(link).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
