import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Repository } from '../store/repository.js';

const run = promisify(execFile);

/**
 * Looks up the git state of a directory.
 *
 * @param directory - any
 * @returns null outside a checkout, before the first commit, and where there is no git
 */
export async function readRepository(directory: string): Promise<Repository | null> {
  const git = async (...args: string[]): Promise<string> =>
    // What git says is read by a program, and a file that git only wants to refresh is no reason to write to the repository.
    (
      await run('git', ['-C', directory, '--no-optional-locks', ...args], {
        env: { ...process.env, LC_ALL: 'C' },
      })
    ).stdout.trim();
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
  } catch {
    return null;
  }
}
