import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';

const root = packageRoot();

/** Modules that start processes for whoever imports them: agents, browsers, boards, commands. */
const starters = [
  'node:child_process',
  'puppeteer-core',
  ...[
    'cli/main',
    'library/index',
    'run/execute',
    'queue/devices',
    'device/open',
    'device/local/device',
    'device/browser/device',
    'data/parquet/process',
  ].map((name) => join(root, 'src', name)),
];

/** Modules with which whole models are compressed and run here. */
const runtimes = [join(root, 'src', 'runtime', 'node')];

/** Test files by what they need. */
export interface FilesByKind {
  /** Computes in its own process, a matter of moments: the inner loop. */
  readonly unit: string[];
  /** Runs models in its own process. */
  readonly models: string[];
  /** Starts further processes. */
  readonly processes: string[];
}

/**
 * Sorts the test files by what their imports tell, those of the tests' own helpers included.
 *
 * @returns paths relative to the package
 */
export function filesByKind(): FilesByKind {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(root, 'test', file));
  const kinds: FilesByKind = { unit: [], models: [], processes: [] };
  for (const file of files) {
    const imports = importsOf(file);
    const any = (names: readonly string[]): boolean => names.some((name) => imports.has(name));
    kinds[any(starters) ? 'processes' : any(runtimes) ? 'models' : 'unit'].push(relative(root, file));
  }
  return kinds;
}

/** All that a file of the tests imports but for types, by way of other files of the tests too: packages, and paths without suffix. */
function importsOf(file: string, found = new Set<string>()): Set<string> {
  for (const [, name] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export) (?!type).*?from '([^']+)'/gms,
  )) {
    const imported = name!.startsWith('.') ? resolve(dirname(file), name!).replace(/\.js$/, '') : name!;
    if (found.has(imported)) continue;
    found.add(imported);
    if (imported.startsWith(join(root, 'test'))) importsOf(`${imported}.ts`, found);
  }
  return found;
}
