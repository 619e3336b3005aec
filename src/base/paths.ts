import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from './errors.js';
import { isServerAddress } from './server-address.js';

/**
 * Where downloads and compressed models are kept between runs: `EDGEFLEX_CACHE`, or the platform's cache folder for the user.
 *
 * @throws InputError when the variable is not set and the user has no home
 */
export function cacheDirectory(): string {
  const named = process.env['EDGEFLEX_CACHE'];
  return named === undefined || named === '' ? platformCache() : resolve(named);
}

/** As the XDG base directory specification, Apple and Microsoft have it. */
function platformCache(): string {
  if (process.platform === 'win32')
    return join(process.env['LOCALAPPDATA'] ?? join(home(), 'AppData', 'Local'), 'edgeflex', 'Cache');
  if (process.platform === 'darwin') return join(home(), 'Library', 'Caches', 'edgeflex');
  // A relative XDG_CACHE_HOME is to be ignored.
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg?.startsWith('/') === true ? xdg : join(home(), '.cache'), 'edgeflex');
}

function home(): string {
  try {
    return homedir();
  } catch {
    throw new InputError({
      source: 'the cache',
      found: 'a user without a home directory',
      expected: 'a folder that can be written',
      hint: 'Set one with EDGEFLEX_CACHE.',
    });
  }
}

/**
 * The database of a place of results.
 *
 * @param results - a folder, as `--results` of the command, or the address of a database on a server, which is its own
 */
export function databaseIn(results: string): string {
  return isServerAddress(results) ? results : join(results, 'edgeflex.db');
}

/** The directory of the installed package: the nearest one above this file with a `package.json`. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** The version in the package's `package.json`. */
export function installedVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  return (manifest as { version: string }).version;
}

/**
 * Whether a path is a folder or lies in it.
 *
 * @param folder - absolute, or relative to the working folder, as the path
 */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !way.startsWith('..') && !isAbsolute(way);
}
