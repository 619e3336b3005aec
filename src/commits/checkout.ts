import { join } from 'node:path';
import { askGit, whyUntold } from '../base/git.js';
import type { Commit } from '../base/commit.js';
import { InputError } from '../base/errors.js';
import { temporaryFolder } from '../base/temporary.js';
import { rm } from 'node:fs/promises';

/** The user's checkout, of which nothing is changed. */
export interface Checkout {
  /** Its root. */
  readonly root: string;
  /** From the root to the folder that the command was given in: empty, or with a slash at its end. */
  readonly prefix: string;
}

/**
 * The checkout that a folder lies in.
 *
 * @param directory - the working folder
 * @throws InputError where there is none, or git does not tell
 */
export async function checkoutAt(directory: string): Promise<Checkout> {
  try {
    const root = await askGit(directory, 'rev-parse', '--show-toplevel');
    return { root, prefix: await askGit(directory, 'rev-parse', '--show-prefix') };
  } catch (error) {
    const why = whyUntold(directory, error);
    throw new InputError({
      source: directory,
      found: why === null ? 'no git repository' : why.said,
      expected: 'a folder in a checkout, with git installed',
    });
  }
}

/**
 * The commit that a revision names.
 *
 * @param checkout - the user's
 * @param revision - a hash, a branch, a tag, `HEAD~3`
 * @param source - the flag that named it, for the message
 * @throws InputError when there is no such commit
 */
export async function commitAt(checkout: Checkout, revision: string, source: string): Promise<Commit> {
  const name = revision.startsWith('-') ? undefined : `${revision}^{commit}`;
  const hash =
    name && (await askGit(checkout.root, 'rev-parse', '--verify', '--quiet', name).catch(() => undefined));
  if (hash === undefined || hash === '')
    throw new InputError({
      source,
      found: `"${revision}", which git does not know here${(await isShallow(checkout)) ? '; the clone is shallow' : ''}`,
      expected: 'a commit, a branch or a tag of this repository',
      ...((await isShallow(checkout)) && { hint: SHALLOW_HINT }),
    });
  const subject = await askGit(
    checkout.root,
    'show',
    '--no-patch',
    '--no-show-signature',
    '--format=%s',
    hash,
  );
  return { hash, subject };
}

const SHALLOW_HINT =
  'Fetch the whole history: "git fetch --unshallow", or fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 in GitLab.';

async function isShallow({ root }: Checkout): Promise<boolean> {
  return (await askGit(root, 'rev-parse', '--is-shallow-repository').catch(() => '')) === 'true';
}

/**
 * Where a commit's line leaves another one's: what lies between it and the commit is what the branch changed.
 *
 * @param checkout - the user's
 * @param base - what it is compared with
 * @param head - the commit
 * @throws InputError when they have no commit in common
 */
export async function forkPoint(checkout: Checkout, base: Commit, head: Commit): Promise<Commit> {
  const hash = await askGit(checkout.root, 'merge-base', base.hash, head.hash).catch(() => undefined);
  if (hash !== undefined && hash !== '') return commitAt(checkout, hash, '--base');
  throw new InputError({
    source: '--base',
    found: `${short(base)}, which has no commit in common with ${short(head)}`,
    expected: 'commits of one history',
    ...((await isShallow(checkout)) && { hint: SHALLOW_HINT }),
  });
}

/**
 * The commits that lie between two, by first parents: a merge counts as one.
 *
 * @param checkout - the user's
 * @param good - where they begin, not one of them
 * @param bad - the last of them
 * @returns in their order, at least one
 * @throws InputError when the one is no ancestor of the other
 */
export async function commitsBetween(checkout: Checkout, good: Commit, bad: Commit): Promise<Commit[]> {
  const isBefore =
    good.hash !== bad.hash &&
    (await askGit(checkout.root, 'merge-base', '--is-ancestor', good.hash, bad.hash).then(
      () => true,
      () => false,
    ));
  if (!isBefore)
    throw new InputError({
      source: '--good',
      found: `${short(good)}, which is not before ${short(bad)}`,
      expected: 'an ancestor of the bad commit',
      ...((await isShallow(checkout)) && { hint: SHALLOW_HINT }),
    });
  const lines = await askGit(
    ...([checkout.root, 'log', '--first-parent', '--reverse', '--no-show-signature'] as const),
    ...['--format=%H %s', `${good.hash}..${bad.hash}`],
  );
  return lines.split('\n').map((line) => {
    const space = line.indexOf(' ');
    return { hash: line.slice(0, space), subject: line.slice(space + 1) };
  });
}

/** A commit as people write it. */
export function short({ hash }: Commit): string {
  return hash.slice(0, 9);
}

/**
 * Makes a work tree of a commit among the temporary files, which the caller removes with `removeWorktree`. The user's own is left alone, and
 * no hook of the repository is run.
 *
 * @param checkout - the user's
 * @param commit - which
 * @returns its root
 * @throws Error with what git says when it cannot be made
 */
export async function addWorktree(checkout: Checkout, commit: Commit): Promise<string> {
  const path = join(await temporaryFolder('worktree'), 'tree');
  const hooks = join(path, '..', 'no-hooks');
  try {
    await askGit(
      ...([checkout.root, '-c', `core.hooksPath=${hooks}`] as const),
      ...['worktree', 'add', '--quiet', '--detach', path, commit.hash],
    );
  } catch (error) {
    await removeWorktree(checkout, path);
    throw error;
  }
  return path;
}

/**
 * Removes a work tree that `addWorktree` made, with whatever was built in it.
 *
 * @param checkout - the user's
 * @param path - the root of the work tree
 */
export async function removeWorktree(checkout: Checkout, path: string): Promise<void> {
  await rm(join(path, '..'), { recursive: true, force: true, maxRetries: 3 });
  // Git forgets a work tree whose folder is gone, if it is told to.
  await askGit(checkout.root, 'worktree', 'remove', '--force', path).catch(() => undefined);
}

/**
 * The branch that a revision names, without the remote that it is of.
 *
 * @param checkout - the user's
 * @param revision - as the user wrote it
 * @returns null where it names no branch
 */
export async function branchNamed({ root }: Checkout, revision: string): Promise<string | null> {
  if (revision.startsWith('-')) return null;
  const name = await askGit(root, 'rev-parse', '--symbolic-full-name', revision).catch(() => '');
  return /^refs\/(?:heads|remotes\/[^/]+)\/(.+)$/.exec(name)?.[1] ?? null;
}
