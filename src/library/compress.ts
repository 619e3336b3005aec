import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { Job } from '../base/job.js';
import { MAX_BATCH, MAX_ROUNDS, MOST_SEARCH_SECONDS } from '../base/limits.js';
import { pathOf } from '../base/named.js';
import { refuseReplacing, writeOutputs, type OutputContent } from '../base/output.js';
import { withoutFile } from '../base/schema.js';
import { parseRecipe, type Recipe } from '../compress/recipe.js';
import { localProfile } from '../device/local/kind.js';
import { openDevice } from '../device/open.js';
import { readDeviceProfile } from '../device/profile.js';
import { cardOf, loadModelFor, localModel } from '../model/load.js';
import type { ModelRecord } from '../model/record.js';
import { namedModel } from '../model/source.js';
import { loadPlugins } from '../plugins/load.js';
import { artifactOf, type Artifact, type KeptStage } from '../run/artifacts/artifact.js';
import { refuseRefit, withFittingHead } from '../run/fit-head.js';
import { imageNames, knownImages } from '../run/locate-data.js';
import { fetchStep, type LoadingStep } from '../run/events.js';
import { nodeEngine } from '../runtime/node.js';
import type { End, Finding, SearchOutcome } from '../search/outcome.js';
import { frontFile, FRONT_FOLDER } from '../search/pareto-front.js';
import { searched } from '../search/searched.js';
import { parseTarget, type Target } from '../search/target.js';
import { headOfKind, suiteHeadKinds, type SuiteHeadKind } from '../suite/head.js';
import { readRecipe } from '../suite/read.js';
import { openImages, type ImagesEvent } from './images.js';
import { checkedOptions, fields, signalOf, type Stoppable } from './options.js';
import { HERE } from './run.js';

/** A recipe as its file has it. */
export interface RecipeDefinition {
  readonly name: string;
  /** One sentence for the report. */
  readonly description?: string;
  /** Each entry is one stage's name with its options: `{ prune: { ratio: 0.5 } }`. */
  readonly stages: readonly Readonly<Record<string, object>>[];
  /** How many images the finished model runs at once, whatever the batch; left out, whole batches. */
  readonly microBatch?: number;
}

/** What a model is compressed to. Paths are relative to the working folder. */
export interface CompressOptions extends Stoppable {
  /** The recipe: its file, the name of a built-in one, or the recipe itself. Either this, or `target` or `budget` or both. */
  readonly recipe?: string | RecipeDefinition | undefined;
  /** What must be reached, such as `latency=3x,accuracy-loss=0.5pt`: a recipe that meets it is then searched for. */
  readonly target?: string | Target | undefined;
  /**
   * How many seconds a search may take, at least one candidate in any case. Without a target it looks for the Pareto front of latency, peak
   * memory and accuracy, and `model.onnx` is the fastest that loses half a point at most.
   */
  readonly budget?: number | undefined;
  /** Folder that `model.onnx`, `preprocess.onnx` and `report.json` go to; all of them or none. */
  readonly output: string;
  /** Replace files there that EdgeFlex did not write; never its inputs. */
  readonly force?: boolean | undefined;
  /** Where peaks and latencies are measured: a profile's file or name; left out, this machine. */
  readonly device?: string | undefined;
  /** What to calibrate on; left out, what the model's card names. */
  readonly dataset?: string | undefined;
  /** Where those images lie. */
  readonly data?: string | undefined;
  /** Determines the calibration images; 1 if left out. */
  readonly seed?: number | undefined;
  /** The classifier that is fitted if the model has none for the classes of the images; `ridge` if left out, `none` compares features. */
  readonly head?: SuiteHeadKind | undefined;
  /** Images in a batch of the target; 8 if left out. */
  readonly batch?: number | undefined;
  /** Fresh processes in which candidates for a target are measured; 5 if left out, at least 2. */
  readonly rounds?: number | undefined;
  /** Plug-ins that bring stages or devices: paths that begin with `.` or `/`, or installed packages. */
  readonly plugins?: readonly string[] | undefined;
}

