import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { foundBy, InputError } from '../base/errors.js';
import { isName } from '../base/named.js';
import { cacheDirectory } from '../base/paths.js';
import { didYouMean } from '../base/similar.js';
import type { OpenedData } from '../data/kind.js';
import { fetchedDirectory } from '../data/location.js';
import { datasetNames, datasetOf } from '../data/registry.js';
import type { OpenOptions } from '../data/sets/collected.js';
import type { Declaration } from '../data/sets/declaration.js';
import { declaredSets, followed, readDeclaration } from '../data/sets/declared.js';
import { openDeclared } from '../data/sets/open.js';

/** How images are found and opened. */
export interface LocateOptions extends OpenOptions {
  /** What a suite declares of images of a user's own. */
  readonly declared?: Declaration | undefined;
}

/**
 * Finds and opens a dataset: in the suite's own directory, in the one given by `--data`, in the one that `EDGEFLEX_DATA`
 * names, where it comes with EdgeFlex or a plug-in, or where it was fetched to. A directory that was named is used or refused, but
 * `EDGEFLEX_DATA` need not hold what comes with EdgeFlex.
 *
 * @param name - which dataset, or which set of a user's own
 * @param own - the suite's directory for it, if it brings one
 * @param given - the value of `--data`
 * @param options - what a suite declares, progress and signal
 * @throws InputError that says where was looked and how to get the images
 */
export async function locateData(
  name: string,
  own: string | undefined,
  given: string | undefined,
  options: LocateOptions = {},
): Promise<OpenedData> {
  const declared = options.declared ? await followed(options.declared) : await declarationOf(name);
  if (declared !== undefined)
    return openDeclared(given === undefined ? declared : { ...declared, path: given }, options);
  if (own !== undefined && given !== undefined) await mustExist(given);
  const dataset = datasetOf(name);
  const { builtIn, folder, otherFolders = [], fetchedAs = name } = dataset;
  const environment = process.env['EDGEFLEX_DATA'];
  // What comes with EdgeFlex is there where the folder of all data has none of it.
  const named = own ?? given ?? (builtIn === undefined ? environment : undefined);
  const within = (place: string): string[] => [
    place,
    ...[folder, ...otherFolders].map((name) => join(place, name)),
  ];
  const places =
    named !== undefined
      ? within(named)
      : builtIn !== undefined
        ? [...(environment === undefined ? [] : within(environment)), builtIn]
        : [await fetchedDirectory(fetchedAs)].filter(isGiven);
  for (const place of places) if (await dataset.holds(place)) return dataset.open(place);
  const source =
    own !== undefined ? "the suite's data.path" : given !== undefined ? '--data' : 'EDGEFLEX_DATA';
  throw new InputError({
    source: named === undefined ? name : source,
    found: `no ${name} images in ${places.length === 0 ? `the cache (${cacheDirectory()})` : places.join(' or ')}`,
    expected: `a directory with the files of ${name}`,
    hint: dataset.hint,
  });
}

/** A suite's own images do without the folder of `--data`, but a misspelt one is refused, as everywhere. */
async function mustExist(given: string): Promise<void> {
  await stat(given).catch((error: unknown) => {
    throw new InputError({
      source: '--data',
      found: `${given}: ${foundBy(error)}`,
      expected: 'a folder of images',
    });
  });
}

/** What is declared of a set of that name; undefined for a known dataset. */
async function declarationOf(name: string): Promise<Declaration | undefined> {
  if (datasetNames().includes(name)) return undefined;
  const found = declaredSets().find((set) => set.name === name);
  return found && readDeclaration(found.path);
}

function isGiven(path: string | undefined): path is string {
  return path !== undefined;
}

/** Names of all images that are known: data sets, and those that are declared in files of their own. */
export function imageNames(): readonly string[] {
  return [...datasetNames(), ...declaredSets().map(({ name }) => name)];
}

/**
 * Whether a user who may give a name of images or a path gave a name: one that is known, or a word that is no path either.
 *
 * @param reference - what the user gave
 */
export function namesImages(reference: string): boolean {
  return isName(reference) && (imageNames().includes(reference) || !existsSync(reference));
}

/**
 * A name of images that a user gave.
 *
 * @param name - the name
 * @throws InputError when nothing has it
 */
export function knownImages(name: string): string {
  const known = imageNames();
  if (known.includes(name)) return name;
  throw new InputError({
    source: 'dataset',
    found: `the unknown dataset "${name}"${didYouMean(name, known)}`,
    expected: known.join(', '),
    hint: '"edgeflex data add" registers images of your own.',
  });
}
