import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openJudge } from '../judge.js';
import type { Blas } from '../linalg/blas.js';
import { spend, type AccuracyOutcome } from '../spend.js';
import { narrowedTo, type RankedBlock } from './ranked.js';

/** Shares of the neurons to remove that are tried, a step apart. */
const STEP = 0.05;
const STEPS = 18;

/** A model of some widths. */
export interface TriedWidths {
  /** Share of all MLP neurons removed. */
  readonly ratio: number;
  /** Errors added to the residual streams, relative to them, summed over the blocks. */
  readonly predicted: number;
}

/** The model that spends a budget of accuracy. */
export interface WithinLoss {
  readonly vit: ViT;
  readonly outcome: AccuracyOutcome<TriedWidths>;
}

/**
 * Removes as many neurons as a budget of accuracy allows, as more neurons never lose more. All candidates are made of what one pass
 * over the calibration images observed.
 *
 * @param vit - the model before pruning
 * @param blocks - what was observed of it
 * @param widthsOf - the widths that remove a share of the neurons; undefined where there are none
 * @param budget - percentage points that may be lost, how sure that must be, images to judge on
 * @param context - runtime and held-out images
 * @param blas - float64 products
 */
export async function withinLoss(
  vit: ViT,
  blocks: readonly RankedBlock[],
  widthsOf: (ratio: number) => readonly number[] | undefined,
  { accuracy: points, confidence, images }: { accuracy: number; confidence: number; images: number },
  context: StageContext,
  blas: Blas,
): Promise<WithinLoss> {
  const judge = await openJudge(context, vit, await context.calibration.holdout(images), [0.5, 0.6]);
  const total = sum(vit.config.mlpSizes);
  const candidates = candidatesOf(vit.config.mlpSizes, widthsOf).map((widths) => {
    const ratio = 1 - sum(widths) / total;
    return {
      name: `judged.${widths.join('-')}`,
      what: `${(100 * ratio).toFixed(0)} % of the neurons removed`,
      make: () => narrowedTo(vit, blocks, widths, blas),
      facts: { ratio, predicted: predictedError(blocks, widths) },
    };
  });
  const { vit: best = vit, outcome } = await spend(context, judge, candidates, { points, confidence }, 0.6);
  return { vit: best, outcome };
}

/** Errors that widths add to the residual streams, relative to them, summed over the blocks. */
function predictedError(blocks: readonly RankedBlock[], widths: readonly number[]): number {
  return sum(widths.map((width, layer) => blocks[layer]?.loss[width] ?? NaN));
}

/** Widths that remove more and more, each once. */
function candidatesOf(
  sizes: readonly number[],
  widthsOf: (ratio: number) => readonly number[] | undefined,
): (readonly number[])[] {
  const seen = new Set([sizes.join()]);
  return Array.from({ length: STEPS }, (_, step) => widthsOf((step + 1) * STEP)).filter(
    (widths): widths is readonly number[] => {
      if (widths === undefined || seen.has(widths.join())) return false;
      seen.add(widths.join());
      return true;
    },
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
