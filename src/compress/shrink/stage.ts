import { defined } from '../../base/defined.js';
import { InputError } from '../../base/errors.js';
import { headWidth, layerCount, queryKeyWidth, tokensAt, type ViTConfig } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openJudge } from '../judge.js';
import { expectedChanges } from '../margins.js';
import { openBlas, type Blas } from '../linalg/blas.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { withMerges } from '../merge-tokens/stage.js';
import { narrowedBy, narrowQueryKeys, obstacleIn, sizeOf } from '../prune-attention/narrow.js';
import { canPrune } from '../prune/mlp.js';
import { narrowedTo, rankBlocks, rankedBy } from '../prune/ranked.js';
import { widthsOfRatio } from '../prune/widths.js';
import { spend, type AccuracyOutcome } from '../spend.js';
import { withWidths } from '../stand-ins.js';
import { frontOf } from './front.js';
import {
  levelsOf,
  type Levels,
  type MergeLevel,
  type NarrowHeads,
  type PruneLevel,
  type QueryKeyLevel,
} from './levels.js';
import type { ShrinkOptions } from './options.js';
import { rankedSpeed } from './speed.js';

/** Where in the stage's progress its parts end: observing neurons, and queries and keys; the model on all that judge; what amounts do. */
const PROGRESS = { observed: 0.2, heads: 0.23, opened: 0.5, compared: 0.78 } as const;

/**
 * An amount that is expected to change the class of this many times the images that may be lost is the last of its kind that is tried. In a
 * DINOv2-S half a point was spent where 0.4 % were expected to change, and two and three times too much was lost where 0.7 % were.
 */
const TOO_MUCH = 1.5;

/** A combination that is less than this times as fast as a gentler one is not worth the time that judging it takes. */
const WORTH_TRYING = 1.01;

/** How neurons are judged, and what makes up for those that go. */
const HOW = { importance: 'obs', compensation: 'least-squares' } as const;

/** Shares of the channels of queries and keys that are tried. */
const QUERY_KEYS = [0.25, 0.5] as const;

/** How queries and keys become narrower: a few images tell how they vary, and kernels run without a remainder. */
const HEADS = { images: 32, multiple: 8, compensation: 'least-squares' } as const;

/** An amount of each kind. */
interface Amounts {
  readonly prune: PruneLevel;
  readonly queryKeys: QueryKeyLevel;
  readonly merge: MergeLevel;
}

/** Amounts that were tried together. */
export interface TriedAmounts {
  /** Share of all MLP neurons removed. */
  readonly ratio: number;
  /** Share of the channels of queries and keys removed. */
  readonly queryKeys: number;
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
  /** Channels of the queries and keys of each head, in the mean of the blocks. */
  readonly queryKeyBefore: number;
  readonly queryKeyAfter: number;
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
  readonly accuracy: AccuracyOutcome<TriedAmounts>;
}

/**
 * Spends a budget of accuracy on what makes multiplications fewest: MLP neurons go, queries and keys become narrower, and similar tokens
 * are merged, as much of each as together leaves least to do. What each amount does alone to the logits is measured; of combinations their
 * errors are added up, and of those that nothing beats the fastest is taken that stays within the budget on images held out. Where
 * something cannot be done to a model, none of it is done.
 *
 * @param vit - a float model that merges no tokens yet
 * @param context - runtime and training images
 * @param options - what may be lost
 * @throws InputError when tokens are merged already
 */
