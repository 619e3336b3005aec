import { randomBytes } from 'node:crypto';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { makeFolders } from '../base/folder.js';
import { codeOf, writeFailure, type WriteAdvice } from '../base/write-failure.js';
import { damageOf } from './checked.js';
import { FILES } from './entry.js';
import { cacheKey, type CacheKey, type EntryKind } from './key.js';
import { MANIFEST, readManifest, syncFile, syncFolder, type Manifest } from './manifest.js';
import type { CacheStore } from './store.js';

/** What stands in a database and is none must not become a path. */
const DIGEST = /^[0-9a-f]{64}$/;

const advice: WriteAdvice = {
  kept: 'The runs themselves were copied. Free some space there, then repeat the command.',
  hint: 'Choose another folder with --artifacts.',
};

/** What became of an entry that was to be copied: it was copied, it was there already, or nobody has it. */
export type SharedEntry = 'copied' | 'there' | 'missing';

/**
 * Copies an entry of the cache to a folder that several machines share, where it lies as `<kind>/<digest>`: once, whole or not at all,
 * and compared with its digests there.
 *
 * @param cache - where it is
 * @param folder - the shared one; made where it is missing
 * @param kind - of the entry
 * @param digest - what it is known by
 * @throws InputError when the folder cannot be written; ResourceError when its disk is full
 */
export async function shareEntry(
  cache: CacheStore,
  folder: string,
  kind: EntryKind,
  digest: string,
): Promise<SharedEntry> {
  if (!DIGEST.test(digest)) return 'missing';
  const directory = join(folder, kind, digest);
  if ((await intactKey(directory, kind, digest)) !== undefined) return 'there';
  const own = cache.directoryOf({ kind, digest });
  const key = keyIn(await readManifest(own), kind, digest);
  // Found, it is whole, and nobody takes it away meanwhile.
  if (key === undefined || (await cache.find(key)) === undefined) return 'missing';
  const partial = `${directory}.partial-${randomBytes(4).toString('hex')}`;
  try {
    makeFolders(join(folder, kind));
    await cp(join(own, FILES), join(partial, FILES), { recursive: true });
    await cp(join(own, MANIFEST), join(partial, MANIFEST));
    const manifest = await readManifest(partial);
    for (const name of Object.keys(manifest?.files ?? {})) await syncFile(join(partial, FILES, name));
    if ((await intactKey(partial, kind, digest)) === undefined)
      throw new InputError({
        source: partial,
        found: 'another content than was just written',
        expected: 'a disk that keeps what is written to it',
      });
    // What is there is damaged, or another machine has just put it there.
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
    await syncFolder(join(folder, kind));
    return 'copied';
  } catch (error) {
    if (['EEXIST', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) return 'there';
    throw error instanceof InputError ? error : writeFailure(directory, error, advice);
  } finally {
    // What cannot be removed was not made.
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Copies an entry from a folder that several machines share into the cache, and compares it with its digests on both sides.
 *
 * @param cache - where it is to be
 * @param folder - the shared one
 * @param kind - of the entry
 * @param digest - what it is known by
 * @throws InputError when what lies there is damaged, or the cache cannot be written; ResourceError when the disk is full
 */
export async function fetchShared(
  cache: CacheStore,
  folder: string,
  kind: EntryKind,
  digest: string,
): Promise<SharedEntry> {
  if (!DIGEST.test(digest)) return 'missing';
  const directory = join(folder, kind, digest);
  const manifest = await readManifest(directory);
  if (manifest === undefined) return 'missing';
  const key = keyIn(manifest, kind, digest);
  if (key === undefined || (await intactKey(directory, kind, digest)) === undefined)
    throw new InputError({
      source: directory,
      found: 'files that are not what its manifest says',
      expected: 'what another machine put there',
      hint: 'Remove that folder, and let a machine that has it whole push it again.',
    });
  const { cached } = await cache.make(key, { title: manifest.title }, async (files) => {
    await cp(join(directory, FILES), files, { recursive: true });
    return manifest.facts;
  });
  return cached ? 'there' : 'copied';
}

/** The key of an entry whose files are all what its manifest says; every digest is computed. */
async function intactKey(directory: string, kind: EntryKind, digest: string): Promise<CacheKey | undefined> {
  const manifest = await readManifest(directory);
  const key = keyIn(manifest, kind, digest);
  if (manifest === undefined || key === undefined) return undefined;
  const damage = await damageOf(directory, join(directory, FILES), manifest, { thorough: true });
  return damage.length === 0 ? key : undefined;
}

/** The key that a manifest says, where that is the one that is looked for. */
function keyIn(manifest: Manifest | undefined, kind: EntryKind, digest: string): CacheKey | undefined {
  if (manifest?.complete !== true || typeof manifest.from !== 'object' || manifest.from === null)
    return undefined;
  const key = cacheKey(kind, manifest.from);
  return key.digest === digest && manifest.kind === kind ? key : undefined;
}
