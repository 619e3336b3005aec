import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';
import { microDirectory, shapesDirectory } from './micro.js';

/** Git as somebody without settings of their own. */
export const gitIdentity = {
  ...{ GIT_AUTHOR_NAME: 'A Tester', GIT_AUTHOR_EMAIL: 'tester@example.org', GIT_CONFIG_GLOBAL: '/dev/null' },
  ...{ GIT_COMMITTER_NAME: 'A Tester', GIT_COMMITTER_EMAIL: 'tester@example.org' },
};

/**
 * Runs git in a checkout.
 *
 * @param checkout - its folder
 * @param args - of git
 * @returns what it prints, without the end of the line
 */
export function git(checkout: string, ...args: string[]): string {
  return execFileSync('git', ['-C', checkout, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...gitIdentity },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/**
 * Commits all that is in a checkout, with some files written before.
 *
 * @param checkout - its folder
 * @param message - of the commit
 * @param files - texts by path in the checkout
 * @returns the commit
 */
export async function commitFiles(
  checkout: string,
  message: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(checkout, name)), { recursive: true });
    await writeFile(join(checkout, name), text);
  }
  git(checkout, 'add', '--all');
  git(checkout, 'commit', '--quiet', '--message', message);
  return git(checkout, 'rev-parse', 'HEAD');
}

/**
 * Files of a suite on the built-in model that is measured in a moment, with one recipe beside it that prunes a share of the MLPs.
 *
 * @param suite - its path in the checkout
 * @param name - of the suite
 * @param recipe - name of the recipe
 * @param ratio - the share that is pruned
 */
export function pruningSuite(
  suite: string,
  name: string,
  recipe: string,
  ratio: number,
): Readonly<Record<string, string>> {
  return {
    [suite]: JSON.stringify({
      ...{ name, data: { name: 'shapes10', path: shapesDirectory } },
      ...{ models: [{ path: microDirectory }], recipes: [`./${recipe}.yaml`] },
      devices: [join(packageRoot(), 'devices', 'local-cpu.yaml')],
      accuracy: { images: 16, batch: 16 },
      performance: { batches: [1], tier: 'smoke', rounds: 2 },
    }),
    [join(dirname(suite), `${recipe}.yaml`)]: JSON.stringify({
      name: recipe,
      stages: [{ prune: { ratio, images: 16 } }],
    }),
  };
}
