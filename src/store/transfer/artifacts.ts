import { fetchShared, shareEntry } from '../../cache/shared.js';
import { cache } from '../../cache/store.js';
import type { Db } from '../open.js';
import { storedArtifacts } from '../read.js';

/** What became of compressed models. */
export interface CopiedArtifacts {
  readonly copied: number;
  /** They were there before. */
  readonly there: number;
  /** Digests of those that are not where they would come from: this machine did not make them, or has removed them since. */
  readonly missing: readonly string[];
}

/**
 * Copies the compressed models of runs between this machine's cache and a folder that several machines share.
 *
 * @param db - a store that has the runs
 * @param ids - of the runs
 * @param folder - the shared one
 * @param way - where they go
 * @throws InputError when the folder or the cache cannot be written, or what lies in the folder is damaged; ResourceError when a disk is
 *   full
 */
export async function transferArtifacts(
  db: Db,
  ids: readonly string[],
  folder: string,
  way: 'to the folder' | 'from the folder',
): Promise<CopiedArtifacts> {
  const copy = way === 'to the folder' ? shareEntry : fetchShared;
  const digests = new Set<string>();
  for (const id of ids) for (const digest of await storedArtifacts(db, id)) digests.add(digest);
  const count = { copied: 0, there: 0 };
  const missing: string[] = [];
  for (const digest of digests) {
    const outcome = await copy(cache(), folder, 'artifact', digest);
    if (outcome === 'missing') missing.push(digest);
    else count[outcome]++;
  }
  return { ...count, missing };
}
