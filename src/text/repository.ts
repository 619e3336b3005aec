import type { UntoldCommit } from '../base/untold.js';
import { oneLine } from './format.js';

/**
 * Why the commit of a checkout is not known, and what to do about it.
 *
 * @param commit - what is stored in place of it
 */
export function untoldText({ untold, said }: UntoldCommit): string {
  switch (untold) {
    case 'dubious-ownership':
      return 'The commit is unknown: the checkout belongs to another user, and git does not read it (git config --global --add safe.directory <its path>).';
    case 'no-git':
      return 'The commit is unknown: there is a checkout, but git is not installed.';
    case 'git-failed':
      return `The commit is unknown: git failed in the checkout${said && ` (${oneLine(said)})`}.`;
  }
}
