import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/**
 * SHA-256 of a value's canonical JSON (object keys sorted), as hex: equal values have equal hashes
 * whatever the order of their keys.
 *
 * @param value - anything JSON can express
 */
export function hashJson(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** A digest of a file's bytes; `git` is the name that git gives the file: SHA-1 over its length and its bytes. */
export type FileDigest = 'sha256' | 'md5' | 'git';

/**
 * Digest of a file, read as a stream.
 *
 * @param path - the file
 * @param algorithm - `sha256` unless its publisher states another
 * @returns lower-case hex
 * @throws the file system's error when the file cannot be read
 */
export async function hashFile(path: string, algorithm: FileDigest = 'sha256'): Promise<string> {
  const hash = createHash(algorithm === 'git' ? 'sha1' : algorithm);
  if (algorithm === 'git') hash.update(`blob ${(await stat(path)).size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** A value's JSON with the keys of objects sorted: equal values give equal texts, whatever the order of their keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
