import { Command } from 'commander';
import { analyse } from '../report/analysis.js';
import { mainTable } from '../report/table.js';
import { terminalTable } from '../report/terminal.js';
import { executeSuite } from '../run/execute.js';
import { locateData } from '../run/locate-data.js';
import { openStore } from '../store/open.js';
import { findRun, loadRun } from '../store/read.js';
import { readSuite } from '../suite/read.js';
import { exitCodes, Interrupted } from './failure.js';
import { RunProgress } from './progress.js';
import { databaseIn, resultsOption } from './results.js';
import { stopOnSignal } from './stop.js';

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
    .addOption(resultsOption())
    .option('--resume [run]', 'go on with an interrupted run: the newest of this suite, or the one named')
    .action(async (path: string, flags: RunFlags) => {
      const suite = await readSuite(path);
      const data = await locateData(suite.data.name, suite.data.path, flags.data);
      const db = await openStore(databaseIn(flags.results));
      const progress = new RunProgress(process.stderr);
      const { signal, release } = stopOnSignal();
      try {
        const outcome = await executeSuite(suite, {
          ...{ db, data, signal },
          command: ['edgeflex', ...process.argv.slice(2)].join(' '),
          resume: flags.resume ?? false,
          observer: progress,
        });
        progress.end();
        const analysis = analyse(await loadRun(db, await findRun(db, outcome.id)));
        console.log(terminalTable(mainTable(analysis), process.stdout.isTTY));
        if (outcome.failedCells > 0) process.exitCode = exitCodes.device;
      } catch (error) {
        progress.end();
        if (signal.aborted && progress.runId !== undefined)
          throw new Interrupted(
            `Stopped. What was measured is stored; this goes on with the rest:\n  edgeflex run ${path} --resume ${progress.runId}`,
          );
        throw error;
      } finally {
        release();
        await db.destroy();
      }
    });
}
