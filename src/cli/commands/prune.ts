import { Command } from 'commander';
import { pruneRuns } from '../../library/prune.js';
import type { PruneDecision } from '../../store/prune.js';
import * as format from '../../text/format.js';
import { keptText } from '../../text/pruning.js';
import { ageOf, countOf } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson, type PruneJson } from '../json.js';
import { listText } from '../output/lists.js';
import { placeOptions } from '../options/results.js';

interface PruneFlags {
  readonly results: string;
  readonly keep: number;
  readonly olderThan?: number;
  readonly suite?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `edgeflex runs prune`: deletes old runs. */
export function pruneCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('prune')
    .description('delete old runs with all their measurements; never baselines or calibrations in use')
    .requiredOption(
      '--keep <count>',
      'number of finished runs to keep for each suite, the newest ones',
      countOf,
    )
    .option('--older-than <age>', 'delete only runs older than this, such as 90d', ageOf)
    .option('--suite <suite>', 'delete only runs of this suite')
    .option('--dry-run', 'only show what would be deleted')
    .option('--json', 'print the decisions as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (_: unknown, command: Command) => {
      // "runs" has --results, too, and takes it wherever it stands.
      const flags = command.optsWithGlobals<PruneFlags>();
      const { keep, olderThan, suite, dryRun = false } = flags;
      const before = olderThan === undefined ? undefined : new Date(Date.now() - olderThan);
      const { decisions, freedBytes, unshrunk } = await pruneRuns(flags.results, {
        ...{ keep, before, suite, dryRun },
      });
      if (flags.json) printJson('runs prune', documentOf(decisions, dryRun, freedBytes));
      else {
        const deleted = decisions.filter(({ reasons }) => reasons.length === 0);
        console.log(tableOf(decisions, dryRun));
        console.log(endText(deleted.length, dryRun));
        if (freedBytes > 0) console.log(`The database is ${format.mebibytes(freedBytes)} smaller.`);
      }
      if (unshrunk !== undefined) throw unshrunk;
    });
  return explained(command, {
    notes: [
      'Deleted runs cannot be restored; reports already written stay. A run in progress, or one interrupted within the last day, is never deleted. Interrupted runs, and runs without results, do not count towards --keep.',
    ],
    examples: [
      'edgeflex runs prune --keep 20 --dry-run',
      'edgeflex runs prune --keep 5 --older-than 90d --suite cifar10',
    ],
  });
}

function tableOf(decisions: readonly PruneDecision[], dry: boolean): string {
  return listText(
    { run: 'run', suite: 'suite', started: 'started (UTC)', fate: 'decision' },
    decisions.map(({ run: { id, suite, startedAt }, reasons }) => ({
      ...{ run: id, suite, started: format.moment(startedAt).replace(' UTC', '') },
      fate: reasons.length === 0 ? (dry ? 'would be deleted' : 'deleted') : `kept: ${keptText(reasons)}`,
    })),
  );
}

function documentOf(decisions: readonly PruneDecision[], dryRun: boolean, freedBytes: number): PruneJson {
  return {
    ...{ dryRun, freedBytes },
    runs: decisions.map(({ run: { id, suite, startedAt }, reasons }) => ({
      ...{ id, suite, startedAt },
      deleted: reasons.length === 0 && !dryRun,
      keptBecause: reasons.length === 0 ? null : keptText(reasons),
    })),
  };
}

function endText(count: number, dry: boolean): string {
  if (dry) return `${runsText(count)} would be deleted.`;
  return count === 0 ? 'Nothing to delete.' : `${runsText(count)} deleted.`;
}

function runsText(count: number): string {
  return `${format.integer(count)} ${count === 1 ? 'run' : 'runs'}`;
}
