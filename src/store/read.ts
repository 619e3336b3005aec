import { storedGatesSchema, type Gate } from '../base/gate.js';
import type { PluginRecord } from '../base/plugin.js';
import type { z } from 'zod';
import { InputError } from '../base/errors.js';
import { conditionsSchema, type Conditions } from '../protocol/conditions.js';
import type { Placement } from '../protocol/disturbance.js';
import { environmentSchema, type Environment } from '../protocol/environment.js';
import type { KernelTime } from '../protocol/kernels.js';
import { checkedRows, damagedRow } from './checked.js';
import { pluginsSchema, runDataSchema, timesSchema } from './content.js';
import { liveHolders, type Holder } from './lease.js';
import type { Db } from './open.js';
import { nodeWorkSchema, type NodeWork } from './node-work.js';
import { stoppingSchema, type Stopping } from './stopping.js';
import type { CellRow, DeviceRow, RoundRow, RunRow, VariantRow } from './tables.js';

/**
 * How far a run is. `running`: a process works on it. `unfinished`: it was interrupted. `complete`: every cell was measured, or is
 * not supported by its device. `partly failed`: some cells failed. `failed`: it ended and nothing was measured.
 */
export type RunStatus = 'running' | 'unfinished' | 'complete' | 'partly failed' | 'failed';

/** A run in a list of runs. */
export interface RunSummary {
  readonly id: string;
  readonly suite: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly cells: number;
  readonly done: number;
  /** Not measured yet. */
  readonly pending: number;
  readonly failed: number;
  readonly state: RunStatus;
  /** Who works on it; null: nobody. */
  readonly holder: Holder | null;
  /** Names it has as a baseline. */
  readonly baselines: readonly string[];
}

/** All runs, the newest first. */
export async function listRuns(db: Db): Promise<RunSummary[]> {
  const rows = await db
    .selectFrom('runs')
    .leftJoin('cells', 'cells.run_id', 'runs.id')
    .select(({ fn, eb }) => [
      'runs.id',
      'runs.suite',
      'runs.started_at',
      'runs.ended_at',
      fn.count<number>('cells.id').as('cells'),
      fn.sum<number>(eb.case().when('cells.status', '=', 'done').then(1).else(0).end()).as('done'),
      fn.sum<number>(eb.case().when('cells.status', '=', 'pending').then(1).else(0).end()).as('pending'),
      fn.sum<number>(eb.case().when('cells.status', '=', 'failed').then(1).else(0).end()).as('failed'),
    ])
    .groupBy('runs.id')
    .orderBy('runs.started_at', 'desc')
    .orderBy('runs.id', 'desc')
    .execute();
  const holders = await liveHolders(db, Date.now());
  const names = await db.selectFrom('baselines').select(['run_id', 'name']).orderBy('name').execute();
  return rows.map(({ started_at, ended_at, ...row }) => ({
    ...row,
    startedAt: started_at,
    endedAt: ended_at,
    state: holders.has(row.id) ? 'running' : stateOf(ended_at, row),
    holder: holders.get(row.id) ?? null,
    baselines: names.filter(({ run_id }) => run_id === row.id).map(({ name }) => name),
  }));
}

function stateOf(endedAt: string | null, { done, failed }: { done: number; failed: number }): RunStatus {
  if (endedAt === null) return 'unfinished';
  if (done === 0) return 'failed';
  return failed > 0 ? 'partly failed' : 'complete';
}

/**
 * The run that a user names.
 *
 * @param id - an id or the beginning of one
 * @throws InputError when there is none, or more than one begins so
 */
export async function findRun(db: Db, id: string): Promise<RunRow> {
  const rows = await runsBeginning(db, id);
  const [first, ...others] = rows;
  if (first === undefined)
    throw new InputError({
      source: 'run',
      found: id,
      expected: 'a stored run',
      hint: '"edgeflex runs" lists them.',
    });
  const exact = rows.find((row) => row.id === id);
  if (exact) return exact;
  if (others.length > 0)
    throw new InputError({
      source: 'run',
      found: `${id}, with which ${rows.length} runs begin`,
      expected: `one of ${rows.map((row) => row.id).join(', ')}`,
    });
  return first;
}

