import { Command, Option } from 'commander';
import { wrapped } from '../../base/wrap.js';
import { historyMetrics, type HistoryMetric } from '../../analysis/history/points.js';
import { history } from '../../library/history.js';
import { historyText } from '../../text/history/terminal.js';
import { stateText } from '../../text/run-state.js';
import { exitCodes } from '../failure.js';
import { explained } from '../help.js';
import { chartsOption } from '../options/charts-option.js';
import type { PrintFormat } from '../../report/charts/print.js';
import { addThresholds, type ThresholdFlags } from '../options/history-options.js';
import { printJson } from '../json.js';
import { openOption, openPage } from '../output/open-page.js';
import { reportsOption, placeOptions } from '../options/results.js';
import { remark, screenWidth } from '../output/screen.js';

interface HistoryFlags extends ThresholdFlags {
  readonly metric?: HistoryMetric;
  readonly cell?: string;
  readonly since?: string;
  readonly branch?: string;
  readonly failOnRegression?: true;
  readonly results: string;
  readonly reports: string;
  readonly charts: readonly PrintFormat[];
  readonly json?: true;
  readonly open?: true;
}

/** `edgeflex history`: what became of a suite's figures from commit to commit. */
export function historyCommand(): Command {
  const [results, db] = placeOptions();
  const command = addThresholds(
    new Command('history')
      .argument('<suite>', 'the name of a suite, as "edgeflex runs" shows it')
      .addOption(new Option('--metric <metric>', 'show only this metric').choices(historyMetrics))
      .option('--cell <pattern>', 'show only cells whose name contains this; * matches anything'),
  )
    .option('--since <run>', 'ignore everything before this run or baseline')
    .option(
      '--branch <name>',
      'follow this branch, * for all; default: the default branch, if there are runs of several',
    )
    .option('--fail-on-regression', 'exit with 1 if any metric is worse now, by a step or a slow drift')
    .addOption(results)
    .addOption(db)
    .addOption(reportsOption())
    .addOption(chartsOption())
    .option('--json', 'print the history as JSON and write no files')
    .addOption(openOption())
    .action(async (suite: string, flags: HistoryFlags) => {
      const { metric, cell, threshold, accuracyThreshold, cosineThreshold, since, branch } = flags;
      const metrics = metric === undefined ? undefined : [metric];
      const options = { metrics, cell, threshold, accuracyThreshold, cosineThreshold, since, branch };
      const found = await history(flags.results, suite, options);
      if (found.leftOut.length > 0)
        remark(['left out:', ...found.leftOut.map((run) => `  ${run.id}, ${stateText(run)}`)].join('\n'));
      if (flags.json) printJson('history', found.document);
      else {
        const page = await found.writeReport(flags.reports, { charts: flags.charts });
        const text = wrapped(historyText(found.history), screenWidth(), '  ').join('\n');
        console.log(`${text}\n\nReport: ${page}`);
        if (flags.open) await openPage(page);
      }
      if (flags.failOnRegression && found.isWorse) process.exitCode = exitCodes.gate;
    });
  return explained(command, {
    notes: [
      'A run belongs to a branch if it was started on it, or if git says that its commit is one of the branch (by first parents). Runs outside a repository belong to every branch.',
      'Runs are ordered by the commit that "edgeflex run" was started in. Results of another processor, runtime, thread count, dataset or recipe are not compared: they start a new series.',
    ],
    examples: [
      'edgeflex history cifar10',
      "edgeflex history cifar10 --metric latency --cell 'int8*batch 8' --threshold 3%",
      'edgeflex history cifar10 --since main --fail-on-regression',
    ],
  });
}
