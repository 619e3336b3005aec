import { z } from 'zod';
import { ResourceError } from '../base/errors.js';
import { databaseIn } from '../base/paths.js';
import type { Db } from '../store/open.js';
import { deleteRuns, planPruning, shrinkDatabase, type PruneDecision } from '../store/prune.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** Which runs are deleted. */
export interface PruneOptions {
  /** So many of each suite stay, the newest that ended with something measured. */
  readonly keep: number;
  /** Only runs that started before this moment are deleted; left out, however young. */
  readonly before?: Date | undefined;
  /** Only runs of this suite are deleted; left out, of any. */
  readonly suite?: string | undefined;
  /** Only say what would be deleted. */
  readonly dryRun?: boolean | undefined;
}

const optionsSchema = z.strictObject({
  keep: z.number().int().nonnegative(),
  before: z.date().optional(),
  suite: z.string().optional(),
  dryRun: z.boolean().default(false),
});

/** What became of runs that were to be deleted. */
export interface Pruned {
  /** A decision for each run that the options are about, the newest first. */
  readonly decisions: readonly PruneDecision[];
  /** Bytes that the database has become smaller by. */
  readonly freedBytes: number;
  /** Why the database could not be made smaller, though runs were deleted: the disk is full. What is stored next fills the space. */
  readonly unshrunk: ResourceError | undefined;
}

/**
 * Deletes old runs with everything that was measured in them; never baselines, calibrations that are in use, runs that a process works
 * on, or those that were interrupted within a day.
 *
 * @param results - open for writing, or their folder
 * @param options - which runs
 * @throws InputError when there is no run of the suite, or a process has begun to work on a run meanwhile: none is deleted then
 *
 * @example
 * ```ts
 * const { decisions } = await pruneRuns('results', { keep: 20, dryRun: true });
 * ```
 */
export async function pruneRuns(results: Results | string, options: PruneOptions): Promise<Pruned> {
  const { keep, before, suite, dryRun } = checkedOptions('pruneRuns', options, optionsSchema);
  return withResults(results, dryRun ? { readonly: true } : { existing: true }, async ({ db, directory }) => {
    const decisions = await planPruning(db, { keep, before: before?.toISOString(), suite }, Date.now());
    if (dryRun) return { decisions, freedBytes: 0, unshrunk: undefined };
    const ids = decisions.filter(({ reasons }) => reasons.length === 0).map(({ run }) => run.id);
    if (ids.length > 0) await deleteRuns(db, ids);
    return { decisions, ...(await shrink(db, databaseIn(directory))) };
  });
}

/** Makes the database smaller, also by what an earlier call has deleted without having room for that. */
async function shrink(db: Db, path: string): Promise<Pick<Pruned, 'freedBytes' | 'unshrunk'>> {
  try {
    return { freedBytes: await shrinkDatabase(db), unshrunk: undefined };
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error;
    const unshrunk = new ResourceError(
      `${path}: the disk is full: the runs were deleted, but there is no room for the copy that makes the database smaller\n` +
        'New results reuse the space. To shrink the file, free some disk space and repeat the command.',
      { cause: error },
    );
    return { freedBytes: 0, unshrunk };
  }
}
