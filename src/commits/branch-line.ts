import type { BranchLine } from '../analysis/history/branches.js';
import { askGit } from '../base/git.js';

/**
 * The commits of a branch by first parents, of the local one and of the one at `origin`.
 *
 * @param directory - in a checkout
 * @param branch - its name
 * @returns undefined outside a checkout, without git, and where git does not know the branch
 */
export async function branchLine(directory: string, branch: string): Promise<BranchLine | undefined> {
  const git = (...args: string[]): Promise<string> => askGit(directory, ...args);
  try {
    const names = [`refs/heads/${branch}`, `refs/remotes/origin/${branch}`];
    const found = (await git('for-each-ref', '--format=%(refname)', ...names)).split('\n');
    const refs = found.filter((name) => names.includes(name));
    if (refs.length === 0) return undefined;
    const commits = (await git('rev-list', '--first-parent', ...refs)).split('\n');
    const whole = (await git('rev-parse', '--is-shallow-repository')) === 'false';
    return { commits: new Set(commits), whole };
  } catch {
    return undefined;
  }
}

/**
 * The default branch of the repository, as its clone or the CI says.
 *
 * @param directory - in a checkout
 * @param environment - the process's
 * @returns undefined where nobody tells
 */
export async function defaultBranch(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const told = environment['CI_DEFAULT_BRANCH'];
  if (told) return told;
  const remote = await askGit(directory, 'symbolic-ref', '--short', 'refs/remotes/origin/HEAD').catch(
    () => undefined,
  );
  return remote?.replace(/^origin\//, '');
}
