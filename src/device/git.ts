import { askGit, whyUntold } from '../base/git.js';
import { packageRoot } from '../base/paths.js';
import type { Environment } from '../protocol/environment.js';

/**
 * The commit of the harness's own code, and whether it was changed since.
 *
 * @param directory - where that code is
 * @returns null outside a git checkout; why, in a checkout whose commit git does not tell
 */
export async function gitState(directory = packageRoot()): Promise<Environment['git']> {
  try {
    return {
      commit: await askGit(directory, 'rev-parse', 'HEAD'),
      dirty: (await askGit(directory, 'status', '--porcelain')) !== '',
    };
  } catch (error) {
    return whyUntold(directory, error);
  }
}
