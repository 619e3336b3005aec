import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { headKinds, headOptionsSchema } from '../compress/head/options.js';
import { stageOf } from '../compress/registry.js';
import { isBaseline } from './baseline.js';
import type { SuiteRecipe } from './read.js';

/** A head that is fitted. */
const fittedHeadSchema = headOptionsSchema.extend({
  kind: z.enum(headKinds).describe('Ridge or logistic regression, or none: neighbours vote.'),
  refit: z
    .boolean()
    .default(false)
    .describe('Whether to also measure every recipe with a head fitted after it.'),
});

/** No head: test images get a class by their neighbours among embeddings of training images, and embeddings are held against fp32's. */
const noHeadSchema = z.strictObject({
  kind: z.literal('none').describe('Ridge or logistic regression, or none: neighbours vote.'),
  /** 20, as DINO has it (arXiv 2104.14294, section 4.1). */
  neighbours: z
    .number()
    .int()
    .positive()
    .max(1000)
    .default(20)
    .describe('With `none`: how many neighbours vote.'),
  images: z.number().int().positive().default(5000).meta({
    description: 'Training images the head is fitted on, or among which neighbours are found.',
    unit: 'images',
  }),
});

const formsSchema = z.discriminatedUnion('kind', [fittedHeadSchema, noHeadSchema]);

/** What a model that brings no head for the classes of the images can get. */
export const suiteHeadKinds = [...headKinds, 'none'] as const;

/** What a suite says of heads: which one a model gets that brings none for the classes of the images. */
export const suiteHeadSchema = z.union([
  z.enum(suiteHeadKinds).transform((kind) => formsSchema.parse({ kind })),
  formsSchema,
]);

export type SuiteHead = z.infer<typeof suiteHeadSchema>;
export type SuiteHeadKind = SuiteHead['kind'];

/** What is done where a suite does not say. */
export const usualHead: SuiteHead = formsSchema.parse({ kind: 'ridge' });

/**
 * What is said of heads by their kind alone.
 *
 * @param kind - of the head
 */
export function headOfKind(kind: SuiteHeadKind): SuiteHead {
  return formsSchema.parse({ kind });
}

/** What is changed of it from outside the suite. */
export interface HeadOverrides {
  readonly kind?: SuiteHeadKind | undefined;
  readonly refit?: boolean | undefined;
}

/**
 * What a suite says of heads, with what the user asked for in place of it.
 *
 * @param head - the suite's; undefined where it says nothing
 * @param overrides - the user's
 * @throws InputError when heads are to be fitted anew that are not there
 */
export function headWith(head: SuiteHead | undefined, { kind, refit }: HeadOverrides): SuiteHead | undefined {
  if (kind === undefined && refit === undefined) return head;
  const said = head ?? usualHead;
  const asked = kind === undefined || kind === said.kind ? said : changed(said, kind);
  if (refit === undefined) return asked;
  if (asked.kind !== 'none') return { ...asked, refit };
  throw new InputError({
    source: '--refit',
    found: 'models without a head',
    expected: '--head ridge or --head logistic with it',
  });
}

/** From one fitted head to another the number of images stays, and whether heads are fitted anew. */
function changed(said: SuiteHead, kind: SuiteHeadKind): SuiteHead {
  return said.kind === 'none' || kind === 'none' ? headOfKind(kind) : { ...said, kind };
}

/** What a variant is called whose head was fitted anew behind a recipe. */
function refitName(recipe: string): string {
  return `${recipe}+head`;
}

/**
 * Recipes, each followed by the same with the head fitted anew behind it, where a suite asks for that: not the baseline, whose head is the
 * model's own, nor files that are run as they are, nor a recipe that fits a head itself.
 *
 * @param recipes - of the suite
 * @param head - what it says of heads
 */
export function withRefits(recipes: readonly SuiteRecipe[], head: SuiteHead | undefined): SuiteRecipe[] {
  const own = recipes.filter(({ refits }) => refits === undefined);
  if (head === undefined || head.kind === 'none' || !head.refit) return own;
  const { kind, images } = head;
  const stage = stageOf({ stage: 'head' });
  const step = { stage: stage.name, options: headOptionsSchema.parse({ kind, images }) };
  return own.flatMap((each) => {
    const { recipe, raw } = each;
    if (isBaseline(recipe.name) || raw !== undefined) return [each];
    if (recipe.steps.some((other) => other.stage === stage.name)) return [each];
    const refit: SuiteRecipe = {
      ...(each.seed !== undefined && { seed: each.seed }),
      recipe: {
        ...recipe,
        name: refitName(recipe.name),
        description: `${recipe.description} The head fitted anew behind it.`.trimStart(),
        // A classifier that is fitted anew keeps nothing of a correction.
        steps: [...recipe.steps.filter((other) => stageOf(other).classifier !== 'corrects'), step],
      },
      published: undefined,
      refits: recipe.name,
    };
    return [each, refit];
  });
}
