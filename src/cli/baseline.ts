import { Command } from 'commander';
import { defined } from '../base/defined.js';
import { InputError } from '../base/errors.js';
import * as format from '../text/format.js';
import { listBaselines, referenceRun, removeBaseline, setBaseline } from '../store/baselines.js';
import { openExisting, openForReading, type Db } from '../store/open.js';
import { listRuns, type RunSummary } from '../store/read.js';
import { listText } from './lists.js';
import { runsOf } from '../store/newest.js';
import { announcedNewest } from './newest.js';
import { databaseIn, resultsOption } from './results.js';

interface Flags {
  readonly results: string;
  readonly suite?: string;
}

/** `edgeflex baseline`: names runs that later ones are compared with. */
export function baselineCommand(): Command {
  return new Command('baseline')
    .description('name runs that later ones are compared with; "runs prune" never deletes them')
    .addCommand(setCommand())
    .addCommand(listCommand())
    .addCommand(rmCommand());
}

function setCommand(): Command {
  return new Command('set')
    .description('give a run a name; a name belongs to one run of a suite, and moves')
    .argument('<name>', 'such as main, or v1.2')
    .argument(
      '[run]',
      'a run, the beginning of its id, or another baseline; left out, the newest that has ended',
    )
    .option('--suite <suite>', 'look only at runs of this suite')
    .option('--force', 'also a run that has not ended')
    .addOption(resultsOption())
    .addHelpText(
      'after',
      `
Examples:
  edgeflex baseline set main                       the newest run that has ended
  edgeflex baseline set main --suite cifar10       the newest of that suite
  edgeflex baseline set v1.2 20261122-1015`,
    )
    .action(async (name: string, word: string | undefined, flags: Flags & { readonly force?: true }) => {
      const db = await openExisting(databaseIn(flags.results));
      try {
        const run = await chosenRun(db, word, flags.suite);
        if (run.endedAt === null && flags.force !== true)
          throw new InputError({
            source: 'baseline',
            found: `run ${run.id}, which has not ended: ${run.pending} of ${run.cells} cells are missing`,
            expected: 'a run that has ended',
            hint: `Go on with it ("edgeflex run" with --resume ${run.id}), or take it as it is with --force.`,
          });
        const before = await setBaseline(db, name, run, new Date().toISOString());
        const moved = before === undefined || before === run.id ? '' : `, no longer ${before}`;
        console.log(`${name} of ${run.suite} is run ${run.id} of ${format.moment(run.startedAt)}${moved}`);
        if (run.failed > 0)
          console.log(`${run.failed} of its ${run.cells} cells failed: nothing can be compared with them`);
      } finally {
        await db.destroy();
      }
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('list baselines')
    .option('--suite <suite>', 'only those of this suite')
    .option('--json', 'print them as JSON')
    .addOption(resultsOption())
    .action(async (flags: Flags & { readonly json?: true }) => {
      const db = await openForReading(databaseIn(flags.results));
      try {
        const runs = await listRuns(db);
        const ofSuite = runsOf(runs, flags.suite).map(({ id }) => id);
        const baselines = (await listBaselines(db))
          .filter(({ run_id }) => ofSuite.includes(run_id))
          .map(({ suite, name, run_id, set_at }) => ({
            ...{ suite, name, runId: run_id, setAt: set_at },
            startedAt: defined(
              runs.find(({ id }) => id === run_id),
              `run ${run_id}`,
            ).startedAt,
          }));
        if (flags.json) console.log(JSON.stringify(baselines, null, 2));
        else if (baselines.length === 0)
          console.log(
            `There are no baselines${flags.suite === undefined ? '' : ` of ${flags.suite}`}: "edgeflex baseline set <name>" makes one.`,
          );
        else
          console.log(
            listText(
              { suite: 'suite', name: 'baseline', run: 'run', started: 'started', set: 'set' },
              baselines.map(({ suite, name, runId, startedAt, setAt }) => ({
                ...{ suite, name, run: runId },
                ...{ started: format.moment(startedAt), set: format.moment(setAt) },
              })),
            ),
          );
      } finally {
        await db.destroy();
      }
    });
}

function rmCommand(): Command {
  return new Command('rm')
    .description('take a name away; the run stays, but "runs prune" may delete it then')
    .argument('<name>', 'a baseline')
    .option('--suite <suite>', 'needed where several suites have a baseline of that name')
    .addOption(resultsOption())
    .action(async (name: string, flags: Flags) => {
      const db = await openExisting(databaseIn(flags.results));
      try {
        runsOf(await listRuns(db), flags.suite);
        const { suite, run_id } = await removeBaseline(db, name, flags.suite);
        console.log(`${name} of ${suite} is gone; run ${run_id}, which it was, is still there`);
      } finally {
        await db.destroy();
      }
    });
}

/** The run that is to be a baseline. */
async function chosenRun(db: Db, word: string | undefined, suite: string | undefined): Promise<RunSummary> {
  if (word !== undefined) {
    const runs = runsOf(await listRuns(db), suite);
    const { id } = await referenceRun(db, word, suite);
    return defined(
      runs.find((run) => run.id === id),
      `run ${id}`,
    );
  }
  return (await announcedNewest(db, suite)).run;
}
