import { InputError } from '../../base/errors.js';
import type { StoredFloor } from '../../store/floors.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';
import * as format from '../format.js';
import { isScored } from '../figures/accuracy.js';
import { flagsOf, type Flag } from '../figures/validity.js';
import { differenceInWords, differencesOf, type Difference } from './differences.js';
import { effectOf, fileEffect, type Effect, type Metric } from './effect.js';
import { floorsFor, missingFloors, type FloorOf } from './floors.js';
import { judge, type Judgement } from './judge.js';
import { reasonText } from '../../text/failures.js';

/** What is compared: a variant, on a device and at a batch size where it depends on them. */
export interface Subject {
  readonly model: string;
  readonly recipe: string;
  readonly device: string | undefined;
  readonly batch: number | undefined;
}

/** A difference and what is to be said of it. */
export interface Compared {
  readonly subject: Subject;
  readonly judgement: Judgement;
}

/** Something that could not be compared. */
export interface Uncompared {
  readonly subject: Subject;
  readonly metrics: readonly Metric[];
  readonly why: string;
  /** Whether the reference had it and the other run failed at it. */
  readonly failed: boolean;
}

/** What speaks against a timed cell in one of the runs. */
export interface Doubt {
  readonly subject: Subject;
  readonly of: 'reference' | 'new';
  readonly flags: readonly Flag[];
}

/** Two runs side by side. */
export interface Comparison {
  readonly reference: StoredRun;
  readonly run: StoredRun;
  /** What differs and should not: none unless the comparison was forced. */
  readonly forced: readonly Difference[];
  /** What a reader should know, a sentence each. */
  readonly notes: readonly string[];
  /** In the order of the newer run's suite. */
  readonly compared: readonly Compared[];
  readonly uncompared: readonly Uncompared[];
  /** Of the cells that were compared. */
  readonly doubts: readonly Doubt[];
}

/** How two runs are compared. */
export interface CompareOptions {
  /** Every noise floor that is stored, the newest first. */
  readonly floors: readonly StoredFloor[];
  /** Whether the p90 of the latency is compared, too. */
  readonly p90: boolean;
  /** Whether runs are compared that were not made alike. */
  readonly force: boolean;
}

/**
 * Compares two runs cell by cell. Cells are the same when the names of model, recipe and device, the kind and the batch size are.
 *
 * @param reference - the run that is compared with
 * @param run - the other
 * @param options - what is known of the devices' noise, and how strict to be
 * @throws InputError when the runs have no cell in common, or when machine, runtime, session options, images or models differ
 *   and the comparison is not forced
 */
export function compareRuns(reference: StoredRun, run: StoredRun, options: CompareOptions): Comparison {
  const { serious, harmless } = differencesOf(reference, run);
  refuseStrangers(reference, run);
  if (serious.length > 0 && !options.force) throw refusal(reference, run, serious);

  const interleaved = reference.row.id === run.row.id;
  const floorOf = floorsFor(run, options.floors);
  const asked: Asked[] = [];
  const uncompared: Uncompared[] = [];
  const doubts: Doubt[] = [];
  for (const cell of run.cells) {
    const kinds = metricsOf(cell, options.p90);
    if (kinds.length === 0) continue;
    const subject = subjectOf(cell);
    const other = counterpart(cell, reference);
    const obstacle = other ? obstacleBetween(other, cell) : { why: 'not in the reference', failed: false };
    if (other === undefined || obstacle !== undefined) {
      uncompared.push({ subject, metrics: kinds, ...obstacle! });
      continue;
    }
    if (cell.row.kind === 'performance')
      for (const [of, doubted] of [
        ['reference', other],
        ['new', cell],
      ] as const) {
        const flags = flagsOf(doubted);
        if (flags.length > 0) doubts.push({ subject, of, flags });
      }
    const scored = isScored(other.variant, reference.data) && isScored(cell.variant, run.data);
    for (const metric of kinds) {
      const effect = effectOf(metric, { reference: other, cell, interleaved, scored });
      if ('why' in effect) uncompared.push({ subject, metrics: [metric], why: effect.why, failed: false });
      else asked.push({ subject, effect, floor: floorOf(cell, metric, effect.observations, interleaved) });
    }
  }
  for (const cell of reference.cells)
    if (metricsOf(cell, options.p90).length > 0 && counterpart(cell, run) === undefined)
      uncompared.push({
        ...{ subject: subjectOf(cell), metrics: metricsOf(cell, options.p90) },
        ...{ why: 'not in the new run', failed: false },
      });
  asked.push(...fileQuestions(reference, run));
  return {
    ...{ reference, run, forced: serious, uncompared, doubts },
    notes: notesOf(reference, run, harmless, floorOf, interleaved),
    compared: judge(asked).map(({ subject, judgement }) => ({ subject, judgement })),
  };
}