/**
 * Runs whose id begins so, the newest first.
 *
 * @param beginning - of an id; an empty one finds all runs
 */
export async function runsBeginning(db: Db, beginning: string): Promise<RunRow[]> {
  const all = await db.selectFrom('runs').selectAll().orderBy('started_at', 'desc').execute();
  return checkedRows(db, 'runs', all).filter((row) => row.id.startsWith(beginning));
}

/** One round of a cell with its raw data. */
export interface StoredRound {
  readonly row: RoundRow;
  /** Milliseconds by phase. */
  readonly phases: ReadonlyMap<string, number>;
  /** Processor time of the agent by phase, in milliseconds; without the phases of which the device does not tell. */
  readonly cpuPhases: ReadonlyMap<string, number>;
  /** Of the device's cores; undefined where it does not matter or cannot be seen, and in runs of older versions. */
  readonly placement: Placement | undefined;
  /** Bytes by phase and figure. */
  readonly memory: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What the device was like, in the order it was seen. */
  readonly conditions: readonly { readonly phase: string; readonly conditions: Conditions }[];
  /** Latencies in order, in milliseconds. */
  readonly samples: readonly number[];
  readonly kernels: readonly KernelTime[];
  /** What `kernels` is the sum of, in the order they were called; none in runs of older versions. */
  readonly nodes: readonly StoredNode[];
}

/** A node of a profiled model. */
export interface StoredNode {
  readonly node: string;
  /** Operator that was executed, after the runtime's own fusions. */
  readonly opType: string;
  readonly provider: string;
  /** How often in a query. */
  readonly calls: number;
  /** In each query, on the processor. */
  readonly milliseconds: readonly number[];
  /** In each query, on the GPU by its own clock; undefined where there is none. */
  readonly gpuMilliseconds: readonly number[] | undefined;
  /** What it computes and moves in a query; undefined where that is not known. */
  readonly work: NodeWork | undefined;
}

/** A cell with its rounds. */
export interface StoredCell {
  readonly row: CellRow;
  readonly variant: VariantRow;
  readonly device: StoredDevice;
  readonly rounds: readonly StoredRound[];
  /** Why it got no more rounds; undefined where their number was fixed. */
  readonly stopping: Stopping | undefined;
  /** Class given to each test image, and the right one; only cells of accuracy have them. */
  readonly predictions:
    { readonly labels: readonly number[]; readonly predicted: readonly number[] } | undefined;
  /** `[images, classes]` of the same images; of runs with several devices only, which are compared by them. */
  readonly logits: Logits | undefined;
}

/** Logits of test images 0, 1, 2 …. */
export interface Logits {
  readonly classes: number;
  /** `[images, classes]` */
  readonly values: Float32Array;
}

/** A device of a run. */
export interface StoredDevice {
  readonly row: DeviceRow;
  readonly environment: Environment;
}

/** What a run was scored on. */
export type RunData = z.infer<typeof runDataSchema>;

/** A whole run. */
export interface StoredRun {
  readonly row: RunRow;
  readonly data: RunData;
  /** That took part; none in runs of older versions. */
  readonly plugins: readonly PluginRecord[];
  /** Of its suite; none in runs of older versions. */
  readonly gates: readonly Gate[];
  readonly devices: readonly StoredDevice[];
  readonly variants: readonly VariantRow[];
  readonly cells: readonly StoredCell[];
}

/**
 * Reads a run with all its raw data.
 *
 * @param run - which run
 */