const optionsSchema = z.strictObject({
  ...fields,
  recipe: z
    .union([z.string(), z.custom<RecipeDefinition>(isObject, 'the name of a recipe, or a recipe')])
    .optional(),
  target: z.union([z.string(), z.custom<Target>(isObject, 'a target')]).optional(),
  budget: z.number().positive().max(MOST_SEARCH_SECONDS).optional(),
  output: z.string().min(1),
  force: z.boolean().default(false),
  device: z.string().optional(),
  dataset: z.string().optional(),
  seed: z.number().int().nonnegative().default(1),
  head: z.enum(suiteHeadKinds).default('ridge'),
  batch: z.number().int().positive().max(MAX_BATCH).default(8),
  rounds: z.number().int().min(2).max(MAX_ROUNDS).default(5),
});

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** What happens while a model is compressed. */
export type CompressEvent =
  | ImagesEvent
  /** The model is made ready: fetched, its images decoded, a head fitted. */
  | ({ readonly kind: 'loading' } & LoadingStep)
  /** How far the pipeline or the search is. */
  | {
      readonly kind: 'compressing';
      /** From 0 to 1. */
      readonly done: number;
      /** The stage and what it works on, in words. */
      readonly text: string;
      /** As far as it can be said. */
      readonly secondsLeft: number | undefined;
    }
  /** A search has found something out. */
  | { readonly kind: 'finding'; readonly finding: Finding };

/** What became of a model, as `report.json` holds it. */
export interface CompressReport {
  /** As the caller named it. */
  readonly model: string;
  /** Where it came from, and what was assumed of it. */
  readonly source: ModelRecord;
  /** Name of the recipe. */
  readonly recipe: string;
  /** Bytes of the model's files. */
  readonly fileBytes: number;
  readonly parameters: number;
  /** How often a run of the model executes the kernels that its quantised linears stand for. */
  readonly kernels: Readonly<Record<string, number>>;
  /** What each stage did, in their order. */
  readonly stages: readonly KeptStage[];
}

/** What a search gave besides the model. */
export interface SearchResult {
  /** Whether the recipe meets every goal of the target; without one, loses half a point at most. Where none does, it is the nearest. */
  readonly met: boolean;
  /** Why nothing more was measured. */
  readonly end: End;
  /** The recipe that was chosen: also in `recipe.yaml`, for suites. */
  readonly recipe: Recipe;
  /** Everything that was predicted and measured, as `search.json` holds it. */
  readonly document: object;
  /** @internal */
  readonly outcome: SearchOutcome;
}

/** A model that was compressed. */
export interface Compression {
  /** Paths of the files that were written, by what they are. */
  readonly files: {
    readonly model: string;
    readonly preprocess: string;
    readonly report: string;
    /** Of a search. */
    readonly recipe?: string;
    readonly search?: string;
    /** Of a search for the Pareto front: the folder of its recipes, `1.yaml` the fastest. */
    readonly front?: string;
  };
  readonly report: CompressReport;
  /** Whether the cache held it already. */
  readonly cached: boolean;
  /** Given where a target was. */
  readonly search?: SearchResult;
}

/** What every output folder holds. */
const OUTPUTS = ['model.onnx', 'preprocess.onnx', 'report.json'];

/** What a search adds. */
const SEARCH_OUTPUTS = ['recipe.yaml', 'search.json'];

/**
 * Applies a recipe to a model, or searches for recipes that meet a target or that no other beats, and writes the model as ONNX.
 *
 * @param model - a folder, a file of weights, `owner/name` on the Hugging Face Hub, or a built-in name
 * @param options - the recipe, the target or the time for a search, and where the files go
 * @returns a job that gives what was written, and tells how far it is
 * @throws InputError when the model, the recipe, an option, the images or the output folder cannot be used; DeviceError when the device of
 *   a search fails, and the signal's reason when it fires, for a search before anything was measured: what was measured before is given
 *   and written
 *
 * @example
 * ```ts
 * const { report, files } = await compress('vit-micro-shapes10', { recipe: 'edgeflex', output: 'out' });
 * console.log(`${files.model}: ${report.fileBytes} bytes`);
 * ```
 */
export function compress(model: string, options: CompressOptions): Job<CompressEvent, Compression> {
  return new Job(
    (emit) => compressNamed(model, options, emit),
    ({ kind }) => kind === 'loading' || kind === 'compressing' || kind === 'opening-images',
  );
}

