import { z } from 'zod';
import { modelRecordSchema } from '../../model/record.js';
import type { Estimate } from '../../stats/interval.js';
import { mcnemar, pairedOutcomes } from '../../stats/mcnemar.js';
import { wilson } from '../../stats/wilson.js';
import type { RunData, StoredCell } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';

/** How well a variant classifies the test images on a device. */
export interface AccuracyFigures {
  readonly images: number;
  /** Share of right answers with its 95 % Wilson interval; undefined for weights that have no accuracy, see `isScored`. */
  readonly top1: Estimate | undefined;
  readonly correct: number | undefined;
  /** Exact McNemar test against the baseline on the same images; undefined for the baseline and for weights without accuracy. */
  readonly mcnemarP: number | undefined;
  /** Share of images that get the baseline's class, with its 95 % Wilson interval; undefined for the baseline. */
  readonly agreement: Estimate | undefined;
  /** Time in the model for all images, in seconds. */
  readonly testSetSeconds: number;
}

const cardSchema = z.object({ dataset: z.string() });
const modelSchema = modelRecordSchema.pick({ classes: true, fittedHead: true });

/**
 * Whether a variant can be right about images at all: synthetic weights cannot, nor can a model whose card says that it was
 * trained for another dataset, unless its classes are those of the images by their names, its head was fitted to them, or it has none and
 * neighbours vote.
 *
 * @param variant - of a run
 * @param data - what the run classifies
 */
export function isScored(
  {
    synthetic,
    card_json: card,
    model_json: model,
    features_json: features,
  }: Pick<VariantRow, 'synthetic' | 'card_json' | 'model_json' | 'features_json'>,
  data: Pick<RunData, 'name'>,
): boolean {
  if (synthetic !== 0) return false;
  if (features !== null) return true;
  const made = model === null ? undefined : modelSchema.safeParse(JSON.parse(model)).data;
  if (made?.classes !== undefined || made?.fittedHead !== undefined) return true;
  const named = card === null ? undefined : cardSchema.safeParse(JSON.parse(card)).data;
  return named === undefined || named.dataset === data.name;
}

/**
 * What a cell of accuracy says.
 *
 * @param cell - a done cell of accuracy
 * @param baseline - the baseline's cell on the same device; undefined when there is none, or when the cell is the baseline's
 * @param scored - whether the variant can be right at all
 * @returns undefined when no predictions are stored
 */
export function accuracyOf(
  cell: StoredCell,
  baseline: StoredCell | undefined,
  scored: boolean,
): AccuracyFigures | undefined {
  const { predictions } = cell;
  if (predictions === undefined) return undefined;
  const { labels, predicted } = predictions;
  const images = labels.length;
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
