import { cacheKey, type CacheKey } from '../cache/key.js';
import { cache } from '../cache/store.js';
import type { DatasetName } from './open.js';

/** The folder a dataset lies in: of the official archive, and also looked for inside a directory that is given. */
export const DATASET_FOLDERS: Readonly<Record<DatasetName, string>> = {
  cifar10: 'cifar-10-batches-bin',
  shapes10: 'shapes10',
};

/**
 * The key of a dataset that `edgeflex data fetch` puts into the cache: its name, whichever mirror it came from.
 *
 * @param name - the dataset
 */
export function datasetKey(name: DatasetName): CacheKey {
  return cacheKey('dataset', { dataset: name });
}

/**
 * Where a dataset lies that was fetched.
 *
 * @param name - the dataset
 * @returns undefined when it is not in the cache, or damaged there
 * @throws InputError when the cache cannot be used
 */
export async function fetchedDirectory(name: DatasetName): Promise<string | undefined> {
  return (await cache().find(datasetKey(name)))?.files;
}
