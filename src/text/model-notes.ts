import { modelRecordOf, type Variant } from '../analysis/model.js';
import type { ModelRecord } from '../model/record.js';
import * as format from './format.js';
import { rawNotes } from './raw.js';

const HEADS = {
  ridge: 'ridge regression in closed form',
  logistic: 'multinomial logistic regression',
} as const satisfies Record<NonNullable<ModelRecord['fittedHead']>['kind'], string>;

/**
 * What a reader must know of where a model came from, in sentences without its name.
 *
 * @param record - of the model
 */
export function modelNotes({ hub, fittedHead, notes, raw }: ModelRecord): string[] {
  return [
    ...(raw ? rawNotes(raw) : []),
    ...(hub ? [`From the Hugging Face Hub: ${hub.repository} (${hub.revision}), commit ${hub.commit}.`] : []),
    ...(fittedHead ? [headNote(fittedHead)] : []),
    ...notes,
  ];
}

function headNote(head: NonNullable<ModelRecord['fittedHead']>): string {
  const { kind, images, asked, lambda, holdout, holdoutAccuracy } = head;
  const fewer = asked === undefined ? '' : `${format.integer(asked)} were requested, but there are fewer; `;
  return (
    `Head: fitted here by ${HEADS[kind]} on ${format.integer(images)} training images (${fewer}λ ${format.significant(lambda)}, chosen on ` +
    `${format.integer(holdout)} of them held out: ${format.percent(holdoutAccuracy)} % right); the model had none for these classes.`
  );
}

/**
 * The same of a variant's model, its name before each.
 *
 * @param variant - of a run
 */
export function modelNotesOf(variant: Variant): string[] {
  const record = modelRecordOf(variant);
  const name = record?.raw ? `${variant.model} / ${variant.recipe}` : variant.model;
  return record ? modelNotes(record).map((note) => `${name}: ${note}`) : [];
}
