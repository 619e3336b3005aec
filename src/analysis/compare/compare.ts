import { InputError } from '../../base/errors.js';
import { parseFailure } from '../../protocol/failure.js';
import type { StoredFloor } from '../../store/floors.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';
import { isScored } from '../figures/accuracy.js';
import { baselineCell } from '../figures/baseline.js';
import { metricsOf } from './cell-metrics.js';
import { flagsOf, type Flag } from '../figures/validity.js';
import { sizesOf } from '../figures/size.js';
import { differencesOf, type Difference } from './differences.js';
import type { Metric } from '../../base/metric.js';
import { effectOf, fileEffect, type CellPair, type Effect } from './effect.js';
import { floorsFor, missingFloors, type MissingFloor } from './floors.js';
import { devicesInTurn } from './in-turn.js';
import type { Obstacle } from './obstacle.js';
import { judge, type Judgement } from './judge.js';

/** What is compared: a variant, on a device and at a batch size where it depends on them. */
export interface Subject {
  readonly model: string;
  readonly recipe: string;
  readonly device: string | undefined;
  readonly batch: number | undefined;
  /** Of the p99 at the highest rate, in milliseconds; left out of everything else. */
  readonly bound?: number;
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
  readonly obstacle: Obstacle;
  /** Whether the reference had it and the other run failed at it. */
  readonly failed: boolean;
}

/** What speaks against a timed cell in one of the runs. */
export interface Doubt {
  readonly subject: Subject;
  readonly of: 'reference' | 'new';
  readonly flags: readonly Flag[];
}

/** What a reader of a comparison should know. */
export type CompareNote =
  | MissingFloor
  | { readonly kind: 'run-unfinished'; readonly run: string }
  /** Not what makes runs incomparable, but what may matter. */
  | { readonly kind: 'also-different'; readonly difference: Difference };

/** Two runs side by side. */
export interface Comparison {
  readonly reference: StoredRun;
  readonly run: StoredRun;
  /** What differs and should not: none unless the comparison was forced. */
  readonly forced: readonly Difference[];
  /** What a reader should know. */
  readonly notes: readonly CompareNote[];
  /** In the order of the newer run's suite. */
  readonly compared: readonly Compared[];
  readonly uncompared: readonly Uncompared[];
  /** Of the cells that were compared. */
  readonly doubts: readonly Doubt[];
  /** Devices on which both runs were measured in turn, so that their rounds are compared one by one: see `devicesInTurn`. */
  readonly inTurn: ReadonlySet<string>;
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
 * Compares two runs cell by cell. Cells are the same when the names of model, recipe and device, the kind, the batch size and the
 * bound of the p99 are.
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

  const inTurn = devicesInTurn(reference, run);
  const floorOf = floorsFor(run, options.floors);
  const asked: Asked[] = [];
  const uncompared: Uncompared[] = [];
  const doubts: Doubt[] = [];
  for (const cell of run.cells) {
    const kinds = metricsOf(cell, options.p90);
    if (kinds.length === 0) continue;
    const subject = subjectOf(cell);
    const other = counterpart(cell, reference);
    const between = other
      ? obstacleBetween(other, cell)
      : { obstacle: { kind: 'not-in-reference' } as const, failed: false };
    if (other === undefined || between !== undefined) {
      if (between) uncompared.push({ subject, metrics: kinds, ...between });
      continue;
    }
    if (isTimedKind(cell))
      for (const [of, doubted] of [
        ['reference', other],
        ['new', cell],
      ] as const) {
        const flags = flagsOf(doubted);
        if (flags.length > 0) doubts.push({ subject, of, flags });
      }
    const interleaved = inTurn.has(cell.device.row.name);
    const scored = isScored(other.variant, reference.data) && isScored(cell.variant, run.data);
    for (const metric of kinds) {
      const baselines = baselinesOf(other, reference, cell, run);
      const effect = effectOf(metric, { reference: other, cell, interleaved, scored, baselines });
      if ('obstacle' in effect) {
        const { obstacle } = effect;
        // What met the bound and does not any more became worse, though there is no figure to say by how much.
        const failed = obstacle.kind === 'bound-not-met' && obstacle.run === 'new';
        uncompared.push({ subject, metrics: [metric], obstacle, failed });
      } else asked.push({ subject, effect, floor: floorOf(cell, metric, effect.observations, interleaved) });
    }
  }
  for (const cell of reference.cells)
    if (metricsOf(cell, options.p90).length > 0 && counterpart(cell, run) === undefined)
      uncompared.push({
        ...{ subject: subjectOf(cell), metrics: metricsOf(cell, options.p90) },
        ...{ obstacle: { kind: 'not-in-new-run' }, failed: false },
      });
  asked.push(...fileQuestions(reference, run));
  return {
    ...{ reference, run, forced: serious, uncompared, doubts, inTurn },
    notes: notesOf(reference, run, harmless, options.floors, inTurn),
    compared: judge(asked).map(({ subject, judgement }) => ({ subject, judgement })),
  };
}

