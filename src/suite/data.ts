import { dirname, resolve } from 'node:path';
import { isName } from '../base/named.js';
import { faultAt, type YamlFile } from '../base/schema.js';
import { didYouMean } from '../base/similar.js';
import { datasetNames } from '../data/registry.js';
import type { Declaration } from '../data/sets/declaration.js';
import { declarationFrom, declaredSets, nameOf } from '../data/sets/declared.js';
import type { SuiteFile } from './schema.js';

/** Which images a suite is about. */
export interface SuiteData {
  readonly name: string;
  /** Where the files of a known dataset lie; undefined where they are to be looked for. */
  readonly path: string | undefined;
  /** Images of a user's own, as the suite declares them. */
  readonly declared?: Declaration;
}

/**
 * What a suite says of its images.
 *
 * @param file - the suite, for messages; its paths are relative to it
 * @param data - what it says
 * @throws InputError for a name that nothing has, or when a known dataset is declared as if it were another
 */
export function suiteData(file: YamlFile, data: SuiteFile['data']): SuiteData {
  const said = typeof data === 'string' ? (isName(data) ? { name: data } : { path: data }) : data;
  const { path } = said;
  const name = said.name ?? (path === undefined ? undefined : nameOf(path));
  if (name === undefined)
    throw faultAt(
      file,
      ['data'],
      'neither a name nor a path',
      'a dataset by its name, or images by their path',
    );
  const declared = Object.fromEntries(Object.entries(said).filter(([key]) => key !== 'name'));
  if (datasetNames().includes(name)) {
    const [strange] = Object.keys(declared).filter((key) => key !== 'path');
    if (strange !== undefined)
      throw faultAt(
        file,
        ['data', strange],
        `"${strange}" for the known dataset ${name}`,
        'only path, or another name',
      );
    return { name, path: path === undefined ? undefined : resolve(dirname(file.path), path) };
  }
  if (path !== undefined)
    return { name, path: undefined, declared: declarationFrom({ ...declared, path }, name, file.path) };
  const known = [...datasetNames(), ...declaredSets().map((set) => set.name)];
  if (known.includes(name)) return { name, path: undefined };
  throw faultAt(
    file,
    typeof data === 'string' ? ['data'] : ['data', 'name'],
    `the unknown dataset "${name}"${didYouMean(name, known)}`,
    `${known.join(', ')}; or the path of images`,
  );
}