export async function loadRun(db: Db, run: RunRow): Promise<StoredRun> {
  const devices = await storedDevices(db, run.id);
  const variants = await db
    .selectFrom('variants')
    .selectAll()
    .where('run_id', '=', run.id)
    .orderBy('position')
    .execute();
  const cellRows = await db
    .selectFrom('cells')
    .selectAll()
    .where('run_id', '=', run.id)
    .orderBy('id')
    .execute();
  checkedRows(db, 'runs', [run]);
  checkedRows(db, 'variants', variants);
  const cells: StoredCell[] = [];
  for (const row of checkedRows(db, 'cells', cellRows)) {
    const variant = variants.find(({ id }) => id === row.variant_id);
    const device = devices.find((each) => each.row.id === row.device_id);
    if (variant === undefined || device === undefined)
      throw damagedRow(
        ...([db, 'cells', `id ${row.id}: ${variant ? 'device_id' : 'variant_id'}`] as const),
        ...(['one that the run does not have', 'a variant and a device of the run'] as const),
      );
    const rounds = await roundsOf(db, row.id);
    cells.push({
      ...{ row, variant, device, rounds },
      stopping: row.stopping_json === null ? undefined : stoppingSchema.parse(JSON.parse(row.stopping_json)),
      predictions: row.kind === 'accuracy' ? await predictionsOf(db, row.id) : undefined,
      logits: row.kind === 'accuracy' && devices.length > 1 ? await loadLogits(db, row.id) : undefined,
    });
  }
  return {
    ...{ row: run, devices, variants, cells },
    data: runDataSchema.parse(JSON.parse(run.data_json)),
    gates: run.gates_json === null ? [] : storedGatesSchema.parse(JSON.parse(run.gates_json)),
    plugins: run.plugins_json === null ? [] : pluginsSchema.parse(JSON.parse(run.plugins_json)),
  };
}

/** The devices of a run. */
export async function storedDevices(db: Db, runId: string): Promise<StoredDevice[]> {
  const rows = await db.selectFrom('devices').selectAll().where('run_id', '=', runId).orderBy('id').execute();
  return checkedRows(db, 'devices', rows).map((row) => ({
    row,
    environment: environmentSchema.parse(JSON.parse(row.environment_json)),
  }));
}

/** Whether anything that was measured on a device of a run is stored. */
export async function hasRounds(db: Db, deviceId: number): Promise<boolean> {
  const round = await db
    .selectFrom('rounds')
    .innerJoin('cells', 'cells.id', 'rounds.cell_id')
    .select('rounds.id')
    .where('cells.device_id', '=', deviceId)
    .executeTakeFirst();
  return round !== undefined;
}

/** The rounds of a cell that are stored. */
export async function storedRounds(db: Db, cellId: number): Promise<number[]> {
  const rows = await db.selectFrom('rounds').select('round').where('cell_id', '=', cellId).execute();
  return rows.map(({ round }) => round);
}

/**
 * Latencies of a cell's rounds with numbers below a bound, in milliseconds.
 *
 * @param before - the bound
 */
export async function storedSamples(
  db: Db,
  cellId: number,
  before: number,
): Promise<Map<number, readonly number[]>> {
  const rows = await db
    .selectFrom('samples')
    .innerJoin('rounds', 'rounds.id', 'samples.round_id')
    .select(['round', 'milliseconds'])
    .where('rounds.cell_id', '=', cellId)
    .where('round', '<', before)
    .orderBy('round')
    .orderBy('query')
    .execute();
  const samples = new Map<number, number[]>();
  for (const { round, milliseconds } of checkedRows(db, 'samples', rows, `cell ${cellId}`)) {
    const known = samples.get(round);
    if (known) known.push(milliseconds);
    else samples.set(round, [milliseconds]);
  }
  return samples;
}

