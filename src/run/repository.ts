import { BRANCH_VARIABLE, ciBranch } from '../base/ci-branch.js';
import { askGit, whyUntold } from '../base/git.js';
import type { UntoldCommit } from '../base/untold.js';
import type { Repository } from '../store/repository.js';

/**
 * Looks up the git state of a directory.
 *
 * @param directory - any
 * @param environment - the process's: the branch is the one that `EDGEFLEX_BRANCH` names, the one that is checked out, or that of the CI's job
 * @returns null outside a checkout and before the first commit; why, in a checkout whose commit git does not tell
 */
export async function readRepository(
  directory: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Repository | UntoldCommit | null> {
  const told = environment[BRANCH_VARIABLE];
  const git = (...args: string[]): Promise<string> => askGit(directory, ...args);
  try {
    const [commit, committedAt] = (
      await git('show', '--no-patch', '--no-show-signature', '--format=%H %cI', 'HEAD')
    ).split(' ') as [string, string];
    return {
      commit,
      committedAt: new Date(committedAt).toISOString(),
      branch:
        told === undefined
          ? await git('symbolic-ref', '--short', 'HEAD').catch(() => ciBranch(environment) ?? null)
          : told || null,
      // Untracked files do not count: the run's own results are among them.
      dirty: (await git('status', '--porcelain', '--untracked-files=no')) !== '',
    };
  } catch (error) {
    return whyUntold(directory, error);
  }
}
