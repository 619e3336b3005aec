import { InputError } from '../../base/errors.js';
import { layerCount, tokensAt } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { logitsApart, logitsFor, type Apart } from '../observe/logits.js';
import type { MergeTokensOptions } from './options.js';
import { candidatesFor, multiplications, type MergeSchedule } from './schedule.js';

/** A schedule that was tried, and how far it leads from the unmerged model on held-out training images. */
export interface TriedSchedule extends MergeSchedule, Apart {}

/** The report of the stage. */
export interface MergeTokensReport {
  /** Held-out training images that schedules were compared on. */
  readonly images: number;
  readonly blocks: readonly {
    readonly layer: number;
    /** Tokens that reach its attention. */
    readonly before: number;
    /** Tokens that its MLP sees. */
    readonly after: number;
  }[];
  /** Multiplications for an image, before and after. */
  readonly multiplications: { readonly before: number; readonly after: number };
  /** The one that was taken is the first. */
  readonly schedules: readonly TriedSchedule[];
}

/**
 * Merges similar tokens between the attention and the MLP of each block, as many as a schedule says (ToMe, arXiv 2210.09461):
 * nothing is trained, no weight changes. Of the schedules that meet a budget, the one whose logits stay nearest is taken.
 *
 * @param vit - a model that merges no tokens yet
 * @param context - runtime and images
 * @param options - the schedule, or what it must reach
 * @throws InputError when the schedule does not fit the model, or tokens are merged already
 */
export async function mergeTokens(
  vit: ViT,
  context: StageContext,
  options: MergeTokensOptions,
): Promise<{ vit: ViT; report: MergeTokensReport }> {
  if (vit.config.merges !== undefined)
    throw new InputError({
      source: 'recipe',
      place: 'merge-tokens',
      found: 'a second stage that merges tokens',
      expected: 'one: a schedule may say a number for each block',
    });
  const candidates = candidatesFor(vit.config, options);
  const holdout = await context.calibration.holdout(options.images);
  const walks = candidates.length + 1;
  const logits = (model: ViT, index: number, what: string): Promise<Float32Array> =>
    logitsFor(context, model, {
      ...{ name: `schedule.${index}`, images: holdout, what },
      progress: [index / walks, (index + 1) / walks],
    });
  const reference = await logits(vit, 0, 'without merging, ');
  const tried: TriedSchedule[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const what = `schedule ${index + 1} of ${candidates.length}, `;
    const found = await logits(withMerges(vit, candidate.merges), index + 1, what);
    tried.push({ ...candidate, ...logitsApart(found, reference, vit.config.labels.length) });
  }
  const schedules = tried.sort((a, b) => a.error - b.error);
  const merged = withMerges(vit, schedules[0]!.merges);
  return {
    vit: merged,
    report: {
      images: holdout.count,
      blocks: Array.from({ length: layerCount(vit.config) }, (_, layer) => ({
        layer,
        before: tokensAt(merged.config, layer),
        after: tokensAt(merged.config, layer + 1),
      })),
      multiplications: { before: multiplications(vit.config), after: multiplications(merged.config) },
      schedules,
    },
  };
}

/**
 * A model whose blocks merge tokens.
 *
 * @param vit - the model
 * @param merges - how many each block merges
 */
export function withMerges(vit: ViT, merges: readonly number[]): ViT {
  return { ...vit, config: { ...vit.config, merges } };
}
