import { randomUUID } from 'node:crypto';
import { defined } from '../base/defined.js';
import type { NodeTime } from '../protocol/events.js';
import type { Placement } from '../protocol/disturbance.js';
import type { CellFailure } from '../protocol/failure.js';
import { predictedClasses, type Measurement } from '../protocol/measurement.js';
import type { NodeWork } from './node-work.js';
import type { Db } from './open.js';
import { insertRows, prepareMonths, type RoundTable } from './raw.js';
import { hasRounds } from './rounds.js';
import type { Stopping } from './stopping.js';
import type { CellRow, NewCell, NewDevice, NewRun, NewVariant, VariantRow } from './tables.js';

/** Records the start of a run; one without a global id gets one. */
export async function insertRun(db: Db, run: NewRun): Promise<void> {
  await db
    .insertInto('runs')
    .values({ uid: randomUUID(), ...run })
    .execute();
}

/** Marks a run as complete. */
export async function endRun(db: Db, id: string, at: string): Promise<void> {
  await db.updateTable('runs').set({ ended_at: at }).where('id', '=', id).execute();
}

/**
 * Records a device of a run, or finds the record that an interrupted execution left. One that nothing was measured on may be
 * another by now: a board that could not be reached.
 */
export async function upsertDevice(db: Db, device: NewDevice): Promise<number> {
  const known = await db
    .selectFrom('devices')
    .select('id')
    .where('run_id', '=', device.run_id)
    .where('name', '=', device.name)
    .executeTakeFirst();
  if (known) {
    if (!(await hasRounds(db, known.id)))
      await db.updateTable('devices').set(device).where('id', '=', known.id).execute();
    return known.id;
  }
  return (await db.insertInto('devices').values(device).returning('id').executeTakeFirstOrThrow()).id;
}

/** The artifact of a variant of which nothing could be made; its bytes and parameters are 0, which no model has. */
export const NOTHING_MADE = '';

/**
 * Records a variant of a run, or finds the record that an interrupted execution left. One of which nothing could be made may have
 * become one by now.
 */
export async function upsertVariant(
  db: Db,
  variant: NewVariant,
): Promise<Pick<VariantRow, 'id' | 'artifact'>> {
  const known = await db
    .selectFrom('variants')
    .select(['id', 'artifact'])
    .where('run_id', '=', variant.run_id)
    .where('model', '=', variant.model)
    .where('recipe', '=', variant.recipe)
    .executeTakeFirst();
  if (known?.artifact === NOTHING_MADE) {
    await db.updateTable('variants').set(variant).where('id', '=', known.id).execute();
    return { ...known, artifact: variant.artifact };
  }
  return (
    known ?? db.insertInto('variants').values(variant).returning(['id', 'artifact']).executeTakeFirstOrThrow()
  );
}

/** Records a cell that is to be measured, or finds the record that an interrupted execution left. */
export async function upsertCell(db: Db, cell: NewCell): Promise<CellRow> {
  const known = await db
    .selectFrom('cells')
    .selectAll()
    .where('variant_id', '=', cell.variant_id)
    .where('device_id', '=', cell.device_id)
    .where('kind', '=', cell.kind)
    .where('batch', '=', cell.batch)
    .executeTakeFirst();
  if (known === undefined)
    return db.insertInto('cells').values(cell).returningAll().executeTakeFirstOrThrow();
  if (known.file_bytes !== null || cell.file_bytes === null) return known;
  // Nothing could be made of its variant then.
  const { form, file_bytes } = cell;
  await db.updateTable('cells').set({ form, file_bytes }).where('id', '=', known.id).execute();
  return { ...known, form: form ?? null, file_bytes: file_bytes ?? null };
}

/**
 * Says how a cell ended.
 *
 * @param reason - of one that failed or is not supported
 * @param stopping - why it got no more rounds, where their number was not fixed
 */
export async function endCell(
  db: Db,
  id: number,
  status: 'done' | 'failed' | 'unsupported',
  reason: CellFailure | null,
  stopping?: Stopping,
): Promise<void> {
  const stopping_json = stopping ? JSON.stringify(stopping) : null;
  await db
    .updateTable('cells')
    .set({ status, reason: reason && JSON.stringify(reason), stopping_json })
    .where('id', '=', id)
    .execute();
}

/** Says that a cell is to have so many rounds, and is not done before. */
export async function expectRounds(db: Db, id: number, rounds: number): Promise<void> {
  await db.updateTable('cells').set({ status: 'pending', rounds }).where('id', '=', id).execute();
}

/**
 * Opens a run again: failed cells are pending, so that the execution tries them once more, and the run has not ended. All of it or
 * nothing happens.
 */
export async function reopenRun(db: Db, runId: string): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const failed = transaction
      .selectFrom('cells')
      .select('id')
      .where('run_id', '=', runId)
      .where('status', '=', 'failed');
    await transaction.deleteFrom('rounds').where('cell_id', 'in', failed).execute();
    await transaction
      .updateTable('cells')
      .set({ status: 'pending', reason: null })
      .where('run_id', '=', runId)
      .where('status', '=', 'failed')
      .execute();
    await transaction.updateTable('runs').set({ ended_at: null }).where('id', '=', runId).execute();
  });
}

/** When and where in the run a round was measured. */
export interface RoundPlace {
  readonly cellId: number;
  readonly round: number;
  readonly position: number;
  readonly startedAt: string;
  readonly seconds: number;
  /** Of the device's cores; left out where it does not matter or cannot be seen. */
  readonly placement?: Placement | undefined;
  /** How often it was measured again because others had disturbed it. */
  readonly repeats?: number;
}

