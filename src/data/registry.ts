import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import { cifar10 } from './cifar10.js';
import { cifar100, cifar100Coarse } from './cifar100.js';
import type { DatasetKind, OpenedData } from './kind.js';
import { shapes10 } from './shapes10.js';

/** The datasets that EdgeFlex knows: a line each. */
const builtIn: readonly DatasetKind[] = [cifar10, cifar100, cifar100Coarse, shapes10];

const datasets = new Map(builtIn.map((dataset) => [dataset.name, dataset]));

/**
 * Makes a dataset known to suites.
 *
 * @param dataset - the dataset
 * @throws RangeError when another has its name
 */
export function registerDataset(dataset: DatasetKind): void {
  if (datasets.has(dataset.name)) throw new RangeError(`there is a dataset called ${dataset.name} already`);
  datasets.set(dataset.name, dataset);
}

/** Names of the datasets that there are. */
export function datasetNames(): readonly string[] {
  return [...datasets.keys()];
}

/**
 * The dataset of a name.
 *
 * @throws InputError when there is none
 */
export function datasetOf(name: string): DatasetKind {
  const dataset = datasets.get(name);
  if (dataset !== undefined) return dataset;
  throw new InputError({
    source: 'dataset',
    found: `the unknown dataset "${name}"${didYouMean(name, datasetNames())}`,
    expected: datasetNames().join(', '),
  });
}

/**
 * Opens a dataset.
 *
 * @param name - which
 * @param directory - where its files lie
 * @throws InputError when there is no such dataset, or its files are not as they should be
 */
export function openDataset(name: string, directory: string): Promise<OpenedData> {
  return datasetOf(name).open(directory);
}
