import { modelRecordOf, type Variant } from '../analysis/model.js';
import type { ModelRecord } from '../model/record.js';
import * as format from './format.js';

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
export function modelNotesOf(variant: Variant): string[] {
  const record = modelRecordOf(variant);
  return record ? modelNotes(record).map((note) => `${variant.model}: ${note}`) : [];
}