interface Asked {
  readonly subject: Subject;
  readonly effect: Effect;
  readonly floor: number | undefined;
}

function subjectOf({ variant, device, row }: StoredCell): Subject {
  const { model, recipe } = variant;
  return {
    model,
    recipe,
    device: device.row.name,
    batch: row.kind === 'accuracy' ? undefined : row.batch,
    ...(row.bound_ms !== null && { bound: row.bound_ms }),
  };
}

function isTimedKind({ row }: StoredCell): boolean {
  return row.kind !== 'accuracy' && row.kind !== 'kernels';
}

/** The fp32 cells that two are relative to; undefined for fp32 itself, and unless both runs have one. */
function baselinesOf(
  other: StoredCell,
  reference: StoredRun,
  cell: StoredCell,
  run: StoredRun,
): CellPair['baselines'] {
  const [then, now] = [baselineCell(other, reference), baselineCell(cell, run)];
  return then && now && { reference: then, cell: now };
}

/** The same cell of another run. Accuracy is that of all images, whatever the batch. */
function counterpart(cell: StoredCell, run: StoredRun): StoredCell | undefined {
  return run.cells.find(
    (other) =>
      sameVariant(other.variant, cell.variant) &&
      other.device.row.name === cell.device.row.name &&
      other.row.kind === cell.row.kind &&
      other.row.bound_ms === cell.row.bound_ms &&
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
): Pick<Uncompared, 'obstacle' | 'failed'> | undefined {
  const [then, now] = [reference.row, cell.row];
  const wasDone = then.status === 'done';
  const of = (run: 'reference' | 'new', { status, reason }: typeof now): Obstacle => {
    if (status !== 'failed' && status !== 'unsupported') return { kind: 'pending', run };
    return { kind: status, run, failure: parseFailure(reason ?? 'no reason was stored') };
  };
  if (now.status !== 'done') return { obstacle: of('new', now), failed: wasDone && now.status !== 'pending' };
  return wasDone ? undefined : { obstacle: of('reference', then), failed: false };
}

function fileQuestions(reference: StoredRun, run: StoredRun): Asked[] {
  return run.variants.flatMap((variant) => {
    const other = reference.variants.find((each) => sameVariant(each, variant));
    const [then, now] = [other && sizesOf(other), sizesOf(variant)];
    if (then === undefined || now === undefined) return [];
    const { model, recipe } = variant;
    const subject = { model, recipe, device: undefined, batch: undefined };
    return [{ subject, effect: fileEffect(then.fileBytes, now.fileBytes), floor: undefined }];
  });
}

function notesOf(
  reference: StoredRun,
  run: StoredRun,
  harmless: readonly Difference[],
  floors: readonly StoredFloor[],
  inTurn: ReadonlySet<string>,
): CompareNote[] {
  const unfinished = [reference, run].filter(({ row }) => row.ended_at === null);
  return [
    ...missingFloors(run, floors, (device) => inTurn.has(device)),
    ...unfinished.map(({ row }) => ({ kind: 'run-unfinished' as const, run: row.id })),
    ...harmless.map((difference) => ({ kind: 'also-different' as const, difference })),
  ];
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
    found: `runs that differ in their setup:\n${differences.map(({ what, reference: then, value }) => `  ${what}: ${then} in the reference, ${value} in the new run`).join('\n')}\n`,
    expected: `that ${reference.row.id} and ${run.row.id} were made on the same machine, with the same software, images and models`,
    hint: 'These differences alone may explain the figures. --force compares the runs anyway, and says so in the result.',
  });
}
