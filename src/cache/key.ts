import { hashJson } from '../base/hash.js';

/** What is kept, in the order in which it goes when there is too much: what is soonest made again first. */
export const entryKinds = [
  'checkpoint',
  'observation',
  'artifact',
  'images',
  'head',
  'board',
  'archive',
  'model',
  'dataset',
] as const;

/** What is kept. */
export type EntryKind = (typeof entryKinds)[number];

/** Version of how entries lie on the disk: what another version kept is not found. */
const FORMAT = 1;

/** Which entry of the cache is meant. */
export interface CacheKey {
  readonly kind: EntryKind;
  /** SHA-256 of the canonical JSON of everything that was read to make the entry. */
  readonly digest: string;
  /** What that was, as it is kept in the manifest. */
  readonly from: unknown;
}

/**
 * The key of an entry. Two entries are the same exactly when all of this is.
 *
 * @param kind - what is kept
 * @param from - everything that was read to make it, as JSON: digests of files, options, versions
 */
export function cacheKey(kind: EntryKind, from: object): CacheKey {
  // As it will be read from the manifest: JSON has no `undefined`.
  const plain: unknown = JSON.parse(JSON.stringify(from));
  return { kind, from: plain, digest: hashJson({ format: FORMAT, kind, from: plain }) };
}