async function compressNamed(
  reference: string,
  options: CompressOptions,
  emit: (event: CompressEvent) => void,
): Promise<Compression> {
  const asked = checkedOptions('compress', options, optionsSchema);
  const { recipe, output, force, seed, batch, rounds, budget } = asked;
  refuseUnclear(asked);
  const target = typeof asked.target === 'string' ? parseTarget(asked.target) : asked.target;
  await loadPlugins(asked.plugins ?? [], HERE);
  const recipePath = typeof recipe === 'string' ? pathOf('recipe', recipe) : undefined;
  const profilePath = asked.device === undefined ? undefined : pathOf('device', asked.device);
  const inputs = [reference, recipePath, profilePath].filter((each) => each !== undefined);
  // Before work is spent; how many recipes a front has nobody knows yet.
  const front = target === undefined ? [frontFile(0)] : [];
  const added = recipe === undefined ? [...SEARCH_OUTPUTS, ...front] : [];
  await refuseReplacing(output, [...OUTPUTS, ...added], { inputs, force });
  const given =
    recipePath !== undefined
      ? await readRecipe(recipePath)
      : typeof recipe === 'object'
        ? parseRecipe(withoutFile('recipe', recipe), [], recipe)
        : undefined;
  const signal = signalOf(asked);
  const named = await localModel(namedModel(reference), {
    signal,
    onProgress: (progress) => {
      emit({ kind: 'loading', ...fetchStep(progress) });
    },
  });
  const dataset = calibrationSet(asked.dataset, (await cardOf(named))?.dataset, reference);
  const { train } = await openImages({ name: dataset }, { given: asked.data, signal, emit });
  const device = await openDevice(
    profilePath === undefined ? localProfile() : await readDeviceProfile(profilePath),
  );
  try {
    const context = {
      ...{ engine: await nodeEngine(), threads: availableParallelism(), train, seed, device, signal },
      onProgress: (done: number, text: string, secondsLeft?: number): void => {
        emit({ kind: 'compressing', done, text, secondsLeft });
      },
    };
    const model = await withFittingHead(await loadModelFor(named, train), headOfKind(asked.head), {
      ...context,
      onProgress: (done, text) => {
        emit({ kind: 'loading', task: 'head', done, text });
      },
    });
    if (given) refuseRefit(model, given);
    const made = given
      ? { recipe: given, artifact: await artifactOf(model, given, context) }
      : await searched(model, context, {
          ...{ target, budget, batch, rounds, reference },
          onFinding: (finding) => {
            emit({ kind: 'finding', finding });
          },
        });
    const search = 'outcome' in made ? made : undefined;
    const { fileBytes, parameters, kernels, stages, cached } = made.artifact;
    const report: CompressReport = {
      ...{ model: reference, source: model.record, recipe: made.recipe.name },
      ...{ fileBytes, parameters, kernels, stages },
    };
    const texts = [['report.json', JSON.stringify(report, null, 2)] as const, ...(search?.files ?? [])];
    await writeOutputs(output, await contentsOf(made.artifact, texts), { inputs, force });
    const placeOf = (name: string): string => join(output, name);
    return {
      files: {
        ...{ model: placeOf('model.onnx'), preprocess: placeOf('preprocess.onnx') },
        report: placeOf('report.json'),
        ...(search && { recipe: placeOf('recipe.yaml'), search: placeOf('search.json') }),
        ...(search?.hasFront && { front: placeOf(FRONT_FOLDER) }),
      },
      ...{ report, cached },
      ...(search && {
        search: {
          met: search.outcome.met,
          end: search.outcome.end,
          recipe: search.recipe,
          document: search.document,
          outcome: search.outcome,
        },
      }),
    };
  } finally {
    await device.close();
  }
}

/** Refuses what names two things to do, or none. */
function refuseUnclear({
  recipe,
  target,
  budget,
}: Pick<CompressOptions, 'recipe' | 'target' | 'budget'>): void {
  const searches = target !== undefined || budget !== undefined;
  if ((recipe !== undefined) !== searches) return;
  const search = target === undefined ? 'a budget of time' : 'a target';
  throw new InputError({
    source: 'compress',
    found: searches ? `both a recipe and ${search}` : 'neither a recipe, nor a target, nor a budget of time',
    expected: 'a recipe to apply, or a target, a budget of time or both to search',
  });
}

/** What to calibrate on: what the caller named, or else what the model's card does. */
function calibrationSet(named: string | undefined, card: string | undefined, reference: string): string {
  if (named !== undefined) return knownImages(named);
  if (card !== undefined && imageNames().includes(card)) return card;
  throw new InputError({
    source: reference,
    place: 'card.json',
    found: card === undefined ? 'no card that names a dataset' : `the dataset ${card}`,
    expected: `one of ${imageNames().join(', ')}`,
    hint: 'Name what to calibrate on with --dataset.',
  });
}

/** The files of an output folder: those of the artifact, and texts. */
async function contentsOf(
  { directory }: Artifact,
  texts: readonly (readonly [string, string])[],
): Promise<Map<string, OutputContent>> {
  const files = new Map<string, OutputContent>();
  for (const name of await readdir(directory))
    if (name !== 'manifest.json') files.set(name, { copyOf: join(directory, name) });
  for (const [name, text] of texts) files.set(name, text);
  return files;
}
