import { z } from 'zod';
import { modelRecordSchema, type ModelRecord, type RawRecord } from '../model/record.js';
import type { StoredRun } from '../store/read.js';
import { stagesOf } from './stages.js';

/** A variant of a run, as it is stored. */
export type Variant = StoredRun['variants'][number];

/**
 * Where a variant's model came from.
 *
 * @param variant - of a run
 * @returns undefined when it is not stored, or in a form that this version does not know
 */
export function modelRecordOf({ model_json }: Variant): ModelRecord | undefined {
  return model_json === null ? undefined : modelRecordSchema.safeParse(JSON.parse(model_json)).data;
}

/**
 * What is known of a variant that is an ONNX file, run as it is.
 *
 * @param variant - of a run
 * @returns undefined for one that EdgeFlex made
 */
export function rawOf(variant: Variant): RawRecord | undefined {
  return modelRecordOf(variant)?.raw;
}

/**
 * Who made a variant's classifier: whoever trained the model; EdgeFlex, because the model had none for these classes; EdgeFlex
 * after compression, because the recipe asks for it, to the classes or by correcting the one that was there; or nobody: it gives features.
 */
export type HeadState = 'trained' | 'fitted' | 'refitted' | 'corrected' | 'none';

/**
 * Who made a variant's classifier.
 *
 * @param variant - of a run
 */
export function headOf(variant: Variant): HeadState {
  if (variant.features_json !== null) return 'none';
  const traits = stagesOf(variant).flatMap(({ facts }) => facts?.traits ?? []);
  if (traits.includes('head-refitted')) return 'refitted';
  if (traits.includes('head-corrected')) return 'corrected';
  return modelRecordOf(variant)?.fittedHead ? 'fitted' : 'trained';
}

const cardSchema = z.object({
  dataset: z.string(),
  images: z.number().int().positive(),
  correct: z.number().int().nonnegative(),
  framework: z.string(),
});

/** What whoever trained a model says that it scores on the test images. */
export type CardFigures = z.infer<typeof cardSchema>;

/**
 * What the card of a variant's model says.
 *
 * @param variant - of a run
 * @returns undefined when nobody says, or when it is stored in a form that this version does not know
 */
export function cardOf({ card_json }: Variant): CardFigures | undefined {
  return card_json === null ? undefined : cardSchema.safeParse(JSON.parse(card_json)).data;
}
