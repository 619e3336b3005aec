import { hashFile, hashJson } from '../base/hash.js';
import type { FileRole, ModelFiles } from './files.js';

/**
 * Version of how files become a model: to be raised by hand when the same files come to mean other numbers. It is a part of every
 * identity, so that nothing that was made from another reading is taken from the cache.
 */
const READER_VERSION = 3;

/** One thing that a model was read from. */
export interface SourceDigest {
  readonly role: FileRole;
  /** What another file calls it by; undefined where no other names it. */
  readonly name?: string | undefined;
  /** Null for a companion that was looked for and is not there. */
  readonly sha256: string | null;
}

/**
 * The digests of all that a model is read from: equal for two models that compute the same from the same bytes, wherever the
 * files lie. The card is left out: it says nothing of what is computed.
 *
 * @param files - what was found
 * @param digest - gives a file's SHA-256; a cache may remember those of files that have not changed
 */
export async function digestsOf(
  { files, absent }: Pick<ModelFiles, 'files' | 'absent'>,
  digest: (path: string) => Promise<string> = hashFile,
): Promise<SourceDigest[]> {
  const digests: SourceDigest[] = [];
  for (const { role, path, name } of files) {
    if (role === 'card') continue;
    const named = role === 'shard' || role === 'external data';
    digests.push({ role, ...(named && { name }), sha256: await digest(path) });
  }
  for (const role of absent) if (role !== 'card') digests.push({ role, sha256: null });
  return digests;
}

/**
 * One hash for what a model was read from.
 *
 * @param digests - of its files
 */
export function identityOf(digests: readonly SourceDigest[]): string {
  return hashJson({ reader: READER_VERSION, digests });
}
