import { Command, Option } from 'commander';
import type { Analysis } from '../../analysis/analysis.js';
import { attributionTable, effectsTable } from '../../text/ablation/table.js';
import { answersText } from '../../text/answers.js';
import { limitsTable } from '../../text/limits.js';
import { loadTable } from '../../text/load.js';
import { refitTable } from '../../text/refit.js';
import { mainTable } from '../../text/table.js';
import { probeWritable } from '../../base/folder.js';
import { shellWords } from '../../base/shell-words.js';
import { withoutPassword } from '../../base/server-address.js';
import { writeFailure } from '../../base/write-failure.js';
import { analyse } from '../../library/analyse.js';
import { estimate } from '../../library/estimate.js';
import { run } from '../../library/run.js';
import { hasFigures } from '../../store/newest.js';
import type { RunSummary } from '../../store/read.js';
import { suiteHeadKinds, type SuiteHeadKind } from '../../suite/head.js';
import { collected, partOf } from '../options/flags.js';
import { estimateText } from './dry-run.js';
import { exitCodes, Interrupted } from '../failure.js';
import { givenCommand } from '../options/given.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { openOption, openPage } from '../output/open-page.js';
import { RunProgress } from '../output/progress.js';
import { sayWhatIsUndelivered } from '../output/undelivered.js';
import { reportsOption, resultsOption, sharedOption } from '../options/results.js';
import { devicesOption, scenarioOptions, type ScenarioFlags } from '../options/scenario-options.js';
import { stopOnSignal } from '../stop.js';
import { tableText } from '../output/lists.js';
import { screenWidth } from '../output/screen.js';

interface RunFlags extends ScenarioFlags {
  readonly model?: string;
  readonly raw: readonly string[];
  readonly data?: string;
  readonly device: readonly string[];
  readonly results: string;
  readonly db?: string;
  readonly reports: string;
  readonly resume?: true | string;
  readonly precision?: number;
  readonly head?: SuiteHeadKind;
  readonly refit?: true;
  readonly dryRun?: true;
  readonly json?: true;
  readonly open?: true;
}

