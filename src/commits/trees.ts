import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/errors.js';
import type { Commit } from '../base/commit.js';
import { addWorktree, removeWorktree, type Checkout } from './checkout.js';
import { setUp } from './setup.js';

/** A work tree that is ready, or why there is none. */
export type Tree =
  | {
      readonly kind: 'ready';
      /** The folder in it that corresponds to the user's working folder. */
      readonly directory: string;
    }
  /** What git, or the command that makes it ready, said. */
  | { readonly kind: 'failed'; readonly said: string };

/** Work trees of commits, each made ready by a command; they go with `close`. */
export class Trees {
  private readonly roots = new Map<string, string>();

  /**
   * @param checkout - the user's, which is left alone
   * @param setup - the command that makes a tree ready; undefined where nothing is to be done
   * @param signal - stops it
   */
  constructor(
    private readonly checkout: Checkout,
    private readonly setup: string | undefined,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Makes a work tree.
   *
   * @param commit - of which there is none yet
   * @throws the signal's reason when it fires
   */
  async add(commit: Commit): Promise<Tree> {
    this.signal.throwIfAborted();
    let root: string;
    try {
      root = await addWorktree(this.checkout, commit);
    } catch (error) {
      return { kind: 'failed', said: messageOf(error) };
    }
    this.roots.set(commit.hash, root);
    const directory = join(root, this.checkout.prefix);
    // The commit may not have the folder; a suite that comes with EdgeFlex can be run from it all the same.
    await mkdir(directory, { recursive: true });
    if (this.setup === undefined) return { kind: 'ready', directory };
    const said = await setUp(this.setup, directory, this.checkout.root, this.signal);
    return said === undefined ? { kind: 'ready', directory } : { kind: 'failed', said };
  }

  /**
   * Removes the work tree of a commit.
   *
   * @param commit - one without a tree has nothing to remove
   */
  async remove({ hash }: Commit): Promise<void> {
    const root = this.roots.get(hash);
    if (root === undefined) return;
    this.roots.delete(hash);
    await removeWorktree(this.checkout, root);
  }

  /** Removes all that are left. */
  async close(): Promise<void> {
    for (const root of this.roots.values()) await removeWorktree(this.checkout, root);
    this.roots.clear();
  }
}
