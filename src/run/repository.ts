import { askGit, whyUntold } from '../base/git.js';
import type { UntoldCommit } from '../base/untold.js';
import type { Repository } from '../store/repository.js';

/**
 * Looks up the git state of a directory.
 *
 * @param directory - any
 * @returns null outside a checkout and before the first commit; why, in a checkout whose commit git does not tell
 */
export async function readRepository(directory: string): Promise<Repository | UntoldCommit | null> {
  const git = (...args: string[]): Promise<string> => askGit(directory, ...args);
  try {
    const [commit, committedAt] = (
      await git('show', '--no-patch', '--no-show-signature', '--format=%H %cI', 'HEAD')
    ).split(' ') as [string, string];
    return {
      commit,
      committedAt: new Date(committedAt).toISOString(),
      branch: await git('symbolic-ref', '--short', 'HEAD').catch(() => null),
      // Untracked files do not count: the run's own results are among them.
      dirty: (await git('status', '--porcelain', '--untracked-files=no')) !== '',
    };
  } catch (error) {
    return whyUntold(directory, error);
  }
}
