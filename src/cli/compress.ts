import { cp, mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { Command, Option } from 'commander';
import { InputError } from '../base/errors.js';
import { datasetNames, type DatasetName } from '../data/open.js';
import { openDevice } from '../device/open.js';
import { localProfile } from '../device/profile.js';
import { mebibytes, parameters, seconds } from '../report/format.js';
import { stageLine } from '../report/stage-line.js';
import { stageSummaries } from '../report/stages.js';
import type { ModelRecord } from '../store/model-record.js';
import { modelNotes } from '../report/model-notes.js';
import { artifactOf, type Artifact } from '../run/artifact.js';
import { locateData } from '../run/locate-data.js';
import { withFittingHead } from '../run/fit-head.js';
import { cardOf, loadModel, localModel, namedModel } from '../run/model.js';
import { fetchWords } from '../run/observer.js';
import { nodeEngine } from '../runtime/node.js';
import { readRecipe } from '../suite/read.js';
import { Bar } from './bar.js';
import { leftOf } from './progress.js';
import { stopOnSignal } from './stop.js';

interface CompressFlags {
  readonly recipe: string;
  readonly output: string;
  readonly dataset?: DatasetName;
  readonly data?: string;
  readonly seed: number;
  readonly json?: true;
}

/** `edgeflex compress`: the pipeline alone. */
export function compressCommand(): Command {
  return new Command('compress')
    .description('apply a recipe to a model: the ONNX files and a report of every stage')
    .argument(
      '<model>',
      'a directory or file with weights, an id of the Hugging Face Hub, or vit-tiny … vit-huge with weights from a seed',
    )
    .requiredOption('--recipe <file>', 'the recipe, such as suites/recipes/edgeflex.yaml')
    .requiredOption('-o, --output <directory>', 'where model.onnx, preprocess.onnx and report.json go')
    .addOption(
      new Option('--dataset <name>', "what to calibrate on; left out, what the model's card names").choices(
        datasetNames,
      ),
    )
    .option('--data <directory>', 'where the images lie (or EDGEFLEX_DATA, or "edgeflex data fetch")')
    .option('--seed <number>', 'determines the calibration images', Number, 1)
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Example:
  edgeflex compress suites/models/vit-micro-shapes10 --recipe suites/recipes/edgeflex.yaml -o out/`,
    )
    .action(async (reference: string, flags: CompressFlags) => {
      const recipe = await readRecipe(flags.recipe);
      const { signal, release } = stopOnSignal();
      const bar = new Bar(process.stderr);
      try {
        const named = await localModel(namedModel(reference), {
          signal,
          onProgress: (progress) => {
            bar.show(...fetchWords(progress));
          },
        });
        const dataset = flags.dataset ?? datasetOf((await cardOf(named))?.dataset, reference);
        const data = await locateData(dataset, undefined, flags.data);
        const device = await openDevice(localProfile());
        const workshop = {
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
        const model = await withFittingHead(await loadModel(named, data.train.labels), workshop);
        const artifact = await artifactOf(model, recipe, workshop);
        await mkdir(flags.output, { recursive: true });
        await cp(artifact.directory, flags.output, {
          recursive: true,
          filter: (source) => basename(source) !== 'manifest.json',
        });
        const report = {
          ...{ model: reference, source: model.record, recipe: recipe.name },
          ...withoutPlace(artifact),
        };
        await writeFile(join(flags.output, 'report.json'), JSON.stringify(report, null, 2));
        bar.end();
        console.log(
          flags.json ? JSON.stringify(report, null, 2) : describe(model.record, artifact, flags.output),
        );
      } finally {
        bar.end();
        release();
      }
    });
}

function datasetOf(name: string | undefined, reference: string): DatasetName {
  const known = datasetNames.find((each) => each === name);
  if (known) return known;
  throw new InputError({
    source: reference,
    place: 'card.json',
    found: name === undefined ? 'no card that names a dataset' : `the dataset ${name}`,
    expected: `one of ${datasetNames.join(', ')}`,
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
