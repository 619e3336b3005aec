import { deviceLabel, isEmulated } from '../../analysis/label.js';
import type { StoredDevice, StoredRun } from '../../store/read.js';
import * as format from '../format.js';
import type { Comparison, Subject } from '../../analysis/compare/compare.js';

/**
 * What a variant is called within a comparison: with its model and its device where either run has several, and with a device that is
 * not the hardware that it looks like in any case.
 *
 * @param subject - of the comparison
 * @param comparison - of two runs
 */
export function variantOf(subject: Subject, comparison: Comparison): string {
  const { model, recipe } = subject;
  const { reference, run } = comparison;
  const several = (of: (each: StoredRun) => readonly string[]): boolean =>
    new Set([...of(reference), ...of(run)]).size > 1;
  const models = several(({ variants }) => variants.map((variant) => variant.model));
  const devices = several((each) => each.devices.map(({ row }) => row.name));
  const device = subjectDevice(subject, comparison);
  const named = device !== undefined && (devices || isEmulated(device));
  return [...(models ? [model] : []), recipe, ...(named ? [deviceLabel(device)] : [])].join(' · ');
}

/** The device of a subject, as the new run has it, or else the reference; undefined for what does not depend on it. */
export function subjectDevice(
  { device }: Subject,
  { reference, run }: Pick<Comparison, 'reference' | 'run'>,
): StoredDevice | undefined {
  return [...run.devices, ...reference.devices].find(({ row }) => row.name === device);
}

/** A bound of the response time, in milliseconds: `p99 ≤ 20 ms`. */
export function boundText(bound: number): string {
  return `p99 ≤ ${format.milliseconds(bound)} ms`;
}

/** What a subject is called in a sentence: `int8, batch 8`, `int8, batch 1, p99 ≤ 20 ms`. */
export function subjectLabel(subject: Subject, comparison: Comparison): string {
  const name = variantOf(subject, comparison);
  const { batch, bound } = subject;
  return [
    name,
    ...(batch === undefined ? [] : [`batch ${batch}`]),
    ...(bound === undefined ? [] : [boundText(bound)]),
  ].join(', ');
}
