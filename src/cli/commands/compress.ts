import { Command, Option } from 'commander';
import { stageSummaries } from '../../analysis/stages.js';
import { allStages } from '../../compress/registry.js';
import { compress, type CompressEvent, type Compression, type SearchResult } from '../../library/compress.js';
import { imageNames } from '../../run/locate-data.js';
import { findingWords } from '../../search/findings.js';
import { searchTable, verdictWords } from '../../search/table.js';
import { suiteHeadKinds, type SuiteHeadKind } from '../../suite/head.js';
import { parseTarget, type Target } from '../../search/target.js';
import { mebibytes, parameters, seconds } from '../../text/format.js';
import { modelNotes } from '../../text/model-notes.js';
import { stageLine } from '../../text/stage-line.js';
import { Bar } from '../output/bar.js';
import { exitCodeOf, exitCodes } from '../failure.js';
import { batchSize, roundsFrom, searchTimeOf, seedOf } from '../options/flags.js';
import { explained } from '../help.js';
import { showImagesEvent } from '../output/images.js';
import { printJson } from '../json.js';
import { registryText, tableText } from '../output/lists.js';
import { leftOf } from '../output/progress.js';
import { stopOnSignal } from '../stop.js';

interface CompressFlags {
  readonly recipe?: string;
  readonly target?: Target;
  readonly budget?: number;
  readonly device?: string;
  readonly batch: number;
  readonly rounds: number;
  readonly output: string;
  readonly dataset?: string;
  readonly data?: string;
  readonly seed: number;
  readonly head: SuiteHeadKind;
  readonly force?: true;
  readonly json?: true;
}

/** `edgeflex compress`: the pipeline alone. */
export function compressCommand(): Command {
  const command = new Command('compress')
    .argument(
      '<model>',
      'a folder or file with weights, a Hugging Face Hub id, or vit-tiny … vit-huge with random weights',
    )
    .option('--recipe <recipe>', 'a recipe file, or a name listed by "edgeflex recipes"')
    .option(
      '--target <goals>',
      'search for a recipe that reaches this: latency=6x,memory=-76%,accuracy-loss=0.5pt',
      parseTarget,
    )
    .option(
      '--budget <time>',
      'how long to search (30min, 8h); without --target, for the Pareto front of latency, peak memory and accuracy',
      searchTimeOf,
    )
    .option('--device <profile>', 'the device to measure peaks and latencies on; default: this machine')
    .option('--batch <size>', 'batch size the target is for', batchSize, 8)
    .option(
      '--rounds <number>',
      'fresh processes to measure each candidate in',
      // One says nothing of the next.
      roundsFrom(2),
      5,
    )
    .requiredOption(
      '-o, --output <directory>',
      'output folder for model.onnx, preprocess.onnx and report.json',
    )
    .option(
      '--dataset <name>',
      `the images to calibrate on: ${imageNames().join(', ')}; default: those the model card names`,
    )
    .option(
      '--data <directory>',
      'the folder of the images (default: EDGEFLEX_DATA, or what "edgeflex data fetch" downloaded)',
    )
    .option('--seed <number>', 'seed that selects the calibration images', seedOf, 1)
    .addOption(
      new Option(
        '--head <kind>',
        'the classifier to fit if the model has none for the classes of the images; "none" compares features',
      )
        .choices(suiteHeadKinds)
        .default('ridge'),
    )
    .option('--force', 'overwrite files in the output folder that EdgeFlex did not write; never its inputs')
    .option('--json', 'print the report as JSON')
    .action(async (reference: string, flags: CompressFlags) => {
      const { signal, release } = stopOnSignal(
        () => 'Stopped. Finished work is in the cache: run the same command again to continue.',
      );
      const bar = new Bar(process.stderr);
      try {
        const { json, force = false, ...options } = flags;
        const job = compress(reference, { ...options, force, signal });
        for await (const event of job) show(event, bar);
        const made = await job;
        bar.end();
        const { report, search } = made;
        if (json) printJson('compress', search ? { ...report, search: search.document } : report);
        else console.log([describe(made), ...(search ? ['', searchWords(search, made)] : [])].join('\n'));
        if (search?.end.kind === 'stopped') process.exitCode = exitCodeOf(signal.reason);
        else if (search?.end.kind === 'failed') process.exitCode = exitCodes.device;
        else if (search?.met === false && flags.target) process.exitCode = exitCodes.gate;
      } finally {
        bar.end();
        release();
      }
    });
  return explained(command, {
    notes: [
      (width) =>
        `Stages a recipe can use ("edgeflex stages prune" shows the options of one):\n${registryText(allStages(), width)}`,
      'Goals of a target: latency as 6x (faster than fp32) or 30ms, memory as -76% (of the fp32 peak) or 200MiB, accuracy-loss as 0.5pt on held-out training images. search.json lists everything that was tried, recipe.yaml is the chosen recipe, ready for --recipe. Exit code 1 if no recipe meets the target; the closest one is then written.',
      'Without a target, --budget looks for recipes that no other beats in latency, peak memory and accuracy at once: front/1.yaml is the fastest of them, front/2.yaml the next, and model.onnx is the fastest that loses at most half a point. Once the first candidates have been measured, Ctrl-C ends a search with what is known by then. See docs/budgets.md.',
    ],
    examples: [
      'edgeflex compress vit-micro-shapes10 --recipe edgeflex -o out/',
      'edgeflex compress vit-micro-shapes10 --target latency=2x,accuracy-loss=1pt -o out/',
      'edgeflex compress vit-micro-shapes10 --budget 5min -o out/',
      'edgeflex compress vit-base --dataset cifar10 --target latency=5x,memory=-76% --device raspberry-pi-5 -o out/',
    ],
  });
}

function show(event: CompressEvent, bar: Bar): void {
  switch (event.kind) {
    case 'loading':
      bar.show(event);
      return;
    case 'opening-images':
    case 'leaks':
      showImagesEvent(event, bar);
      return;
    case 'compressing':
      bar.show({ task: 'compress', done: event.done, text: event.text, left: leftOf(event) });
      return;
    case 'finding':
      bar.line(`  ${findingWords(event.finding)}`);
      return;
  }
}

function describe({ report, files, cached }: Compression): string {
  // As report.json holds them: JSON has no infinite SQNR.
  const summaries = stageSummaries(JSON.parse(JSON.stringify(report.stages)));
  const width = Math.max(...summaries.map(({ stage }) => stage.length));
  const lines = summaries.map((stage) => {
    const { parameters: count = 0, constantBytes = 0, seconds: took = 0 } = stage;
    const sizes = `${parameters(count)} parameters, ${mebibytes(constantBytes)} of constants, ${seconds(took)}`;
    return `  ${stage.stage.padEnd(width)}  ${stageLine(stage)}\n  ${''.padEnd(width)}  ${sizes}`;
  });
  return [
    ...modelNotes(report.source).map((note) => `  ${note}`),
    ...lines,
    `${files.model}: ${parameters(report.parameters)} parameters in ${mebibytes(report.fileBytes)}${cached ? ' (from the cache)' : ''}`,
    `${files.report}: every stage in detail`,
  ].join('\n');
}

/** What a search found, for the terminal. */
function searchWords({ outcome }: SearchResult, { files }: Compression): string {
  return [
    tableText(searchTable(outcome)),
    '',
    ...verdictWords(outcome),
    `${files.recipe ?? ''}: the recipe, for --recipe and suites`,
    ...(files.front ? [`${files.front}: the recipes on the Pareto front, the fastest first`] : []),
    `${files.search ?? ''}: everything that was predicted and measured`,
  ].join('\n');
}
