import { join } from 'node:path';
import { z } from 'zod';
import { defined } from '../../base/defined.js';
import { substitutionsSchema, type Substitution } from '../../base/substitution.js';
import type { GraphTarget } from '../../base/target.js';
import type { Entry } from '../../cache/entry.js';
import { cache } from '../../cache/store.js';
import type { Compressed, StageReport } from '../../compress/pipeline.js';
import type { Recipe } from '../../compress/recipe.js';
import type { Preprocessing } from '../../data/preprocess.js';
import type { LoadedModel } from '../../model/load.js';
import type { ValueInfo } from '../../onnx/model.js';
import type { BuildContext } from './build-context.js';
import { compressed } from './compressed.js';
import { artifactKey, stageKeys } from './keys.js';
import { dropCheckpoints } from './stage-checkpoints.js';
import { MODEL_FILE, PREPROCESS_FILE, writeArtifact } from './write.js';

/** A stage's report without what fills files of its own. */
export type KeptStage = Omit<StageReport, 'files'>;

/** A compressed model on disk, its graph written for a target: what a device is given. */
export interface Artifact extends ArtifactFacts {
  /** Hash of everything it was made from. */
  readonly key: string;
  readonly directory: string;
  /** The model's `.onnx`; its weights lie beside it. */
  readonly model: string;
  /** The preprocessing graph. */
  readonly preprocess: string;
  /** What the images go through: models with the same preprocessing can share preprocessed images. */
  readonly preprocessing: Preprocessing;
  /** Whether it was there already. */
  readonly cached: boolean;
  /**
   * For each class of the images the logit that is its own, where a file that is run as it is has them in another order; undefined where
   * the order is the same.
   */
  readonly order?: readonly number[] | undefined;
}

/** What is noted of an artifact when it is made. */
export interface ArtifactFacts {
  /** Bytes of the model's files. */
  readonly fileBytes: number;
  readonly parameters: number;
  /** How often a run of the model must execute the kernels that its quantised linears stand for. */
  readonly kernels: Readonly<Record<string, number>>;
  /** In what the graph differs from what the recipe asks for; empty when in nothing. */
  readonly substitutions: readonly Substitution[];
  /** Given where it merges tokens: which ones, the last bits of a sum may decide. */
  readonly merges?: boolean | undefined;
  /** Bytes of the largest constant: a GPU binds each as one buffer. */
  readonly largestConstant: number;
  readonly stages: readonly KeptStage[];
  /** Types and shapes of the graph's intermediate values, which its file does not hold. */
  readonly values: readonly ValueInfo[];
  /** Given for an ONNX file that is run as it is. */
  readonly raw?: RawFacts | undefined;
  /** Width of what it gives, where that are embeddings and no logits. */
  readonly embedding?: number | undefined;
}

const rawFactsSchema = z.object({
  /** The output that gives the logits. */
  output: z.string(),
  classes: z.number(),
  /** Images that it takes at once; null where any number goes. */
  batch: z.number().nullable(),
  /** What the axes of its input are called where it leaves them open, null elsewhere. */
  freeAxes: z.array(z.string().nullable()),
  /** Whether it computes in float32 everywhere. */
  exact: z.boolean(),
  /** Whether inputs are quantised by the range of the whole batch. */
  rangeOfBatch: z.boolean(),
  /** Whether it quantises what it multiplies, so that products of integers must run. */
  integer: z.boolean(),
});

/** What measuring an ONNX file as it is must know of it. */
export type RawFacts = z.infer<typeof rawFactsSchema>;

/** Stage reports and values are as the versions in the key wrote them, and the manifest they lie in has its own digest. */
const factsSchema = z.object({
  fileBytes: z.number(),
  parameters: z.number(),
  kernels: z.record(z.string(), z.number()),
  substitutions: substitutionsSchema,
  merges: z.boolean().optional(),
  largestConstant: z.number(),
  stages: z.array(z.custom<KeptStage>()),
  values: z.array(z.custom<ValueInfo>()),
  raw: rawFactsSchema.optional(),
  embedding: z.number().optional(),
});

/** A variant's artifacts by target. */
export type Artifacts = ReadonlyMap<GraphTarget, Artifact>;

/**
 * The artifacts of a model and a recipe, one for each target: from the cache, or made now and put there. What is missing is
 * made of one and the same compressed model.
 *
 * @param model - the model
 * @param recipe - the recipe
 * @param targets - what the devices of the run need
 * @param context - runtime, calibration images and progress
 * @throws InputError when the recipe cannot be applied to the model, or the cache cannot be written
 */
export async function artifactsOf(
  model: LoadedModel,
  recipe: Recipe,
  targets: Iterable<GraphTarget>,
  context: BuildContext,
): Promise<Artifacts> {
  let made: Promise<Compressed> | undefined;
  const once = (): Promise<Compressed> => (made ??= compressed(model, recipe, context));
  const artifacts = new Map<GraphTarget, Artifact>();
  for (const target of targets)
    artifacts.set(target, await artifactFor(target, model, recipe, context, once));
  const still = new Set(
    (context.next ?? []).flatMap((next) => stageKeys(model, next, context)).map(({ digest }) => digest),
  );
  await dropCheckpoints(stageKeys(model, recipe, context).filter(({ digest }) => !still.has(digest)));
  return artifacts;
}

/** The artifact of a model and a recipe for ONNX Runtime's CPU provider. */
export async function artifactOf(
  model: LoadedModel,
  recipe: Recipe,
  context: BuildContext,
): Promise<Artifact> {
  return defined((await artifactsOf(model, recipe, ['cpu'], context)).get('cpu'), "the CPU's artifact");
}

async function artifactFor(
  target: GraphTarget,
  model: LoadedModel,
  recipe: Recipe,
  context: BuildContext,
  compressOnce: () => Promise<Compressed>,
): Promise<Artifact> {
  const { signal, onProgress } = context;
  const options = {
    title: `${model.name} / ${recipe.name} for ${target}`,
    signal,
    onWait: () => {
      onProgress(0, 'waiting for another process that is compressing the same variant');
    },
  };
  const entry = await cache().make(artifactKey(model, recipe, target, context), options, async (folder) =>
    writeArtifact(folder, target, model, recipe, await compressOnce()),
  );
  return artifactIn(entry, model);
}

/**
 * Types and shapes of the values in an artifact's graph, which its file does not hold.
 *
 * @param entry - of the artifact
 */
export function valuesOf({ facts }: Pick<Entry, 'facts'>): readonly ValueInfo[] {
  return factsSchema.parse(facts).values;
}

/**
 * An artifact in the cache.
 *
 * @param entry - where it lies
 * @param model - what it was made of
 */
export function artifactIn(
  entry: Entry & { readonly cached: boolean },
  model: Pick<LoadedModel, 'preprocessing'>,
): Artifact {
  const { key, files, cached } = entry;
  return {
    ...factsSchema.parse(entry.facts),
    key: key.digest,
    directory: files,
    model: join(files, MODEL_FILE),
    preprocess: join(files, PREPROCESS_FILE),
    preprocessing: model.preprocessing,
    cached,
  };
}
