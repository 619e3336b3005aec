import type { Repository } from '../../store/repository.js';

/** The commits of a branch, as git tells: by first parents, so that those of branches that were merged into it are none of them. */
export interface BranchLine {
  readonly commits: ReadonlySet<string>;
  /** Whether all of them are known: a shallow clone has only the newest. */
  readonly whole: boolean;
}

/** Which runs a history is of. */
export interface BranchFacts {
  /** Undefined where runs of all branches are followed. */
  readonly name: string | undefined;
  /** Runs that were left out, by their branch: undefined where nobody knows it. */
  readonly others: readonly { readonly branch: string | undefined; readonly runs: number }[];
}

/**
 * Whether a run belongs to the history of a branch: it was recorded there, or it measured one of the branch's commits as it is. Where nobody
 * knows what code a run measured, or whether its commit is one of the branch's, it does.
 *
 * @param repository - what the run measured; null where nobody knows
 * @param branch - the branch
 * @param line - its commits; undefined where git does not know the branch
 */
export function isOnBranch(
  repository: Repository | null,
  branch: string,
  line: BranchLine | undefined,
): boolean {
  if (repository === null || repository.branch === branch) return true;
  // Changes that were not committed are those of the branch they were made on.
  if (line?.commits.has(repository.commit) && !(repository.dirty && repository.branch !== null)) return true;
  return repository.branch === null && line?.whole !== true;
}

/** What the branch is called that others come from and go into, where nobody tells. */
const USUAL = ['main', 'master', 'trunk', 'develop'];

/**
 * The branch whose history is meant where none is named.
 *
 * @param recorded - the branches of the runs, the newest run first; null where it is unknown
 * @param own - the default branch of the repository, where git tells it
 * @returns undefined where all runs are of one branch, as far as it is known
 */
export function usualBranch(
  recorded: readonly (string | null)[],
  own: string | undefined,
): string | undefined {
  const names = [...new Set(recorded)].filter((name) => name !== null);
  if (names.length < 2) return undefined;
  return [own, ...USUAL].find((name) => name !== undefined && names.includes(name)) ?? names[0];
}
