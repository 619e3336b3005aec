import { isOnBranch, usualBranch, type BranchFacts } from '../analysis/history/branches.js';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import { branchLine, defaultBranch } from '../commits/branch-line.js';
import { repositoryOf } from '../store/repository.js';

/** What is known of a run without loading it. */
type RunOfBranch = Parameters<typeof repositoryOf>[0] & { readonly started_at: string };

/**
 * The runs that belong to the history of a branch.
 *
 * @param runs - of one suite
 * @param wanted - the branch; `*` for all; undefined for the default branch of the repository, where runs are of several
 * @param directory - in the checkout whose git is asked
 * @throws InputError when no run is of the branch
 */
export async function runsOnBranch<Run extends RunOfBranch>(
  runs: readonly Run[],
  wanted: string | undefined,
  directory: string,
): Promise<{ readonly runs: readonly Run[]; readonly branch: BranchFacts }> {
  const every = { runs, branch: { name: undefined, others: [] } };
  if (wanted === '*') return every;
  const known = runs.map((run) => ({ run, repository: repositoryOf(run) }));
  const newestFirst = [...known].sort((a, b) => (a.run.started_at < b.run.started_at ? 1 : -1));
  const recorded = newestFirst.map(({ repository }) => repository?.branch ?? null);
  const name = wanted ?? usualBranch(recorded, await defaultBranch(directory, process.env));
  if (name === undefined) return every;
  const line = await branchLine(directory, name);
  const own = known.filter(({ repository }) => isOnBranch(repository, name, line));
  const names = [...new Set(recorded)].filter((each) => each !== null).sort();
  // Runs of which nobody knows the branch are no reason to believe in a branch that nobody knows.
  if (own.length === 0 || (line === undefined && !names.includes(name)))
    throw new InputError({
      source: '--branch',
      found: `${name}, of which there is no run${didYouMean(name, names)}`,
      expected: names.length > 0 ? `one of ${names.join(', ')}, or * for all` : '* for all',
    });
  const others = new Map<string | undefined, number>();
  for (const each of known) {
    if (own.includes(each)) continue;
    const branch = each.repository?.branch ?? undefined;
    others.set(branch, (others.get(branch) ?? 0) + 1);
  }
  return {
    runs: own.map(({ run }) => run),
    branch: { name, others: [...others].map(([branch, count]) => ({ branch, runs: count })) },
  };
}
