import type { UntoldRepository } from '../store/repository.js';

/**
 * Why it is not known which commit a run was started at, and what to do about it.
 *
 * @param repository - as the run has it
 */
export function untoldText({ untold, said }: UntoldRepository): string {
  switch (untold) {
    case 'dubious-ownership':
      return 'The commit is unknown: the checkout belongs to another user, and git does not read it (git config --global --add safe.directory <its path>).';
    case 'no-git':
      return 'The commit is unknown: the run was started in a checkout, but git is not installed.';
    case 'git-failed':
      return `The commit is unknown: git failed in the checkout${said && ` (${said.replace(/\p{Cc}/gu, ' ')})`}.`;
  }
}
