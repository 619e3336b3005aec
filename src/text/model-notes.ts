import { modelRecordSchema, type ModelRecord } from '../model/record.js';
import type { VariantRow } from '../store/tables.js';
import * as format from './format.js';
import { stagesOf } from '../analysis/stages.js';

/**
 * Where a variant's model came from.
 *
 * @param variant - of a run
 * @returns undefined when it is not stored, or in a form that this version does not know
 */
export function modelRecordOf({ model_json }: VariantRow): ModelRecord | undefined {
  return model_json === null ? undefined : modelRecordSchema.safeParse(JSON.parse(model_json)).data;
}

/**
 * What a reader must know of where a model came from, in sentences without its name.
 *
 * @param record - of the model
 */
export function modelNotes({ hub, fittedHead, notes }: ModelRecord): string[] {
  return [
    ...(hub ? [`From the Hugging Face Hub: ${hub.repository} (${hub.revision}), commit ${hub.commit}.`] : []),
    ...(fittedHead
      ? [
          `Head: fitted here, in closed form on ${format.integer(fittedHead.images)} training images (λ ${format.significant(fittedHead.lambda)}, chosen on ` +
            `${format.integer(fittedHead.holdout)} of them held out: ${format.percent(fittedHead.holdoutAccuracy)} % right); the model brought none for these classes.`,
        ]
      : []),
    ...notes,
  ];
}

/**
 * The same of a variant's model, its name before each.
 *
 * @param variant - of a run
 */
export function modelNotesOf(variant: VariantRow): string[] {
  const record = modelRecordOf(variant);
  return record ? modelNotes(record).map((note) => `${variant.model}: ${note}`) : [];
}

/**
 * Who made a variant's classifier: whoever trained the model; EdgeFlex, because the model had none for these classes; or EdgeFlex
 * after compression, because the recipe asks for it.
 */
export type HeadState = 'trained' | 'fitted' | 'refitted';

/**
 * Who made a variant's classifier.
 *
 * @param variant - of a run
 */
export function headOf(variant: VariantRow): HeadState {
  if (stagesOf(variant).some(({ facts }) => facts?.traits.includes('head-refitted'))) return 'refitted';
  return modelRecordOf(variant)?.fittedHead ? 'fitted' : 'trained';
}
