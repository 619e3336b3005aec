import { cacheKey, type CacheKey } from '../cache/key.js';
import { cache } from '../cache/store.js';

/**
 * The key of a dataset that `edgeflex data fetch` puts into the cache: its name, whichever mirror it came from.
 *
 * @param name - the dataset
 */
export function datasetKey(name: string): CacheKey {
  return cacheKey('dataset', { dataset: name });
}

/**
 * Where a dataset lies that was fetched.
 *
 * @param name - the dataset
 * @returns undefined when it is not in the cache, or damaged there
 * @throws InputError when the cache cannot be used
 */
export async function fetchedDirectory(name: string): Promise<string | undefined> {
  return (await cache().find(datasetKey(name)))?.files;
}
