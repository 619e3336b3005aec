import { Command } from 'commander';
import { openForReading } from '../store/open.js';
import { listRuns, type RunSummary } from '../store/read.js';
import { listText } from './lists.js';
import { pruneCommand } from './prune.js';
import { databaseIn, resultsOption } from './results.js';

/** `edgeflex runs`: lists stored runs, and deletes old ones. */
export function runsCommand(): Command {
  return (
    new Command('runs')
      .description('list stored runs, the newest first')
      // Options after "prune" are its own, also those that "runs" has, too.
      .enablePositionalOptions()
      .addCommand(pruneCommand())
      .addOption(resultsOption())
      .option('--json', 'print them as JSON')
      .action(async (flags: { readonly results: string; readonly json?: true }) => {
        const db = await openForReading(databaseIn(flags.results));
        try {
          const runs = await listRuns(db);
          if (flags.json) console.log(JSON.stringify(runs, null, 2));
          else console.log(runs.length > 0 ? tableOf(runs) : 'No run is stored yet.');
        } finally {
          await db.destroy();
        }
      })
  );
}

function tableOf(runs: readonly RunSummary[]): string {
  return listText(
    {
      ...{ id: 'run', suite: 'suite', started: 'started (UTC)' },
      ...{ state: 'state', cells: 'cells', baseline: 'baseline' },
    },
    runs.map(({ id, suite, startedAt, state, holder, cells, done, failed, baselines }) => ({
      ...{ id, suite },
      started: startedAt.slice(0, 19).replace('T', ' '),
      state: state === 'running' ? `running (process ${holder?.pid} on ${holder?.host})` : state,
      cells: `${done} of ${cells}${failed > 0 ? `, ${failed} failed` : ''}`,
      baseline: baselines.join(', '),
    })),
  );
}
