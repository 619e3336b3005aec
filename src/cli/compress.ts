import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { defined } from '../base/defined.js';
import { InputError } from '../base/errors.js';
import { refuseReplacing, writeOutputs, type OutputContent } from '../base/output.js';
import { allStages } from '../compress/registry.js';
import { datasetNames, datasetOf } from '../data/registry.js';
import { openDevice } from '../device/open.js';
import { localProfile } from '../device/local/kind.js';
import { readDeviceProfile } from '../device/profile.js';
import { mebibytes, parameters, seconds } from '../text/format.js';
import { stageLine } from '../text/stage-line.js';
import { stageSummaries } from '../analysis/stages.js';
import type { ModelRecord } from '../model/record.js';
import { modelNotes } from '../text/model-notes.js';
import { artifactOf, type Artifact } from '../run/artifacts/artifact.js';
import { locateData } from '../run/locate-data.js';
import { withFittingHead } from '../run/fit-head.js';
import { cardOf, loadModel, localModel } from '../model/load.js';
import { namedModel } from '../model/source.js';
import { fetchWords } from '../run/observer.js';
import { nodeEngine } from '../runtime/node.js';
import { readRecipe } from '../suite/read.js';
import { parseTarget, type Target } from '../search/target.js';
import { Bar } from './bar.js';
import { searched } from './compress-target.js';
import { exitCodes } from './failure.js';
import { batchSize, roundsFrom, seedOf } from './flags.js';
import { leftOf } from './progress.js';
import { registryText } from './lists.js';
import { stopOnSignal } from './stop.js';

interface CompressFlags {
  readonly recipe?: string;
  readonly target?: Target;
  readonly device?: string;
  readonly batch: number;
  readonly rounds: number;
  readonly output: string;
  readonly dataset?: string;
  readonly data?: string;
  readonly seed: number;
  readonly force?: true;
  readonly json?: true;
}

/** `edgeflex compress`: the pipeline alone. */
export function compressCommand(): Command {
  return new Command('compress')
    .description(
      'apply a recipe to a model, or search one that meets a target: the ONNX files and a report of every stage',
    )
    .argument(
      '<model>',
      'a directory or file with weights, an id of the Hugging Face Hub, or vit-tiny … vit-huge with weights from a seed',
    )
    .option('--recipe <file>', 'the recipe, such as suites/recipes/edgeflex.yaml')
    .option(
      '--target <goals>',
      'instead of a recipe, what it must reach: latency=6x,memory=-76%,accuracy-loss=0.5pt',
      parseTarget,
    )
    .option('--device <profile>', 'where peaks and latencies are measured; left out, this machine')
    .option('--batch <size>', 'images in a batch of the target', batchSize, 8)
    .option(
      '--rounds <number>',
      'fresh processes in which the candidates of a target are measured',
      // One says nothing of the next.
      roundsFrom(2),
      5,
    )
    .requiredOption('-o, --output <directory>', 'where model.onnx, preprocess.onnx and report.json go')
    .option(
      '--dataset <name>',
      `what to calibrate on: ${datasetNames().join(', ')}; left out, what the model's card names`,
    )
    .option('--data <directory>', 'where the images lie (or EDGEFLEX_DATA, or "edgeflex data fetch")')
    .option('--seed <number>', 'determines the calibration images', seedOf, 1)
    .option('--force', 'replace files in the output directory that EdgeFlex did not write; never its inputs')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Stages that a recipe can have ("edgeflex stages prune" shows the options of one):
${registryText(allStages())}

A target's goals are latency as 6x (than fp32) or 30ms, memory as -76% (of fp32's peak) or 200MiB, accuracy-loss as 0.5pt, on
training images held out. What was tried goes to search.json, the recipe that was chosen to recipe.yaml: --recipe applies it again.
Exit code 1 when none meets the target; the nearest is then what lies in the directory. docs/budgets.md says how it decides.

