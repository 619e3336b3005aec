import type { Estimate } from '../../stats/interval.js';
import { mcnemar, pairedOutcomes } from '../../stats/mcnemar.js';
import { wilson } from '../../stats/wilson.js';
import type { StoredCell } from '../../store/read.js';

/** How well a variant classifies the test images on a device. */
export interface AccuracyFigures {
  readonly images: number;
  /** Share of right answers with its 95 % Wilson interval; undefined for synthetic weights, which have no accuracy. */
  readonly top1: Estimate | undefined;
  readonly correct: number | undefined;
  /** Exact McNemar test against the baseline on the same images; undefined for the baseline and for synthetic weights. */
  readonly mcnemarP: number | undefined;
  /** Share of images that get the baseline's class, with its 95 % Wilson interval; undefined for the baseline. */
  readonly agreement: Estimate | undefined;
  /** Time in the model for all images, in seconds. */
  readonly testSetSeconds: number;
}

/**
 * What a cell of accuracy says.
 *
 * @param cell - a done cell of accuracy
 * @param baseline - the baseline's cell on the same device; undefined when there is none, or when the cell is the baseline's
 * @returns undefined when no predictions are stored
 */
export function accuracyOf(cell: StoredCell, baseline: StoredCell | undefined): AccuracyFigures | undefined {
  const { predictions, variant } = cell;
  if (predictions === undefined) return undefined;
  const { labels, predicted } = predictions;
  const images = labels.length;
  const scored = !variant.synthetic;
  const correct = countWhere(predicted, (choice, image) => choice === labels[image]);
  const others = baseline?.predictions?.predicted;
  const comparable = others?.length === images ? others : undefined;
  return {
    images,
    top1: scored ? wilson(correct, images) : undefined,
    correct: scored ? correct : undefined,
    mcnemarP: scored && comparable ? mcnemar(pairedOutcomes(labels, comparable, predicted)) : undefined,
    agreement:
      comparable &&
      wilson(
        countWhere(predicted, (choice, image) => choice === comparable[image]),
        images,
      ),
    testSetSeconds:
      cell.rounds.reduce((sum, { samples }) => sum + samples.reduce((a, b) => a + b, 0), 0) / 1000,
  };
}

function countWhere(values: readonly number[], holds: (value: number, index: number) => boolean): number {
  return values.filter(holds).length;
}
