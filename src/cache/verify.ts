import { join } from 'node:path';
import { damageOf, type Damage } from './checked.js';
import { FILES } from './entry.js';
import { entriesIn, type StoredEntry } from './inventory.js';

/** An entry whose files were read again. */
export interface Verified {
  readonly entry: StoredEntry;
  readonly damage: readonly Damage[];
}

/**
 * Computes the digest of every file of every entry again.
 *
 * @param root - the cache folder
 */
export async function verifyEntries(root: string): Promise<Verified[]> {
  const verified: Verified[] = [];
  for (const entry of await entriesIn(root)) {
    const { directory, manifest } = entry;
    // What has no manifest was never finished.
    if (manifest === undefined) continue;
    const damage = await damageOf(directory, join(directory, FILES), manifest, { thorough: true });
    verified.push({ entry, damage });
  }
  return verified;
}