async function roundsOf(db: Db, cellId: number): Promise<StoredRound[]> {
  const rows = await db
    .selectFrom('rounds')
    .selectAll()
    .where('cell_id', '=', cellId)
    .orderBy('round')
    .execute();
  return Promise.all(
    checkedRows(db, 'rounds', rows).map(async (row): Promise<StoredRound> => {
      const phases = await db.selectFrom('phases').selectAll().where('round_id', '=', row.id).execute();
      const memoryRows = await db.selectFrom('memory').selectAll().where('round_id', '=', row.id).execute();
      const memory = new Map<string, Map<string, number>>();
      for (const { phase, figure, bytes } of memoryRows)
        memory.set(phase, (memory.get(phase) ?? new Map<string, number>()).set(figure, bytes));
      const conditions = await db
        .selectFrom('conditions')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('sequence')
        .execute();
      const samples = await db
        .selectFrom('samples')
        .select('milliseconds')
        .where('round_id', '=', row.id)
        .orderBy('query')
        .execute();
      const kernels = await db
        .selectFrom('kernels')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('milliseconds', 'desc')
        .execute();
      const nodes = await db
        .selectFrom('kernel_nodes')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('sequence')
        .execute();
      const owner = `round ${row.id}`;
      checkedRows(db, 'phases', phases, owner);
      checkedRows(db, 'memory', memoryRows, owner);
      checkedRows(db, 'conditions', conditions, owner);
      checkedRows(db, 'samples', samples, owner);
      checkedRows(db, 'kernels', kernels, owner);
      checkedRows(db, 'kernel_nodes', nodes, owner);
      return {
        row,
        phases: new Map(phases.map(({ phase, milliseconds }) => [phase, milliseconds])),
        cpuPhases: new Map(
          phases.flatMap(({ phase, cpu_milliseconds: cpu }) => (cpu === null ? [] : [[phase, cpu] as const])),
        ),
        placement: placementIn(row),
        memory,
        conditions: conditions.map(({ phase, conditions_json }) => ({
          phase,
          conditions: conditionsSchema.parse(JSON.parse(conditions_json)),
        })),
        samples: samples.map(({ milliseconds }) => milliseconds),
        kernels: kernels.map(({ op_type, provider, calls, milliseconds, gpu_milliseconds: gpu }) => ({
          opType: op_type,
          provider,
          calls,
          milliseconds,
          ...(gpu === null ? {} : { gpuMilliseconds: gpu }),
        })),
        nodes: nodes.map(
          ({ node, op_type, provider, calls, times_json, gpu_times_json: gpu, work_json: work }) => ({
            ...{ node, opType: op_type, provider, calls },
            milliseconds: timesSchema.parse(JSON.parse(times_json)),
            gpuMilliseconds: gpu === null ? undefined : timesSchema.parse(JSON.parse(gpu)),
            work: work === null ? undefined : nodeWorkSchema.parse(JSON.parse(work)),
          }),
        ),
      };
    }),
  );
}

function placementIn({
  core_latency_before: before,
  core_latency_after: after,
}: RoundRow): Placement | undefined {
  return before === null || after === null ? undefined : { before, after };
}

async function predictionsOf(db: Db, cellId: number): Promise<StoredCell['predictions']> {
  const rows = await db
    .selectFrom('predictions')
    .innerJoin('rounds', 'rounds.id', 'predictions.round_id')
    .select(['label', 'predicted'])
    .where('rounds.cell_id', '=', cellId)
    .orderBy('image')
    .execute();
  if (rows.length === 0) return undefined;
  checkedRows(db, 'predictions', rows, `cell ${cellId}`);
  return { labels: rows.map(({ label }) => label), predicted: rows.map(({ predicted }) => predicted) };
}

/**
 * The logits of test images `0 … count-1` that a cell of accuracy stored.
 *
 * @returns `[count, classes]`; undefined when the cell has none
 */
export async function loadLogits(db: Db, cellId: number): Promise<Logits | undefined> {
  const rows = await db
    .selectFrom('logits')
    .innerJoin('rounds', 'rounds.id', 'logits.round_id')
    .select(['classes', 'data'])
    .where('rounds.cell_id', '=', cellId)
    .orderBy('first')
    .execute();
  const [first] = checkedRows(db, 'logits', rows, `cell ${cellId}`);
  if (first === undefined) return undefined;
  for (const [index, { classes, data }] of rows.entries())
    if (classes !== first.classes || classes < 1 || data.length % (4 * classes) !== 0)
      throw damagedRow(
        ...([db, 'logits', `cell ${cellId}, row ${index}`] as const),
        ...([
          `${data.length} bytes of ${classes} classes`,
          `float32 for each of ${first.classes} classes`,
        ] as const),
      );
  const bytes = new Uint8Array(Buffer.concat(rows.map(({ data }) => data)));
  return { classes: first.classes, values: new Float32Array(bytes.buffer) };
}