export async function shrink(
  vit: ViT,
  context: StageContext,
  options: ShrinkOptions,
): Promise<{ vit: ViT; report: ShrinkReport }> {
  const { config } = vit;
  refuseMerged(vit);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const { accuracy: points, confidence, images } = options.budget;
    const calibration = await context.calibration.images(options.images);
    const blocks = canPrune(config)
      ? await rankBlocks(vit, context, HOW, calibration, blas, PROGRESS.observed)
      : undefined;
    const narrowed = (of: ViT, widths: readonly number[]): Promise<ViT> =>
      blocks ? narrowedTo(of, blocks, widths, blas) : Promise.resolve(of);
    const heads = await narrowHeads(vit, context, blas);
    const judge = await openJudge(context, vit, await context.calibration.holdout(images), [
      PROGRESS.heads,
      PROGRESS.opened,
    ]);
    const tooMuch = (error: number): boolean =>
      expectedChanges(judge.margins, error) > (TOO_MUCH * points) / 100;
    const compared = await context.calibration.holdout(options.compared);
    const levels = await levelsOf(
      ...([context, vit, compared, tooMuch] as const),
      blocks && {
        narrowed: (widths) => narrowed(vit, widths),
        widthsOf: (ratio) => widthsOfRatio(config.mlpSizes, ratio, options.multiple, blocks),
      },
      heads.models,
      {
        pruning: blocks && { ...rankedBy(HOW, calibration), multiple: options.multiple },
        heads: heads.about,
      },
      [PROGRESS.opened, PROGRESS.compared],
    );
    const before = multiplications(config);
    const configOf = ({ prune, queryKeys, merge }: Amounts): ViTConfig => ({
      ...config,
      mlpSizes: prune.widths,
      ...(queryKeys.sizes && { queryKeySizes: queryKeys.sizes }),
      ...(anyMerges(merge.merges) && { merges: merge.merges }),
    });
    const front = frontOf<Amounts>(
      { prune: levels.prunes, queryKeys: levels.queryKeys, merge: levels.merges },
      (amounts) => rankedSpeed(config, configOf(amounts)),
      WORTH_TRYING,
    );
    const candidates = front.map(({ amounts, error }) => {
      const { widths, ratio } = amounts.prune;
      const { merges } = amounts.merge;
      const after = configOf(amounts);
      const facts = {
        ...{ ratio, queryKeys: amounts.queryKeys.ratio },
        merged: sum(merges) / tokensAt(config, 0),
        ...{ speed: before / multiplications(after), predicted: error },
      };
      return {
        name: `judged.${widths.join('-')}.${facts.queryKeys}.${merges.join('-')}`,
        what: wordsOf(facts),
        make: async () => {
          const narrow = heads.models.find((model) => model.ratio === facts.queryKeys)?.vit ?? vit;
          const pruned = await narrowed(narrow, widths);
          return anyMerges(merges) ? withMerges(pruned, merges) : pruned;
        },
        facts,
        expected: expectedChanges(judge.margins, error),
      };
    });
    const bound = { points, confidence };
    const { vit: chosen = vit, outcome } = await spend(context, judge, candidates, bound, PROGRESS.compared);
    return {
      vit: chosen,
      report: {
        ...{ images: calibration.count, compared: compared.count },
        neuronsBefore: sum(config.mlpSizes),
        neuronsAfter: sum(chosen.config.mlpSizes),
        queryKeyBefore: meanSize(config),
        queryKeyAfter: meanSize(chosen.config),
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

/** The model with ever narrower queries and keys; none where they cannot become narrower. */
async function narrowHeads(
  vit: ViT,
  context: StageContext,
  blas: Blas,
): Promise<{ readonly models: readonly NarrowHeads[]; readonly about: object | undefined }> {
  const width = headWidth(vit.config);
  const sizes = [...new Set(QUERY_KEYS.map((ratio) => sizeOf(vit.config, { ...HEADS, ratio })))].filter(
    (size) => size < width,
  );
  if (obstacleIn(vit.config) !== undefined || sizes.length === 0) return { models: [], about: undefined };
  const { compensation } = HEADS;
  const images = await context.calibration.images(HEADS.images);
  const progress = [PROGRESS.observed, PROGRESS.heads] as const;
  const models = await narrowQueryKeys(vit, context, sizes, { images, compensation, progress }, blas);
  return {
    models: models.map(({ vit: narrow }, index) => ({
      vit: narrow,
      ratio: 1 - defined(sizes[index], 'a width') / width,
    })),
    about: narrowedBy(sizes, { images, compensation }),
  };
}

function wordsOf({ ratio, queryKeys, merged }: TriedAmounts): string {
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return `without ${percent(ratio)} of the neurons and ${percent(queryKeys)} of queries and keys, ${percent(merged)} of the tokens merged`;
}

function anyMerges(merges: readonly number[]): boolean {
  return merges.some((count) => count > 0);
}

/** Channels of the queries and keys of a head, in the mean of the blocks. */
function meanSize(config: ViTConfig): number {
  const layers = layerCount(config);
  const widths = config.mlpSizes.map((_, layer) => queryKeyWidth(config, layer));
  return sum(widths) / layers / config.heads;
}

function refuseMerged({ config }: ViT): void {
  if (config.merges === undefined) return;
  throw new InputError({
    source: 'recipe',
    place: 'shrink',
    found: 'a model whose tokens are merged already',
    expected: 'it in place of the stage merge-tokens',
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
