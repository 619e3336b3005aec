import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cacheDirectory, installedVersion, packageRoot } from '../../src/base/paths.js';

afterEach(() => vi.unstubAllEnvs());

describe('cacheDirectory', () => {
  test('is what EDGEFLEX_CACHE says', () => {
    vi.stubEnv('EDGEFLEX_CACHE', '/somewhere/else');
    expect(cacheDirectory()).toBe('/somewhere/else');
  });

  test('is a directory of our own in the one of the user', () => {
    vi.stubEnv('EDGEFLEX_CACHE', undefined);
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    expect(isAbsolute(cacheDirectory())).toBe(true);
    expect(cacheDirectory()).toMatch(/edgeflex/);
  });
});

describe('packageRoot', () => {
  test('is where the package is', () => {
    for (const name of ['package.json', 'suites', 'devices', 'bin'])
      expect(existsSync(join(packageRoot(), name))).toBe(true);
  });
});

describe('installedVersion', () => {
  test('is a version', () => {
    expect(installedVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });
});
