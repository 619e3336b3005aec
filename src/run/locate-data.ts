import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { cacheDirectory } from '../base/paths.js';
import type { OpenedData } from '../data/kind.js';
import { fetchedDirectory } from '../data/location.js';
import { datasetOf } from '../data/registry.js';

/**
 * Finds and opens a dataset: in the suite's own directory, in the one given by `--data`, where it comes with EdgeFlex or a plug-in,
 * in the one that `EDGEFLEX_DATA` names, or where it was fetched to. A directory that was named is used or refused.
 *
 * @param name - which dataset
 * @param own - the suite's directory for it, if it brings one
 * @param given - the value of `--data`
 * @throws InputError that says where was looked and how to get the images
 */
export async function locateData(
  name: string,
  own: string | undefined,
  given: string | undefined,
): Promise<OpenedData> {
  const dataset = datasetOf(name);
  const named = own ?? given ?? dataset.builtIn ?? process.env['EDGEFLEX_DATA'];
  const fetched = named === undefined ? await fetchedDirectory(name) : undefined;
  const places = named === undefined ? [fetched].filter(isGiven) : [named, join(named, dataset.folder)];
  for (const place of places) if (await dataset.holds(place)) return dataset.open(place);
  const source =
    own !== undefined ? "the suite's data.path" : given !== undefined ? '--data' : 'EDGEFLEX_DATA';
  throw new InputError({
    source: named === undefined ? name : source,
    found: `no ${name} images in ${named === undefined ? `the cache (${cacheDirectory()})` : places.join(' or ')}`,
    expected: `a directory with the files of ${name}`,
    hint: dataset.hint,
  });
}

function isGiven(path: string | undefined): path is string {
  return path !== undefined;
}
