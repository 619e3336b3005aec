import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hashJson } from '../base/hash.js';
import { entryKinds } from './key.js';

/** The manifest beside an entry's files. */
export const MANIFEST = 'manifest.json';

/** What a file of an entry is. */
export interface FileRecord {
  readonly bytes: number;
  readonly sha256: string;
}

const contentSchema = z.object({
  kind: z.enum(entryKinds),
  digest: z.string(),
  from: z.unknown().optional(),
  /** For people. */
  title: z.string(),
  /** Whether all of it is there; an entry that is still worked on grows. */
  complete: z.boolean(),
  /** What its maker wants to know of it without opening its files. */
  facts: z.unknown().optional(),
  files: z.record(z.string(), z.object({ bytes: z.number(), sha256: z.string() })),
});

/** What an entry is and holds. */
export type Manifest = z.infer<typeof contentSchema>;

/**
 * Reads the manifest of an entry.
 *
 * @param directory - of the entry
 * @returns undefined when there is none, or it is not the one that was written
 */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  try {
    const parsed = z
      .object({ content: z.unknown(), sha256: z.string() })
      .parse(JSON.parse(await readFile(join(directory, MANIFEST), 'utf8')));
    return hashJson(parsed.content) === parsed.sha256 ? contentSchema.parse(parsed.content) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes the manifest of an entry, with its own SHA-256 in it, so that it is there whole or as it was before.
 *
 * @param directory - of the entry
 * @param manifest - what it says
 * @param lasting - wait until it is on the disk; a manifest that a power cut spoils is known by its own digest
 * @throws the file system's error
 */
export async function writeManifest(directory: string, manifest: Manifest, lasting = true): Promise<void> {
  const content: unknown = JSON.parse(JSON.stringify(manifest));
  const path = join(directory, MANIFEST);
  const partial = `${path}.partial`;
  const file = await open(partial, 'w');
  try {
    await file.writeFile(JSON.stringify({ content, sha256: hashJson(content) }, null, 1));
    if (lasting) await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  if (lasting) await syncFolder(directory);
}

/**
 * Makes sure that a file's bytes are on the disk.
 *
 * @throws the file system's error
 */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes sure that a folder's names are on the disk, where the system can do that. */
export async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, 'r');
    await folder.sync();
  } catch {
    // Windows opens no folders, and some file systems do not sync them.
  } finally {
    await folder?.close();
  }
}
