import { join } from 'node:path';
import { cacheDirectory } from '../base/paths.js';
import type { DatasetName } from './open.js';

/** The folder a dataset lies in: of the official archive, and also looked for inside a directory that is given. */
export const DATASET_FOLDERS: Readonly<Record<DatasetName, string>> = {
  cifar10: 'cifar-10-batches-bin',
  shapes10: 'shapes10',
};

/**
 * Where `edgeflex data fetch` puts a dataset.
 *
 * @param name - the dataset
 */
export function fetchedDirectory(name: DatasetName): string {
  return join(cacheDirectory(), 'data', DATASET_FOLDERS[name]);
}
