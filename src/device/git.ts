import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { packageRoot } from '../base/paths.js';
import type { Environment } from '../protocol/environment.js';

const run = promisify(execFile);

/** The commit of the harness's own code, and whether it was changed since; null outside a git checkout. */
export async function gitState(): Promise<Environment['git']> {
  try {
    const git = async (...args: string[]): Promise<string> =>
      (await run('git', ['-C', packageRoot(), ...args])).stdout.trim();
    return { commit: await git('rev-parse', 'HEAD'), dirty: (await git('status', '--porcelain')) !== '' };
  } catch {
    return null;
  }
}
