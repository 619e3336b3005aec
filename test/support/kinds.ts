import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';

const root = packageRoot();

/** Modules that start processes for whoever imports them: agents, browsers, boards, commands. */
const starters = [
  'node:child_process',
  'puppeteer',
  ...['cli/main', 'run/execute', 'device/open', 'device/local/device', 'device/browser/device'].map((name) =>
    join(root, 'src', name),
  ),
];

/** Test files by what they need. */
export interface FilesByKind {
  /** Computes in its own process alone: a matter of moments. */
  readonly unit: string[];
  /** Starts further processes. */
  readonly processes: string[];
}

/**
 * Sorts the test files by whether they start processes, which their imports tell, those of the test's own helpers included.
 *
 * @returns paths relative to the package
 */
export function filesByKind(): FilesByKind {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(root, 'test', file));
  const kinds: FilesByKind = { unit: [], processes: [] };
  const known = new Map<string, boolean>();
  for (const file of files)
    kinds[startsProcesses(file, known) ? 'processes' : 'unit'].push(relative(root, file));
  return kinds;
}

function startsProcesses(file: string, known: Map<string, boolean>): boolean {
  const before = known.get(file);
  if (before !== undefined) return before;
  known.set(file, false);
  const imports = [...readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type).*?from '([^']+)'/gms)]
    .map((match) => match[1]!)
    .map((name) => (name.startsWith('.') ? resolve(dirname(file), name).replace(/\.js$/, '') : name));
  const found = imports.some(
    (name) =>
      starters.includes(name) ||
      (name.startsWith(join(root, 'test')) && startsProcesses(`${name}.ts`, known)),
  );
  known.set(file, found);
  return found;
}
