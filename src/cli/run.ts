import { Command, Option } from 'commander';
import { reportDocument } from '../report/document.js';
import type { Analysis } from '../analysis/analysis.js';
import { limitsTable } from '../text/limits.js';
import { mainTable } from '../text/table.js';
import { terminalTable } from '../text/terminal.js';
import { writeReport } from '../report/write.js';
import { InputError } from '../base/errors.js';
import { executeSuite } from '../run/execute.js';
import { locateData } from '../run/locate-data.js';
import { namedModel } from '../model/source.js';
import { hasFigures } from '../store/newest.js';
import { openStore } from '../store/open.js';
import { listRuns } from '../store/read.js';
import { loadedPlugins, loadPlugins } from '../plugins/load.js';
import { pluginsOf, readSuite, withOverrides } from '../suite/read.js';
import { precisionSchema, tiers, type Tier } from '../suite/schema.js';
import { batchSizes, collected, roundsFrom, wholeNumber } from './flags.js';
import { exitCodes, Interrupted } from './failure.js';
import { RunProgress } from './progress.js';
import { databaseIn, reportsOption, resultsOption, storedAnalysis } from './results.js';
import { stopOnSignal } from './stop.js';
import { shellWords } from './words.js';

interface RunFlags {
  readonly model?: string;
  readonly data?: string;
  readonly device: readonly string[];
  readonly images?: number;
  readonly batch?: readonly number[];
  readonly tier?: Tier;
  readonly rounds?: number;
  readonly results: string;
  readonly reports: string;
  readonly resume?: true | string;
  readonly precision?: number;
  readonly json?: true;
}

/** `edgeflex run`: executes a suite and reports it. */
export function runCommand(): Command {
  return new Command('run')
    .description('compress, measure and report everything a suite names')
    .argument('<suite>', 'a suite, such as suites/quickstart.yaml')
    .option('--data <directory>', 'where the images lie (or EDGEFLEX_DATA, or "edgeflex data fetch")')
    .addOption(
      new Option('--device <profile>', 'measure on this; may be given several times')
        .argParser(collected)
        .default([], "the suite's devices"),
    )
    .option('--images <n>', 'score the first n test images only', wholeNumber)
    .option('--batch <sizes>', "time these batch sizes instead of the suite's, such as 1,8", batchSizes)
    .addOption(
      new Option('--tier <tier>', 'how long each is timed instead of what the suite says').choices(
        Object.keys(tiers),
      ),
    )
    .option('--rounds <n>', 'fresh processes that this time is divided among', roundsFrom(1))
    .option(
      '--model <model>',
      "another model in place of the suite's: a directory or file with weights, an id of the Hugging Face Hub (owner/name, or owner/name@revision), or vit-tiny … vit-huge",
    )
    .addOption(resultsOption())
    .addOption(reportsOption())
    .option(
      '--resume [run]',
      'go on with an interrupted run, or try failed cells again: the newest of this suite, or the one named',
    )
    .option(
      '--precision <share>',
      'measure more rounds until each speed against fp32 is known to so much, such as 1%',
      precisionOf,
    )
    .option('--json', 'print the report as JSON instead of the table')
    .addHelpText(
      'after',
      `
What is measured is stored at once: after Ctrl-C, a crash or a failed cell, --resume measures only the rest.
Compressed models are kept in the cache; a second run of the same suite begins to measure at once.

Examples:
  edgeflex run suites/quickstart.yaml
  edgeflex run suites/cifar10.yaml --data ~/datasets
  edgeflex run suites/cifar10.yaml --images 64 --batch 1 --tier rapid --rounds 1 \\
    --device devices/local-cpu.yaml --device devices/browser-wasm.yaml
  edgeflex run suites/cifar10.yaml --precision 1%
  edgeflex run suites/vit-base-224.yaml --model google/vit-base-patch16-224
  edgeflex run suites/cifar10.yaml --resume

Of the Hub: HF_TOKEN opens private models, HF_ENDPOINT names another address.`,
    )
    .action(async (path: string, flags: RunFlags) => {
      const { device: devices, images, precision, batch: batches, tier, rounds } = flags;
      const model = flags.model === undefined ? undefined : namedModel(flags.model);
      const overrides = { model, devices, images, precision, batches, tier, rounds };
      await loadPlugins(await pluginsOf(path), path);
      const suite = withOverrides(await readSuite(path), overrides);
      const data = await locateData(suite.data.name, suite.data.path, flags.data);
      const db = await openStore(databaseIn(flags.results));
      const progress = new RunProgress(process.stderr);
      const { signal, release } = stopOnSignal();
      try {
        const outcome = await executeSuite(suite, {
          ...{ db, data, signal },
          command: shellWords(['edgeflex', ...process.argv.slice(2)]),
          resume: flags.resume ?? false,
          plugins: loadedPlugins(),
          observer: progress,
        });
        progress.end();
        const analysis = await storedAnalysis(db, outcome.id);
        const page = await writeReport(analysis, flags.reports);
        console.log(
          flags.json
            ? JSON.stringify(reportDocument(analysis), null, 2)
            : `${tables(analysis)}\n\nReport: ${page}`,
        );
        const run = (await listRuns(db)).find(({ id }) => id === outcome.id);
        if (outcome.failedCells > 0) {
          console.error(
            `${outcome.failedCells} of ${run?.cells ?? 0} cells failed; this tries them again:\n  ` +
              resumeCommand(process.argv.slice(2), flags.resume, outcome.id),
          );
          process.exitCode = exitCodes.device;
        } else if (run === undefined || !hasFigures(run)) {
          console.error('Nothing was measured: no device supports what it was to measure.');
          process.exitCode = exitCodes.device;
        }
      } catch (error) {
        progress.end();
        const stopped: unknown = signal.reason;
        if (stopped instanceof Interrupted && progress.runId !== undefined)
          throw new Interrupted(
            'Stopped. What was measured is stored; this goes on with the rest:\n  ' +
              resumeCommand(process.argv.slice(2), flags.resume, progress.runId),
            stopped.signal,
          );
        throw error;
      } finally {
        release();
        await db.destroy();
      }
    });
}

/** What the terminal shows of a run: the main table, and how far from the limit where that is known. */
function tables(analysis: Analysis): string {
  const limits = limitsTable(analysis);
  return [mainTable(analysis), ...(limits.rows.length > 0 ? [limits] : [])]
    .map((table) => terminalTable(table, process.stdout.isTTY, process.stdout.columns))
    .join('\n\n');
}

/**
 * The command that goes on with a run: the one that was given, asked to resume this run.
 *
 * @param given - its words
 * @param resumed - what it was asked to resume itself
 */
function resumeCommand(given: readonly string[], resumed: true | string | undefined, id: string): string {
  const at = given.findIndex((word) => /^--resume(=|$)/.test(word));
  const taken = typeof resumed === 'string' && given[at] === '--resume' ? 2 : 1;
  const words = at < 0 ? given : [...given.slice(0, at), ...given.slice(at + taken)];
  return shellWords(['edgeflex', ...words, '--resume', id]);
}

/** A share as users write it: `1%`, or `0.01`. */
function precisionOf(text: string): number {
  const [, digits, percent] = /^\s*(\d*\.?\d+)\s*(%?)\s*$/.exec(text) ?? [];
  // Shifted as decimals are, so that 1% is 0.01 to the last bit.
  const parsed = precisionSchema.safeParse(Number(percent ? `${digits}e-2` : digits));
  if (parsed.success) return parsed.data;
  throw new InputError({
    source: '--precision',
    found: text,
    expected: 'more than 0 % and less than 100 %, such as 1% or 0.01',
  });
}
