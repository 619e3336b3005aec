import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';

/**
 * Gives every test of a file an empty folder of its own, which is gone after the test.
 *
 * @returns a path inside the current test's folder; without names the folder itself
 */
export function useFolder(): (...names: string[]) => string {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  return (...names) => join(folder, ...names);
}

/**
 * The same, with EdgeFlex's cache in it, as `cache`.
 *
 * @returns a path inside the current test's folder; without names the folder itself
 */
export function useFolderWithCache(): (...names: string[]) => string {
  const folder = useFolder();
  beforeEach(() => void vi.stubEnv('EDGEFLEX_CACHE', folder('cache')));
  afterEach(() => void vi.unstubAllEnvs());
  return folder;
}
