import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesIn, FILES, filesIn, PARTIAL } from './entry.js';
import { entryKinds, type EntryKind } from './key.js';
import { MANIFEST, readManifest, type Manifest } from './manifest.js';

/** A part of a download that nobody went on with for so long goes. */
const PARTIAL_KEPT_MILLISECONDS = 7 * 86_400_000;

/** What is known of an entry without checking its files. */
export interface StoredEntry {
  readonly kind: EntryKind;
  /** The first 32 digits of its digest. */
  readonly digest: string;
  readonly directory: string;
  readonly bytes: number;
  /** When it was last used, in milliseconds since 1970. */
  readonly used: number;
  /** Undefined when it has none that can be read. */
  readonly manifest: Manifest | undefined;
}

/**
 * All entries of a cache folder, those that are not finished included.
 *
 * @param root - the cache folder
 */
export async function entriesIn(root: string): Promise<StoredEntry[]> {
  const entries: StoredEntry[] = [];
  for (const kind of entryKinds) {
    const folder = join(root, 'entries', kind);
    for (const name of (await readdir(folder).catch(() => [])).sort()) {
      const digest = /^([0-9a-f]{32})(\.partial)?$/.exec(name)?.[1];
      if (digest === undefined) continue;
      const directory = join(folder, name);
      const manifest = await readManifest(directory);
      const used = await newest(join(directory, MANIFEST), directory);
      entries.push({ kind, digest, directory, bytes: await bytesIn(directory), used, manifest });
    }
  }
  return entries;
}

/**
 * Whether an entry is of no use to anybody, if nobody works on it now.
 *
 * @param entry - of the inventory
 */
export async function isAbandoned({ directory, manifest, used }: StoredEntry): Promise<boolean> {
  if (directory.endsWith('.partial')) return true;
  if (manifest?.complete === true) return false;
  const parts = (await filesIn(join(directory, FILES)).catch(() => [])).filter((name) =>
    name.endsWith(PARTIAL),
  );
  const kept = Object.keys(manifest?.files ?? {}).length > 0;
  if (parts.length === 0) return !kept;
  const last = Math.max(
    used,
    ...(await Promise.all(parts.map((name) => newest(join(directory, FILES, name))))),
  );
  return !kept && Date.now() - last > PARTIAL_KEPT_MILLISECONDS;
}

async function newest(...paths: readonly string[]): Promise<number> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found) return found.mtimeMs;
  }
  return 0;
}