Examples:
  edgeflex compress suites/models/vit-micro-shapes10 --recipe suites/recipes/edgeflex.yaml -o out/
  edgeflex compress suites/models/vit-tiny-cifar10 --target latency=3x,accuracy-loss=0.5pt -o out/
  edgeflex compress vit-base --dataset cifar10 --target latency=5x,memory=-76% --device devices/raspberry-pi-5.yaml -o out/`,
    )
    .action(async (reference: string, flags: CompressFlags) => {
      const { target } = flags;
      if ((flags.recipe === undefined) === (target === undefined))
        throw new InputError({
          source: 'compress',
          found: target === undefined ? 'neither --recipe nor --target' : 'both --recipe and --target',
          expected: 'one of the two',
        });
      const { recipe, device: profilePath, force = false } = flags;
      const inputs = [reference, recipe, profilePath].filter((each) => each !== undefined);
      const outputOptions = { inputs, force };
      await refuseReplacing(flags.output, ['model.onnx', 'preprocess.onnx', 'report.json'], outputOptions);
      const given = flags.recipe === undefined ? undefined : await readRecipe(flags.recipe);
      const { signal, release } = stopOnSignal(() =>
        given ? 'Stopped.' : 'Stopped. What was made is in the cache: the same command finds it there.',
      );
      const bar = new Bar(process.stderr);
      let closing: (() => Promise<void>) | undefined;
      try {
        const named = await localModel(namedModel(reference), {
          signal,
          onProgress: (progress) => {
            bar.show(...fetchWords(progress));
          },
        });
        const card = await cardOf(named);
        const dataset = calibrationSet(flags.dataset, card?.dataset, reference);
        const data = await locateData(dataset, undefined, flags.data);
        const profile = flags.device === undefined ? localProfile() : await readDeviceProfile(flags.device);
        const device = await openDevice(profile);
        closing = () => device.close();
        const context = {
          engine: await nodeEngine(),
          threads: availableParallelism(),
          train: data.train,
          seed: flags.seed,
          device,
          signal,
          onProgress: (done: number, what: string, secondsLeft?: number): void => {
            bar.show(done, what, leftOf({ secondsLeft }));
          },
        };
        const model = await withFittingHead(await loadModel(named, data.train.labels), context);
        const found = target && (await searched(model, context, { ...flags, target, reference, bar }));
        const artifact = found?.artifact ?? (await artifactOf(model, defined(given, 'the recipe'), context));
        const report = {
          ...{
            model: reference,
            source: model.record,
            recipe: (found?.recipe ?? defined(given, 'the recipe')).name,
          },
          ...withoutPlace(artifact),
        };
        const files = new Map<string, OutputContent>();
        for (const name of await readdir(artifact.directory))
          if (name !== 'manifest.json') files.set(name, { copyOf: join(artifact.directory, name) });
        files.set('report.json', JSON.stringify(report, null, 2));
        for (const [name, text] of found?.files ?? []) files.set(name, text);
        await writeOutputs(flags.output, files, outputOptions);
        bar.end();
        if (flags.json)
          console.log(JSON.stringify(found ? { ...report, search: found.document } : report, null, 2));
        else {
          console.log(describe(model.record, artifact, flags.output));
          if (found) console.log(`\n${found.words}`);
        }
        if (found?.met === false) process.exitCode = exitCodes.gate;
      } finally {
        bar.end();
        release();
        await closing?.();
      }
    });
}

/** What to calibrate on: what the user named, or else what the model's card does. */
function calibrationSet(named: string | undefined, card: string | undefined, reference: string): string {
  if (named !== undefined) return datasetOf(named).name;
  if (card !== undefined && datasetNames().includes(card)) return card;
  throw new InputError({
    source: reference,
    place: 'card.json',
    found: card === undefined ? 'no card that names a dataset' : `the dataset ${card}`,
    expected: `one of ${datasetNames().join(', ')}`,
    hint: 'Name what to calibrate on with --dataset.',
  });
}

/** What of an artifact belongs into its report. */
function withoutPlace({ fileBytes, parameters: count, kernels, stages }: Artifact): object {
  return { fileBytes, parameters: count, kernels, stages };
}

function describe(record: ModelRecord, artifact: Artifact, output: string): string {
  const { stages, fileBytes, cached } = artifact;
  // As report.json holds them: JSON has no infinite SQNR.
  const lines = stageSummaries(JSON.parse(JSON.stringify(stages))).map((stage) => {
    const { parameters: count = 0, constantBytes = 0, seconds: took = 0 } = stage;
    const sizes = `${parameters(count)} parameters, ${mebibytes(constantBytes)} of constants, ${seconds(took)}`;
    return `  ${stage.stage.padEnd(9)}  ${stageLine(stage)}\n  ${''.padEnd(9)}  ${sizes}`;
  });
  return [
    ...modelNotes(record).map((note) => `  ${note}`),
    ...lines,
    `${join(output, 'model.onnx')}: ${parameters(artifact.parameters)} parameters in ${mebibytes(fileBytes)}${cached ? ' (from the cache)' : ''}`,
    `${join(output, 'report.json')}: every stage in detail`,
  ].join('\n');
}