interface Asked {
  readonly subject: Subject;
  readonly effect: Effect;
  readonly floor: number | undefined;
}

function metricsOf({ row }: StoredCell, p90: boolean): Exclude<Metric, 'file'>[] {
  if (row.kind === 'performance') return p90 ? ['latency', 'p90', 'memory'] : ['latency', 'memory'];
  return row.kind === 'accuracy' ? ['accuracy'] : [];
}

function subjectOf({ variant, device, row }: StoredCell): Subject {
  const { model, recipe } = variant;
  return {
    model,
    recipe,
    device: device.row.name,
    batch: row.kind === 'performance' ? row.batch : undefined,
  };
}

/** The same cell of another run. Accuracy is that of all images, whatever the batch. */
function counterpart(cell: StoredCell, run: StoredRun): StoredCell | undefined {
  return run.cells.find(
    (other) =>
      sameVariant(other.variant, cell.variant) &&
      other.device.row.name === cell.device.row.name &&
      other.row.kind === cell.row.kind &&
      (other.row.batch === cell.row.batch || cell.row.kind === 'accuracy'),
  );
}

function sameVariant(one: VariantRow, other: VariantRow): boolean {
  return one.model === other.model && one.recipe === other.recipe;
}

/** Why two cells cannot be compared; undefined when both are done. */
function obstacleBetween(
  reference: StoredCell,
  cell: StoredCell,
): Pick<Uncompared, 'why' | 'failed'> | undefined {
  const [then, now] = [reference.row, cell.row];
  const reason = (row: typeof now): string => format.oneLine(reasonText(row.reason));
  const wasDone = then.status === 'done';
  if (now.status === 'failed') return { why: `failed: ${reason(now)}`, failed: wasDone };
  if (now.status === 'unsupported') return { why: `not supported: ${reason(now)}`, failed: wasDone };
  if (now.status === 'pending') return { why: 'not measured yet', failed: false };
  if (!wasDone)
    return {
      why:
        then.status === 'pending'
          ? 'not measured in the reference'
          : `failed in the reference: ${reason(then)}`,
      failed: false,
    };
  return undefined;
}

function fileQuestions(reference: StoredRun, run: StoredRun): Asked[] {
  return run.variants.flatMap((variant) => {
    const other = reference.variants.find((each) => sameVariant(each, variant));
    if (other === undefined) return [];
    const { model, recipe } = variant;
    const subject = { model, recipe, device: undefined, batch: undefined };
    return [{ subject, effect: fileEffect(other.file_bytes, variant.file_bytes), floor: undefined }];
  });
}

function notesOf(
  reference: StoredRun,
  run: StoredRun,
  harmless: readonly Difference[],
  floorOf: FloorOf,
  interleaved: boolean,
): string[] {
  const notes = missingFloors(run, floorOf, interleaved);
  for (const { row } of [reference, run])
    if (row.ended_at === null) notes.push(`Run ${row.id} is not finished.`);
  notes.push(...harmless.map((each) => `Also different: ${differenceInWords(each)}.`));
  return notes;
}

/** Refuses runs that have nothing to be compared in. */
function refuseStrangers(reference: StoredRun, run: StoredRun): void {
  if (run.cells.some((cell) => counterpart(cell, reference) !== undefined)) return;
  const of = ({ row, devices, variants }: StoredRun): string => {
    const names = (list: readonly string[]): string => [...new Set(list)].join(', ');
    const made = names(variants.map(({ model, recipe }) => `${model} / ${recipe}`));
    return `${row.id} (${row.suite}: ${made} on ${names(devices.map((device) => device.row.name))})`;
  };
  throw new InputError({
    source: 'compare',
    found: `nothing that is both in ${of(reference)} and in ${of(run)}`,
    expected: 'two runs with a variant, a device and a batch size in common',
  });
}

function refusal(reference: StoredRun, run: StoredRun, differences: readonly Difference[]): InputError {
  return new InputError({
    source: 'compare',
    found: `runs that were not made alike:\n${differences.map((each) => `  ${differenceInWords(each)}`).join('\n')}\n`,
    expected: `that ${reference.row.id} and ${run.row.id} were made on the same machine, with the same software, images and models`,
    hint: 'What differs may be all that the figures show. --force compares them anyway, and says so in the result.',
  });
}
