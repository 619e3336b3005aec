import { Command } from 'commander';
import { terminalTable } from '../report/terminal.js';
import { openForReading } from '../store/open.js';
import { listRuns, type RunSummary } from '../store/read.js';
import { databaseIn, resultsOption } from './results.js';

/** `edgeflex runs`: lists stored runs. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('list stored runs, the newest first')
    .addOption(resultsOption())
    .option('--json', 'print them as JSON')
    .action(async (flags: { readonly results: string; readonly json?: true }) => {
      const db = await openForReading(databaseIn(flags.results));
      try {
        const runs = await listRuns(db);
        console.log(flags.json ? JSON.stringify(runs, null, 2) : tableOf(runs));
      } finally {
        await db.destroy();
      }
    });
}

function tableOf(runs: readonly RunSummary[]): string {
  const left = (key: string, title: string): { key: string; title: string; align: 'left' } => ({
    key,
    title,
    align: 'left',
  });
  return terminalTable(
    {
      columns: [
        left('id', 'run'),
        left('suite', 'suite'),
        left('started', 'started (UTC)'),
        left('state', 'state'),
        left('cells', 'cells'),
      ],
      rows: runs.map(({ id, suite, startedAt, endedAt, cells, done, failed }) => ({
        id,
        suite,
        started: startedAt.slice(0, 19).replace('T', ' '),
        state: endedAt === null ? 'unfinished' : 'complete',
        cells: `${done} of ${cells}${failed > 0 ? `, ${failed} failed` : ''}`,
      })),
      notes: [],
    },
    process.stdout.isTTY,
  );
}
