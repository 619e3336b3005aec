import { join } from 'node:path';
import { Command } from 'commander';
import { analyse } from '../report/analysis.js';
import { mainTable } from '../report/table.js';
import { terminalTable } from '../report/terminal.js';
import { executeSuite } from '../run/execute.js';
import { locateData } from '../run/locate-data.js';
import type { Resume } from '../run/record.js';
import { openStore } from '../store/open.js';
import { findRun, loadRun } from '../store/read.js';
import { readSuite } from '../suite/read.js';
import { exitCodes, Interrupted } from './failure.js';
import { ProgressView } from './progress.js';

interface RunFlags {
  readonly data?: string;
  readonly results: string;
  readonly resume?: true | string;
}

/** `edgeflex run`: executes a suite and reports it. */
export function runCommand(): Command {
  return new Command('run')
    .description('compress, measure and report everything a suite names')
    .argument('<suite>', 'a suite, such as suites/quickstart.yaml')
    .option('--data <directory>', 'where the images lie (or EDGEFLEX_DATA, or "edgeflex data fetch")')
    .option('--results <directory>', 'where the results database lies', 'results')
    .option('--resume [run]', 'go on with an interrupted run: the newest of this suite, or the one named')
    .action(async (path: string, flags: RunFlags) => {
      const suite = await readSuite(path);
      const data = await locateData(suite.data.name, suite.data.path, flags.data);
      const db = await openStore(join(flags.results, 'edgeflex.db'));
      const stop = new AbortController();
      const view = new ProgressView(process.stderr);
      const onSignal = (): void => {
        stop.abort(new Interrupted('stopped'));
      };
      process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
      try {
        const outcome = await executeSuite(suite, {
          db,
          data,
          command: ['edgeflex', ...process.argv.slice(2)].join(' '),
          resume: (flags.resume ?? false) satisfies Resume,
          observer: view,
          signal: stop.signal,
        });
        view.end();
        const analysis = analyse(await loadRun(db, await findRun(db, outcome.id)));
        console.log(terminalTable(mainTable(analysis), process.stdout.isTTY));
        if (outcome.failedCells > 0) process.exitCode = exitCodes.device;
      } catch (error) {
        view.end();
        if (stop.signal.aborted && view.runId !== undefined)
          throw new Interrupted(
            `Stopped. What was measured is stored; this goes on with the rest:\n  edgeflex run ${path} --resume ${view.runId}`,
          );
        throw error;
      } finally {
        process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
        await db.destroy();
      }
    });
}