/** `edgeflex run`: executes a suite and reports it. */
export function runCommand(): Command {
  const [images, batch, tier, rounds] = scenarioOptions(1);
  const command = new Command('run')
    .argument('<suite>', 'a suite file, or a name listed by "edgeflex suites"')
    .option(
      '--data <directory>',
      'the folder of the images (default: EDGEFLEX_DATA, or what "edgeflex data fetch" downloaded)',
    )
    .addOption(
      devicesOption(
        '--device <profile>',
        'measure on this device: a profile file, or a name listed by "edgeflex devices list"',
      ),
    )
    .addOption(images)
    .addOption(batch)
    .addOption(tier)
    .addOption(rounds)
    .option(
      '--model <model>',
      "measure this model instead of the suite's: a folder or file with weights, an .onnx file, a Hugging Face Hub id (owner/name or owner/name@revision), or vit-tiny … vit-huge",
    )
    .addOption(
      new Option('--raw <file>', 'an ONNX file to measure unchanged alongside the model; repeatable')
        .argParser(collected)
        .default([], 'none'),
    )
    .addOption(resultsOption())
    .addOption(sharedOption('also deliver what is measured to this database on a PostgreSQL server'))
    .addOption(reportsOption())
    .option(
      '--resume [run]',
      'continue an interrupted run or retry its failed cells; default: the newest run of this suite',
    )
    .option(
      '--precision <share>',
      'keep adding rounds until the 95 % interval of each speedup is this narrow, such as 1% for ±1 %',
      partOf,
    )
    .addOption(
      new Option(
        '--head <kind>',
        'the classifier to fit if the model has none for the classes of the images, instead of what the suite says; "none" compares features',
      ).choices(suiteHeadKinds),
    )
    .option('--refit', 'also measure every recipe with its head refitted')
    .addOption(
      new Option(
        '--dry-run',
        'print what would be measured, and an estimate of time and disk space; nothing is started',
      ).conflicts(['resume', 'open']),
    )
    .option('--json', 'print the report as JSON instead of the table')
    .addOption(openOption())
    .action(async (reference: string, flags: RunFlags) => {
      const { model, raw, data, images, batch: batches, tier, rounds, precision, head, refit } = flags;
      const wishes = {
        ...{ model, raw, data, images, batches, tier, rounds, precision, head, refit },
        devices: flags.device,
      };
      if (flags.dryRun) {
        const expected = await estimate(flags.results, reference, wishes);
        if (flags.json) printJson('run --dry-run', expected);
        else console.log(estimateText(expected));
        return;
      }
      // What could not be written in the end is known before anything is measured.
      await refuseUnwritable(flags.reports);
      const progress = new RunProgress(process.stderr);
      const { signal, release } = stopOnSignal();
      try {
        const ended = await progress.watch(
          run(flags.results, reference, {
            ...{ ...wishes, signal, resume: flags.resume ?? false, db: flags.db },
            command: givenCommand(),
          }),
        );
        const analysis = await analyse(flags.results, ended.id);
        const page = await analysis.writeReport(flags.reports);
        if (flags.json) printJson('run', analysis.document);
        else console.log(`${tables(analysis.analysis)}\n\nReport: ${page}`);
        if (flags.open) await openPage(page);
        sayWhatFailed(ended, flags.resume);
        sayWhatIsUndelivered(progress, flags);
      } catch (error) {
        const stopped: unknown = signal.reason;
        if (stopped instanceof Interrupted && progress.runId !== undefined)
          throw new Interrupted(
            'Stopped. Everything measured so far is stored; continue with:\n  ' +
              resumeCommand(process.argv.slice(2), flags.resume, progress.runId),
            stopped.signal,
          );
        throw error;
      } finally {
        release();
      }
    });
  return explained(command, {
    notes: [
      'Each measurement is stored as soon as it is made: after Ctrl-C, a crash or a failed cell, --resume measures only the rest. Compressed models are cached, so a second run of the same suite starts measuring at once.',
      'For the Hub, HF_TOKEN gives access to private models, and HF_ENDPOINT sets another address.',
    ],
    examples: [
      'edgeflex run quickstart',
      ['edgeflex run cifar10 --data ~/datasets', 'with images in another folder'],
      [
        'edgeflex run cifar10 --images 64 --batch 1 --tier rapid --rounds 1 --device browser-wasm',
        'a quick look at another device',
      ],
      ['edgeflex run my-suite.yaml --precision 1%', 'until speedups are known to ±1 %'],
      ['edgeflex run vit-base-224 --model google/vit-base-patch16-224', 'another model'],
      ['edgeflex run cifar10 --raw their-int8.onnx', 'alongside an unchanged ONNX file'],
      ['edgeflex run cifar10 --resume', 'continue the newest run of the suite'],
      ['edgeflex run ablation --dry-run', 'how long would it take?'],
    ],
  });
}

/** Says on standard error what of a run failed, and sets the exit code for it. */
function sayWhatFailed(ended: RunSummary, resumed: true | string | undefined): void {
  const { id, failed, cells } = ended;
  if (failed === 0 && hasFigures(ended)) return;
  process.exitCode = exitCodes.device;
  console.error(
    failed === 0
      ? 'Nothing was measured: no device supports any of the cells.'
      : `${failed} of ${cells} cells failed; retry them with:\n  ` +
          resumeCommand(process.argv.slice(2), resumed, id),
  );
}

/** @throws InputError when no report can be written there; nothing stays there */
async function refuseUnwritable(folder: string): Promise<void> {
  await probeWritable(folder).catch((error: unknown) => {
    throw writeFailure(folder, error, {
      kept: 'Nothing was measured.',
      hint: 'Choose another folder with --reports.',
    });
  });
}

/** What the terminal shows of a run: what it says in short, the main table, what the factors of its matrix do, what was borne under load, and how far from the limit where that is known. */
function tables(analysis: Analysis): string {
  const further = [
    effectsTable(analysis),
    attributionTable(analysis),
    refitTable(analysis),
    loadTable(analysis),
    limitsTable(analysis),
  ].filter(({ rows }) => rows.length > 0);
  return [...answersText(analysis, screenWidth()), ...[mainTable(analysis), ...further].map(tableText)].join(
    '\n\n',
  );
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
  return withoutPassword(shellWords(['edgeflex', ...words, '--resume', id]));
}
