import { Command } from 'commander';
import { ResourceError } from '../base/errors.js';
import * as format from '../text/format.js';
import { openExisting, openForReading, type Db } from '../store/open.js';
import {
  deleteRuns,
  planPruning,
  shrinkDatabase,
  type PruneDecision,
  type PruneRule,
} from '../store/prune.js';
import { ageOf, countOf } from './flags.js';
import { listText } from './lists.js';
import { databaseIn, resultsOption } from './results.js';

interface PruneFlags {
  readonly results: string;
  readonly keep: number;
  readonly olderThan?: number;
  readonly suite?: string;
  readonly dryRun?: true;
}

/** `edgeflex runs prune`: deletes old runs. */
export function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'delete old runs with everything measured in them; never baselines, never runs that hold a noise floor',
    )
    .requiredOption('--keep <count>', 'keep so many runs of each suite, the newest that ended', countOf)
    .option('--older-than <age>', 'delete only runs older than this, such as 90d', ageOf)
    .option('--suite <suite>', 'delete only runs of this suite')
    .option('--dry-run', 'say what would go, and change nothing')
    .addOption(resultsOption())
    .addHelpText(
      'after',
      `
What is deleted cannot be brought back; reports that were written stay. A run that is going on is never deleted, and one that was
interrupted within a day stays, too. Runs that were interrupted, or in which nothing was measured, do not count as kept.

Examples:
  edgeflex runs prune --keep 20 --dry-run
  edgeflex runs prune --keep 5 --older-than 90d --suite cifar10`,
    )
    .action(async (_: unknown, command: Command) => {
      // "runs" has --results, too, and takes it wherever it stands.
      const flags = command.optsWithGlobals<PruneFlags>();
      const path = databaseIn(flags.results);
      const now = Date.now();
      const rule: PruneRule = {
        keep: flags.keep,
        before: flags.olderThan === undefined ? undefined : new Date(now - flags.olderThan).toISOString(),
        suite: flags.suite,
      };
      const db = flags.dryRun ? await openForReading(path) : await openExisting(path);
      try {
        const decisions = await planPruning(db, rule, now);
        const ids = decisions.filter(({ keptBecause }) => keptBecause === undefined).map(({ run }) => run.id);
        if (flags.dryRun) {
          console.log(tableOf(decisions, true));
          console.log(`${runsText(ids.length)} would be deleted.`);
        } else if (ids.length === 0) {
          console.log(tableOf(decisions, false));
          console.log('Nothing to delete.');
          await shrink(db, path);
        } else {
          await deleteRuns(db, ids);
          // Said once it is so.
          console.log(tableOf(decisions, false));
          console.log(`${runsText(ids.length)} deleted.`);
          await shrink(db, path);
        }
      } finally {
        await db.destroy();
      }
    });
}

/** Makes the database smaller, also by what an earlier call has deleted without having room for that. */
async function shrink(db: Db, path: string): Promise<void> {
  try {
    const freed = await shrinkDatabase(db);
    if (freed > 0) console.log(`The database is ${format.mebibytes(freed)} smaller.`);
  } catch (error) {
    if (!(error instanceof ResourceError)) throw error;
    throw new ResourceError(
      `${path}: the disk is full: what was deleted is gone, but there is no room for the copy that makes the database smaller\n` +
        'What is stored next fills the space. Make room, and the same command again makes it smaller.',
      { cause: error },
    );
  }
}

function tableOf(decisions: readonly PruneDecision[], dry: boolean): string {
  return listText(
    { run: 'run', suite: 'suite', started: 'started (UTC)', fate: 'what becomes of it' },
    decisions.map(({ run: { id, suite, startedAt }, keptBecause }) => ({
      ...{ run: id, suite, started: format.moment(startedAt).replace(' UTC', '') },
      fate: keptBecause === undefined ? (dry ? 'would be deleted' : 'deleted') : `stays: ${keptBecause}`,
    })),
  );
}

function runsText(count: number): string {
  return `${format.integer(count)} ${count === 1 ? 'run' : 'runs'}`;
}
