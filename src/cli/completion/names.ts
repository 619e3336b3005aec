import { listNamed } from '../../base/named.js';
import { databaseIn } from '../../base/paths.js';
import type { NameKind } from './kinds.js';
import type { Suggestion } from './suggest.js';

/** More runs than this are typed, or listed by "edgeflex runs". */
const MOST = 50;

/**
 * The names of a kind. What is needed for one kind is loaded for that alone.
 *
 * @param kind - of what
 * @param results - the folder of the results database, where the user has named one
 */
export async function namesOf(kind: NameKind, results: string | undefined): Promise<readonly Suggestion[]> {
  switch (kind) {
    case 'suite':
    case 'recipe':
    case 'device':
      return listNamed(kind).map(({ name, builtIn, path }) => ({
        value: name,
        description: builtIn ? 'comes with EdgeFlex' : path,
      }));
    case 'model': {
      const { syntheticNames } = await import('../../vit/synthetic.js');
      return [
        ...listNamed(kind).map(({ name: value }) => ({ value, description: 'comes with EdgeFlex' })),
        ...syntheticNames.map((value) => ({ value, description: 'random weights' })),
      ];
    }
    case 'dataset': {
      const { imageNames } = await import('../../run/locate-data.js');
      return imageNames().map((value) => ({ value, description: '' }));
    }
    case 'stage': {
      const { allStages } = await import('../../compress/registry.js');
      return allStages().map(({ name: value, description }) => ({ value, description }));
    }
    case 'device-kind': {
      const { deviceKinds } = await import('../../device/registry.js');
      return deviceKinds().map(({ kind: value, description }) => ({ value, description }));
    }
    case 'run':
    case 'baseline':
    case 'measured-suite':
      return stored(kind, results);
  }
}

async function stored(
  kind: 'run' | 'baseline' | 'measured-suite',
  results: string | undefined,
): Promise<readonly Suggestion[]> {
  const { storedNames } = await import('../../store/names.js');
  const folder = results ?? (await configuredResults()) ?? 'results';
  const { runs, baselines } = storedNames(databaseIn(folder), MOST);
  if (kind === 'measured-suite')
    return [...new Set(runs.map(({ of }) => of))].map((value) => ({ value, description: '' }));
  const named = baselines.map(({ name, of }) => ({ value: name, description: `baseline of ${of}` }));
  return kind === 'baseline'
    ? named
    : [...named, ...runs.map(({ name, of }) => ({ value: name, description: of }))];
}

/** The results of the folder's settings; those that cannot be read say so when a command is run. */
async function configuredResults(): Promise<string | undefined> {
  const { readSettings } = await import('../../plugins/config.js');
  return (await readSettings(process.cwd()).catch(() => undefined))?.results;
}
