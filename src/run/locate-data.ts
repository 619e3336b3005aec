import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { cacheDirectory, packageRoot } from '../base/paths.js';
import { DATASET_FOLDERS, fetchedDirectory } from '../data/location.js';
import { holdsDataset, openDataset, type DatasetName, type OpenedData } from '../data/open.js';

/** Datasets that come with EdgeFlex: nobody has to say where they lie. */
const builtIn: Partial<Record<DatasetName, string>> = {
  shapes10: join(packageRoot(), 'suites', 'data', DATASET_FOLDERS.shapes10),
};

/**
 * Finds and opens a dataset: in the suite's own directory, in the one given by `--data`, with EdgeFlex itself, in the one that
 * `EDGEFLEX_DATA` names, or where it was fetched to. A directory that was named is used or refused.
 *
 * @param name - which dataset
 * @param own - the suite's directory for it, if it brings one
 * @param given - the value of `--data`
 * @throws InputError that says where was looked and how to get the images
 */
export async function locateData(
  name: DatasetName,
  own: string | undefined,
  given: string | undefined,
): Promise<OpenedData> {
  const named = own ?? given ?? builtIn[name] ?? process.env['EDGEFLEX_DATA'];
  const fetched = named === undefined ? await fetchedDirectory(name) : undefined;
  const places =
    named === undefined ? [fetched].filter(isGiven) : [named, join(named, DATASET_FOLDERS[name])];
  for (const place of places) if (await holdsDataset(name, place)) return openDataset(name, place);
  const source =
    own !== undefined ? "the suite's data.path" : given !== undefined ? '--data' : 'EDGEFLEX_DATA';
  throw new InputError({
    source: named === undefined ? name : source,
    found: `no ${name} images in ${named === undefined ? `the cache (${cacheDirectory()})` : places.join(' or ')}`,
    expected: `a directory with the binary version of ${name}`,
    hint:
      name === 'cifar10'
        ? 'Get it with "edgeflex data fetch cifar10", or name a directory that has it with --data or EDGEFLEX_DATA.'
        : `${name} comes with edgeflex, in suites/data/.`,
  });
}

function isGiven(path: string | undefined): path is string {
  return path !== undefined;
}
