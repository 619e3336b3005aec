import { InputError } from '../../base/errors.js';
import { tokensAt } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openJudge } from '../judge.js';
import { openBlas } from '../linalg/blas.js';
import { canMerge, multiplications } from '../merge-tokens/schedule.js';
import { withMerges } from '../merge-tokens/stage.js';
import { canPrune } from '../prune/mlp.js';
import { narrowedTo, rankBlocks, rankedBy } from '../prune/ranked.js';
import { widthsOfRatio } from '../prune/widths.js';
import { spend, type AccuracyOutcome } from '../spend.js';
import { withWidths } from '../stand-ins.js';
import { frontOf } from './front.js';
import { levelsOf, type Levels } from './levels.js';
import type { ShrinkOptions } from './options.js';

/** Where in the stage's progress its parts end: observing, what amounts do to the logits, the model as it is on all that judge. */
const PROGRESS = { observed: 0.35, compared: 0.6, opened: 0.7 } as const;

/** How neurons are judged, and what makes up for those that go. */
const HOW = { importance: 'obs', compensation: 'least-squares' } as const;

/** A pair of amounts. */
export interface TriedPair {
  /** Share of all MLP neurons removed. */
  readonly ratio: number;
  /** Share of the patches and other tokens that do not reach the head. */
  readonly merged: number;
  /** How many times fewer multiplications. */
  readonly speed: number;
  /** Mean squared error of the logits that was predicted, relative to their variance. */
  readonly predicted: number;
}

/** The report of the stage. */
export interface ShrinkReport {
  readonly images: number;
  readonly compared: number;
  readonly neuronsBefore: number;
  readonly neuronsAfter: number;
  readonly blocks: readonly {
    readonly layer: number;
    readonly before: number;
    readonly after: number;
    /** Tokens that reach its attention. */
    readonly tokens: number;
    readonly merged: number;
  }[];
  /** Multiplications for an image, before and after. */
  readonly multiplications: { readonly before: number; readonly after: number };
  readonly levels: Levels;
  readonly accuracy: AccuracyOutcome<TriedPair>;
}

/**
 * Spends a budget of accuracy on what makes multiplications fewest: MLP neurons go, and similar tokens are merged, as much of each as
 * together leaves least to do. What each amount does alone to the logits is measured; of pairs their errors are added up, and of those
 * that nothing beats the fastest is taken that stays within the budget on images held out.
 *
 * @param vit - a float model that merges no tokens yet
 * @param context - runtime and training images
 * @param options - what may be lost
 * @throws InputError when tokens are merged already, or nothing of the model can be pruned or merged
 */
export async function shrink(
  vit: ViT,
  context: StageContext,
  options: ShrinkOptions,
): Promise<{ vit: ViT; report: ShrinkReport }> {
  const { config } = vit;
  refuseUnfit(vit);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const { accuracy: points, confidence, images } = options.budget;
    const calibration = await context.calibration.images(options.images);
    const blocks = canPrune(config)
      ? await rankBlocks(vit, context, HOW, calibration, blas, PROGRESS.observed)
      : undefined;
    const narrowed = (widths: readonly number[]): Promise<ViT> =>
      blocks ? narrowedTo(vit, blocks, widths, blas) : Promise.resolve(vit);
    const compared = await context.calibration.holdout(options.compared);
    const levels = await levelsOf(
      ...([context, vit, compared, points] as const),
      blocks && {
        narrowed,
        about: { ...rankedBy(HOW, calibration), multiple: options.multiple },
        widthsOf: (ratio) => widthsOfRatio(config.mlpSizes, ratio, options.multiple, blocks),
      },
      [PROGRESS.observed, PROGRESS.compared],
    );
    const before = multiplications(config);
    const front = frontOf(
      levels.prunes,
      levels.merges,
      ({ widths: mlpSizes }, { merges }) => before / multiplications({ ...config, mlpSizes, merges }),
    );
    const judge = await openJudge(context, vit, await context.calibration.holdout(images), [
      PROGRESS.compared,
      PROGRESS.opened,
    ]);
    const candidates = front.map(({ prune: { ratio, widths }, merge: { merges }, speed, error }) => {
      const merged = sum(merges) / tokensAt(config, 0);
      return {
        name: `judged.${widths.join('-')}.${merges.join('-')}`,
        what: `${(100 * ratio).toFixed(0)} % of the neurons removed, ${(100 * merged).toFixed(0)} % of the tokens merged`,
        make: async () => mergedBy(await narrowed(widths), merges),
        facts: { ratio, merged, speed, predicted: error },
      };
    });
    const bound = { points, confidence };
    const { vit: chosen = vit, outcome } = await spend(context, judge, candidates, bound, PROGRESS.opened);
    return {
      vit: chosen,
      report: {
        ...{ images: calibration.count, compared: compared.count },
        neuronsBefore: sum(config.mlpSizes),
        neuronsAfter: sum(chosen.config.mlpSizes),
        blocks: chosen.config.mlpSizes.map((after, layer) => ({
          ...{ layer, before: config.mlpSizes[layer] ?? after, after },
          tokens: tokensAt(chosen.config, layer),
          merged: tokensAt(chosen.config, layer) - tokensAt(chosen.config, layer + 1),
        })),
        multiplications: { before, after: multiplications(chosen.config) },
        ...{ levels, accuracy: outcome },
      },
    };
  } finally {
    await blas.close();
  }
}

/**
 * The shapes that the stage may leave, about: a budget is taken for a fifth of the neurons before anybody knows.
 *
 * @param vit - a model of the shapes that the stage will be given
 */
export function shrunkShape(vit: ViT): ViT {
  if (!canPrune(vit.config)) return vit;
  return withWidths(
    vit,
    vit.config.mlpSizes.map((size) => Math.ceil(size * 0.8)),
  );
}

function mergedBy(vit: ViT, merges: readonly number[]): ViT {
  return merges.some((count) => count > 0) ? withMerges(vit, merges) : vit;
}

function refuseUnfit({ config }: ViT): void {
  const fault = (found: string, expected: string): InputError =>
    new InputError({ source: 'recipe', place: 'shrink', found, expected });
  if (config.merges !== undefined)
    throw fault('a model whose tokens are merged already', 'it in place of the stage merge-tokens');
  if (!canPrune(config) && !canMerge(config))
    throw fault(
      'a model whose neurons pass through a norm together, and whose attention knows how far two patches are apart',
      'a model of which neurons can go, or tokens be merged',
    );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
