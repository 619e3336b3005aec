import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import envPaths from 'env-paths';

/**
 * Where downloads and compressed models are kept between runs: `EDGEFLEX_CACHE`, or the platform's cache directory for
 * the user.
 */
export function cacheDirectory(): string {
  return process.env['EDGEFLEX_CACHE'] ?? envPaths('edgeflex', { suffix: '' }).cache;
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
