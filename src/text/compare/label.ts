import type { StoredRun } from '../../store/read.js';
import type { Comparison, Subject } from '../../analysis/compare/compare.js';

/**
 * What a variant is called within a comparison: with its model and its device where either run has several.
 *
 * @param subject - of the comparison
 * @param comparison - of two runs
 */
export function variantOf({ model, recipe, device }: Subject, { reference, run }: Comparison): string {
  const several = (of: (each: StoredRun) => readonly string[]): boolean =>
    new Set([...of(reference), ...of(run)]).size > 1;
  const models = several(({ variants }) => variants.map((variant) => variant.model));
  const devices = several((each) => each.devices.map(({ row }) => row.name));
  return [...(models ? [model] : []), recipe, ...(devices && device !== undefined ? [device] : [])].join(
    ' · ',
  );
}

/** What a subject is called in a sentence: `int8, batch 8`. */
export function subjectLabel(subject: Subject, comparison: Comparison): string {
  const name = variantOf(subject, comparison);
  return subject.batch === undefined ? name : `${name}, batch ${subject.batch}`;
}
