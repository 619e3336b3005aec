import { z } from 'zod';
import { MAX_BATCH } from '../base/limits.js';
import { didYouMean } from '../base/similar.js';
import { checked, faultAt, type YamlFile } from '../base/schema.js';
import { orderFault, type OrderFault } from './order.js';
import { allStages, findStage } from './registry.js';
import type { Step } from './stage.js';

/** The pipeline's settings: which stages, in which order, with which options. */
export interface Recipe {
  readonly name: string;
  /** One sentence for the report. */
  readonly description: string;
  readonly steps: readonly Step[];
  /**
   * How many images the finished model runs at once, whatever the batch: a smaller part of the batch needs smaller
   * activations. Undefined runs the whole batch.
   */
  readonly microBatch: number | undefined;
}

/** The recipe that changes nothing: the baseline of every comparison. */
export const fp32: Recipe = {
  name: 'fp32',
  description: 'The model as it was trained, in float32: the baseline.',
  steps: [],
  microBatch: undefined,
};

/** A recipe as its file has it. */
export const recipeSchema = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9.+-]*$/i, 'a name of letters, digits, ".", "+" and "-"')
    .describe('Name of the recipe, and of its variants.'),
  description: z.string().default('').describe('One-line description for the report.'),
  stages: z
    .array(z.record(z.string(), z.unknown()))
    .describe('The stages in order, each with its options ([stages](stages.md)): `- prune: { ratio: 0.5 }`.'),
  microBatch: z.number().int().positive().max(MAX_BATCH).optional().meta({
    description:
      'Images the model runs at once, whatever the batch, to need less memory; default: the whole batch.',
    unit: 'images',
  }),
});

/**
 * Reads a recipe out of a YAML file, where each entry of `stages` is one stage's name with its options:
 *
 * ```yaml
 * name: half-int8
 * stages:
 *   - prune: { ratio: 0.5 }
 *   - quantize: { format: w8a8 }
 * ```
 *
 * @param file - the file
 * @param place - where in it the recipe stands: the whole of a recipe file, a part of a suite
 * @param value - the recipe
 * @throws InputError when a stage or an option is unknown or out of range
 */
export function parseRecipe(file: YamlFile, place: readonly PropertyKey[], value: unknown): Recipe {
  const recipe = checked(file, place, value, recipeSchema);
  const steps = recipe.stages.map((entry, index) => parseStep(file, [...place, 'stages', index], entry));
  refuseOrder(file, (index, stage) => [...place, 'stages', index, stage], steps);
  const { name, description, microBatch } = recipe;
  return { name, description, steps, microBatch };
}

/**
 * Reads one step of a recipe out of a YAML file.
 *
 * @param file - the file
 * @param place - where in it the step stands
 * @param entry - the stage's name with its options
 * @throws InputError when there is not exactly one stage, or it or an option is unknown or out of range
 */
export function parseStep(
  file: YamlFile,
  place: readonly PropertyKey[],
  entry: Readonly<Record<string, unknown>>,
): Step {
  const [stage, ...more] = Object.keys(entry);
  if (stage === undefined || more.length > 0)
    throw faultAt(
      file,
      place,
      stage === undefined ? 'no stage' : `the keys ${Object.keys(entry).join(', ')}`,
      'one stage with its options',
    );
  const known = findStage(stage);
  if (known === undefined) {
    const names = allStages().map(({ name }) => name);
    throw faultAt(
      file,
      [...place, stage],
      `the unknown stage "${stage}"${didYouMean(stage, names)}`,
      names.join(', '),
    );
  }
  return { stage, options: checked(file, [...place, stage], entry[stage] ?? {}, known.options) };
}

/**
 * Refuses steps that cannot follow each other.
 *
 * @param file - the file
 * @param placeOf - where in it a step stands
 * @param steps - of a recipe
 * @param whose - what has them, for the message; left out, the place says so
 * @throws InputError when there is a step that cannot follow those before it
 */
export function refuseOrder(
  file: YamlFile,
  placeOf: (index: number, stage: string) => readonly PropertyKey[],
  steps: readonly Step[],
  whose = '',
): void {
  const fault = orderFault(steps);
  if (fault === undefined) return;
  const { found, expected } = orderFaultWords(fault);
  throw faultAt(file, placeOf(fault.index, fault.stage), `${found}${whose}`, expected);
}

/** What a refusal of a recipe says of the order of its stages. */
function orderFaultWords(fault: OrderFault): { readonly found: string; readonly expected: string } {
  switch (fault.kind) {
    case 'second':
      return { found: `a second stage "${fault.stage}"`, expected: 'one in a recipe' };
    case 'behind-quantiser':
      return {
        found: `the stage "${fault.stage}" behind "${fault.quantiser}"`,
        expected: 'it before the stage that quantises: it changes float weights',
      };
    case 'behind-merging':
      return {
        found: `the stage "${fault.stage}" behind "${fault.merging}"`,
        expected: `it before "${fault.merging}", or only one of them: it takes no model that merges tokens already`,
      };
    case 'two-classifiers':
      return {
        found: `the stage "${fault.stage}" behind "${fault.other}"`,
        expected: 'one of them: each undoes what the other does to the classifier',
      };
    case 'behind-correction':
      return {
        found: `the stage "${fault.stage}" behind "${fault.correction}"`,
        expected: `it before "${fault.correction}", which corrects the classifier for the finished model`,
      };
  }
}
