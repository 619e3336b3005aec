import { Command } from 'commander';
import { withResults } from '../../library/results.js';
import type { RunSummary } from '../../store/read.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText } from '../output/lists.js';
import { pruneCommand } from './prune.js';
import { placeOptions } from '../options/results.js';
import { exportCommand, importCommand, pullCommand, pushCommand } from './transfer.js';

/** `edgeflex runs`: lists stored runs, deletes old ones, and moves runs between stores. */
export function runsCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('runs')
    // Options after "prune" are its own, also those that "runs" has, too.
    .enablePositionalOptions()
    .addCommand(pruneCommand())
    .addCommand(pushCommand())
    .addCommand(pullCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand())
    .addOption(results)
    .addOption(db)
    .option('--json', 'print the list as JSON')
    .action(async (flags: { readonly results: string; readonly json?: true }) => {
      const runs = await withResults(flags.results, { readonly: true }, (results) => results.runs());
      if (flags.json) printJson('runs', runs);
      else console.log(runs.length > 0 ? tableOf(runs) : 'No runs stored yet.');
    });
  return explained(command, {
    examples: ['edgeflex runs', ['edgeflex runs --json | jq -r ".[0].id"', 'the id of the newest run']],
  });
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
