import { existsSync, readdirSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { InputError } from './errors.js';
import { packageRoot } from './paths.js';
import { didYouMean } from './similar.js';

/** What comes with EdgeFlex and is found by its name; a user's own shadows what comes with EdgeFlex. */
export type NamedKind = 'suite' | 'recipe' | 'device' | 'model' | 'data';

interface Place {
  /** Below the package and below the working folder alike; the first that has a name wins. */
  readonly folders: readonly string[];
  /** What a file's name has behind the name; empty for folders. */
  readonly ending: string;
}

const places: Readonly<Record<NamedKind, Place>> = {
  suite: { folders: ['suites'], ending: '.yaml' },
  recipe: { folders: [join('suites', 'recipes'), 'recipes'], ending: '.yaml' },
  device: { folders: ['devices'], ending: '.yaml' },
  model: { folders: [join('suites', 'models')], ending: '' },
  data: { folders: [join('suites', 'data'), 'data'], ending: '.yaml' },
};

/** One thing that has a name. */
export interface Named {
  readonly name: string;
  readonly path: string;
  /** Whether it comes with EdgeFlex. */
  readonly builtIn: boolean;
}

/**
 * Everything of a kind, sorted by name: the user's, and what comes with EdgeFlex and is not shadowed.
 *
 * @param kind - of what
 * @param folder - whose subfolders are the user's
 */
export function listNamed(kind: NamedKind, folder = process.cwd()): Named[] {
  const { folders, ending } = places[kind];
  const found = new Map<string, Named>();
  for (const root of new Set([folder, packageRoot()]))
    for (const place of folders)
      for (const file of namesIn(join(root, place))) {
        const name = file.slice(0, file.length - ending.length);
        const path = join(root, place, file);
        if (!file.endsWith(ending) || found.has(name) || statSync(path).isDirectory() !== (ending === ''))
          continue;
        found.set(name, { name, path, builtIn: root === packageRoot() });
      }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
}

/**
 * The path that a user means by a name or a path: `quickstart`, or `suites/quickstart.yaml`. A path that leads nowhere from
 * the working folder is looked for in the package.
 *
 * @param kind - what is meant
 * @param reference - as the user wrote it
 * @returns a path; one that leads nowhere is given back, for whoever reads it to refuse
 * @throws InputError when it is a name that nothing has
 */
export function pathOf(kind: NamedKind, reference: string): string {
  if (existsSync(reference) && (places[kind].ending === '' || statSync(reference).isFile())) return reference;
  if (!isName(reference)) {
    const inPackage = join(packageRoot(), reference);
    return !isAbsolute(reference) && !reference.startsWith('.') && existsSync(inPackage)
      ? inPackage
      : reference;
  }
  const known = listNamed(kind);
  const named = known.find(({ name }) => name === reference);
  if (named !== undefined) return named.path;
  const names = known.map(({ name }) => name);
  throw new InputError({
    source: reference,
    found: `no ${kind} of that name${didYouMean(reference, names)}`,
    expected: `the path of a ${kind}, or one of ${names.join(', ')}`,
  });
}

/** Whether a reference is a name and no path. */
export function isName(reference: string): boolean {
  return reference !== '' && !/[/\\]|\.ya?ml$/.test(reference);
}