/** A node of a profiled model. */
export interface ProfiledNode {
  readonly time: NodeTime;
  /** What it computes and moves in a query; undefined where that is not known. */
  readonly work: NodeWork | undefined;
}

/** What was made of the outputs of a variant without a head. */
export interface EmbeddingScores {
  /** The class that the neighbours of each test image vote for, by its index; undefined where images were not classified. */
  readonly predicted?: readonly number[] | undefined;
  /** Of each test image's embedding and the baseline's; undefined where there is none. */
  readonly cosines?: readonly number[] | undefined;
}

/**
 * Stores a round with all its raw data, in one transaction: it is there whole or not at all.
 *
 * @param place - which round
 * @param measurement - what it yielded
 * @param labels - the class of each test image, by its index
 * @param keepPredictions - whether the logits are those of test images 0, 1, 2 …, to be stored as predictions
 * @param nodes - of the measurement, with what they compute
 * @param embedded - given where the outputs are embeddings and no logits: what was made of them
 */
export async function insertRound(
  db: Db,
  place: RoundPlace,
  measurement: Measurement,
  labels: ArrayLike<number>,
  keepPredictions: boolean,
  nodes: readonly ProfiledNode[] = [],
  embedded?: EmbeddingScores,
): Promise<void> {
  const { started, warmup, phases, conditions, latencies, trials, logits, kernels } = measurement;
  await db.transaction().execute(async (transaction) => {
    await prepareMonths(transaction, [place.startedAt]);
    const { id } = await transaction
      .insertInto('rounds')
      .values({
        cell_id: place.cellId,
        round: place.round,
        position: place.position,
        started_at: place.startedAt,
        seconds: place.seconds,
        runtime_json: started ? JSON.stringify(started.runtime) : null,
        session_json: started ? JSON.stringify(started.session) : null,
        platform: started?.platform ?? null,
        core_latency_before: place.placement?.before ?? null,
        core_latency_after: place.placement?.after ?? null,
        repeats: place.repeats ?? null,
        peak_is_of_phase: null,
        memory_means: started?.memoryMeans ?? null,
        warmup_queries: warmup?.queries ?? null,
        steady: warmup ? Number(warmup.steady) : null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const insert = (table: RoundTable, rows: readonly object[]): Promise<void> =>
      insertRows(transaction, table, [{ id, startedAt: place.startedAt, rows }]);
    await insert(
      'phases',
      phases.map(({ phase, milliseconds, cpuMilliseconds }) => ({
        ...{ phase, milliseconds },
        cpu_milliseconds: cpuMilliseconds ?? null,
      })),
    );
    await insert(
      'memory',
      phases.flatMap(({ phase, memory }) =>
        Object.entries(memory).map(([figure, bytes]) => ({ phase, figure, bytes })),
      ),
    );
    await insert(
      'conditions',
      conditions.map(({ phase, conditions: seen }, sequence) => ({
        sequence,
        phase,
        conditions_json: JSON.stringify(seen),
      })),
    );
    await insert(
      'samples',
      latencies.map((milliseconds, query) => ({ query, milliseconds })),
    );
    await insert(
      'trials',
      trials.map(({ rate, planned }, trial) => ({ trial, rate, planned })),
    );
    await insert(
      'served',
      trials.flatMap(({ scheduled, started: starts, ended }, trial) =>
        ended.map((end, query) => ({
          ...{ trial, query, ended: end },
          ...{
            scheduled: defined(scheduled[query], 'an arrival'),
            started: defined(starts[query], 'a start'),
          },
        })),
      ),
    );
    await insert(
      'kernels',
      kernels.map(({ opType, gpuMilliseconds, ...kernel }) => ({
        op_type: opType,
        ...kernel,
        gpu_milliseconds: gpuMilliseconds ?? null,
      })),
    );
    await insert(
      'kernel_nodes',
      nodes.map(
        (
          { time: { node, opType, provider, calls, milliseconds, gpuMilliseconds: gpu }, work },
          sequence,
        ) => ({
          ...{ sequence, node, op_type: opType, provider, calls, times_json: JSON.stringify(milliseconds) },
          gpu_times_json: gpu ? JSON.stringify(gpu) : null,
          work_json: work ? JSON.stringify(work) : null,
        }),
      ),
    );
    const portions = logits.map(({ first, classes, values }) => ({
      first,
      classes,
      data: Buffer.from(values.buffer, values.byteOffset, values.byteLength),
    }));
    if (embedded === undefined) await insert('logits', portions);
    else
      await insert(
        'embeddings',
        portions.map(({ first, classes: width, data }) => ({ first, width, data })),
      );
    const prediction = (image: number, predicted: number): object => {
      return { image, label: defined(labels[image], `the label of image ${image}`), predicted };
    };
    if (keepPredictions && embedded === undefined)
      await insert(
        'predictions',
        logits.flatMap((part) =>
          predictedClasses(part).map((predicted, index) => prediction(part.first + index, predicted)),
        ),
      );
    const { predicted = [], cosines = [] } = embedded ?? {};
    await insert(
      'predictions',
      predicted.map((choice, image) => prediction(image, choice)),
    );
    await insert(
      'cosines',
      cosines.map((cosine, image) => ({ image, cosine })),
    );
  });
}
