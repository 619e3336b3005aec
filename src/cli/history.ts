import { Command, Option } from 'commander';
import { InputError } from '../base/errors.js';
import { historyDocument } from '../report/history/document.js';
import { historyFindings } from '../analysis/history/findings.js';
import { HistoryBuilder, type History } from '../analysis/history/history.js';
import { historyMetrics, type HistoryMetric } from '../analysis/history/points.js';
import { historyText } from '../text/history/terminal.js';
import { writeHistory } from '../report/history/write.js';
import { referenceRun } from '../store/baselines.js';
import { openForReading, type Db } from '../store/open.js';
import { hasFigures, runsOf } from '../store/newest.js';
import { listRuns, loadRun, runsBeginning } from '../store/read.js';
import { exitCodes } from './failure.js';
import { pointsOf, shareOf } from './flags.js';
import { stateText } from './newest.js';
import { databaseIn, reportsOption, resultsOption } from './results.js';

interface HistoryFlags {
  readonly metric?: HistoryMetric;
  readonly cell?: string;
  readonly threshold: number;
  readonly accuracyThreshold: number;
  readonly since?: string;
  readonly failOnRegression?: true;
  readonly results: string;
  readonly reports: string;
  readonly json?: true;
}

/** `edgeflex history`: what became of a suite's figures from commit to commit. */
export function historyCommand(): Command {
  return new Command('history')
    .description("follow a suite's figures over its runs: where they changed, and in which commits")
    .argument('<suite>', 'the name of a suite, as "edgeflex runs" shows it')
    .addOption(new Option('--metric <metric>', 'only this figure').choices(historyMetrics))
    .option('--cell <pattern>', 'only cells whose name holds this; * stands for anything')
    .addOption(
      new Option('--threshold <share>', 'latency, memory and files: changes count from this size on')
        .argParser(shareOf)
        .default(0.02, '2%'),
    )
    .addOption(
      new Option('--accuracy-threshold <points>', 'top-1: changes count from this size on')
        .argParser(pointsOf)
        .default(0.003, '0.3pt'),
    )
    .option('--since <run>', 'leave out what was measured before this run or baseline')
    .option(
      '--fail-on-regression',
      'exit with 1 when a figure is worse now: by its newest change, or creeping',
    )
    .addOption(resultsOption())
    .addOption(reportsOption())
    .option('--json', 'print the history as JSON instead, and write nothing')
    .addHelpText(
      'after',
      `
Runs stand in the order of the commits that "edgeflex run" was started in. Figures of another processor, runtime, number of
threads or dataset are not compared: they begin a series of their own.

Examples:
  edgeflex history cifar10
  edgeflex history cifar10 --metric latency --cell 'int8*batch 8' --threshold 3%
  edgeflex history cifar10 --since main --fail-on-regression`,
    )
    .action(async (suite: string, flags: HistoryFlags) => {
      const db = await openForReading(databaseIn(flags.results));
      try {
        const history = await readHistory(db, suite, flags);
        if (flags.json) console.log(JSON.stringify(historyDocument(history), null, 2));
        else {
          const page = await writeHistory(history, flags.reports);
          console.log(`${historyText(history)}\n\nReport: ${page}`);
        }
        if (flags.failOnRegression && historyFindings(history).worseNow.length > 0)
          process.exitCode = exitCodes.gate;
      } finally {
        await db.destroy();
      }
    });
}

async function readHistory(db: Db, suite: string, flags: HistoryFlags): Promise<History> {
  const { metric, cell, threshold, accuracyThreshold, since } = flags;
  const runs = await runsBeginning(db, '');
  const summaries = runsOf(await listRuns(db), suite, 'history');
  const leftOut = summaries.filter((run) => !hasFigures(run));
  if (leftOut.length > 0)
    console.error(['left out:', ...leftOut.map((run) => `  ${run.id}, ${stateText(run)}`)].join('\n'));
  const own = runs.filter(({ id }) => summaries.some((run) => run.id === id && hasFigures(run)));
  if (own.length === 0)
    throw new InputError({
      source: 'history',
      found: `no run of ${suite} that has ended with something measured`,
      expected: 'one at least',
      hint: '"edgeflex run" with --resume goes on with one that was interrupted.',
    });
  const builder = new HistoryBuilder({
    suite,
    metrics: metric === undefined ? historyMetrics : [metric],
    wants: wanted(cell),
    thresholds: { ratio: threshold, accuracy: accuracyThreshold },
  });
  for (const run of own) builder.add(await loadRun(db, run));
  const names = builder.names();
  if (names.length === 0)
    throw new InputError({
      source: metric === undefined ? 'history' : '--metric',
      found:
        metric === undefined
          ? `no figure in the runs of ${suite}`
          : `${metric}, which no run of ${suite} has`,
      expected:
        metric === undefined
          ? 'one at least'
          : `a figure that was measured, out of ${historyMetrics.join(', ')}`,
    });
  const first = since === undefined ? undefined : (await referenceRun(db, since, suite)).id;
  const history = builder.history(first);
  if (first !== undefined && !history.runs.some(({ id }) => id === first))
    throw new InputError({
      source: '--since',
      found: `run ${first}, in which no figure that is asked for was measured`,
      expected: `one of ${history.runs.map(({ id }) => id).join(', ')}`,
    });
  if (cell !== undefined && history.cells.length === 0)
    throw new InputError({
      source: '--cell',
      found: `${cell}, which no measured cell has in its name`,
      expected: `part of one of ${names.join(', ')}`,
    });
  return history;
}

/** Whether a name holds a pattern, upper or lower case. */
function wanted(pattern = ''): (name: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(parts.join('.*'), 'i');
  return (name) => expression.test(name);
}
