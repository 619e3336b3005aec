import { designSchema, type Design } from '../base/design.js';
import { storedGatesSchema, type Gate } from '../base/gate.js';
import type { PluginRecord } from '../base/plugin.js';
import type { z } from 'zod';
import { InputError } from '../base/errors.js';
import { environmentSchema, type Environment } from '../protocol/environment.js';
import { checkedRows, damagedRow } from './checked.js';
import { pluginsSchema, runDataSchema } from './content.js';
import { liveHolders, type Holder } from './lease.js';
import type { Db } from './open.js';
import { roundsOfRun, type StoredRound } from './rounds.js';
import { stoppingSchema, type Stopping } from './stopping.js';
import type { CellRow, DeviceRow, RunRow, VariantRow } from './tables.js';
import { NOTHING_MADE } from './write.js';
import { takeoversOf, type Takeover } from './takeover.js';

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

/**
 * Runs, the newest first.
 *
 * @param db - the store
 * @param suite - of the runs; left out, all of them
 */
export async function listRuns(db: Db, suite?: string): Promise<RunSummary[]> {
  const all = db
    .selectFrom('runs')
    .leftJoin('cells', 'cells.run_id', 'runs.id')
    .select(({ fn }) => [
      'runs.id',
      'runs.suite',
      'runs.started_at',
      'runs.ended_at',
      fn.count<number>('cells.id').as('cells'),
      fn.count<number>('cells.id').filterWhere('cells.status', '=', 'done').as('done'),
      fn.count<number>('cells.id').filterWhere('cells.status', '=', 'pending').as('pending'),
      fn.count<number>('cells.id').filterWhere('cells.status', '=', 'failed').as('failed'),
    ])
    .groupBy('runs.id')
    .orderBy('runs.started_at', 'desc')
    .orderBy('runs.id', 'desc');
  const rows = await (suite === undefined ? all : all.where('runs.suite', '=', suite)).execute();
  const holders = await liveHolders(db);
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

/**
 * How far a run is that nobody works on.
 *
 * @param endedAt - null where it has not ended
 * @param counts - of its cells
 */
export function stateOf(
  endedAt: string | null,
  { done, failed }: { done: number; failed: number },
): RunStatus {
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
      found: `${id}, which matches ${rows.length} runs`,
      expected: `one of ${rows.map((row) => row.id).join(', ')}`,
    });
  return first;
}

/**
 * Whether a run is stored.
 *
 * @param id - all of it
 */
export async function hasRun(db: Db, id: string): Promise<boolean> {
  const row = await db.selectFrom('runs').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/**
 * Runs whose id begins so, the newest first.
 *
 * @param beginning - of an id; an empty one finds all runs
 */
export async function runsBeginning(db: Db, beginning: string): Promise<RunRow[]> {
  const rows = await db
    .selectFrom('runs')
    .selectAll()
    // Ids are ordered by their bytes in every store.
    .where('id', '>=', beginning)
    .where('id', '<', `${beginning}\u{10ffff}`)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return [...checkedRows(db, 'runs', rows)];
}

/** What is known of a run before it is loaded. */
export type RunOfSuite = Pick<RunRow, 'id' | 'started_at' | 'repository_json'>;

/**
 * The runs of a suite, the newest first.
 *
 * @param db - the store
 * @param suite - its name
 */
export async function runsOfSuite(db: Db, suite: string): Promise<readonly RunOfSuite[]> {
  const rows = await db
    .selectFrom('runs')
    .select(['id', 'started_at', 'repository_json'])
    .where('suite', '=', suite)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return checkedRows(db, 'runs', rows);
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
  /**
   * `[images, classes]` of the same images, of a variant without a head its embeddings; of runs with several devices only, which are
   * compared by them.
   */
  readonly logits: Logits | undefined;
  /** Of each of the same images, how the embedding of a variant without a head lies to the baseline's; undefined of all others. */
  readonly cosines: readonly number[] | undefined;
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
  /** Identical devices that went on in its place, in their order; left out where none did. */
  readonly takeovers?: readonly Takeover[];
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
  /** Of its suite's matrix; undefined where it has none. */
  readonly design: Design | undefined;
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
  const rounds = await roundsOfRun(db, run.id);
  const cells: StoredCell[] = [];
  for (const row of checkedRows(db, 'cells', cellRows)) {
    const variant = variants.find(({ id }) => id === row.variant_id);
    const device = devices.find((each) => each.row.id === row.device_id);
    if (variant === undefined || device === undefined)
      throw damagedRow(
        ...([db, 'cells', `id ${row.id}: ${variant ? 'device_id' : 'variant_id'}`] as const),
        ...(['one that the run does not have', 'a variant and a device of the run'] as const),
      );
    cells.push({
      ...{ row, variant, device, rounds: rounds.get(row.id) ?? [] },
      stopping: row.stopping_json === null ? undefined : stoppingSchema.parse(JSON.parse(row.stopping_json)),
      predictions: row.kind === 'accuracy' ? await predictionsOf(db, row.id) : undefined,
      logits: row.kind === 'accuracy' && devices.length > 1 ? await loadLogits(db, row.id) : undefined,
      cosines:
        row.kind === 'accuracy' && variant.features_json !== null ? await cosinesOf(db, row.id) : undefined,
    });
  }
  return {
    ...{ row: run, devices, variants, cells },
    data: runDataSchema.parse(JSON.parse(run.data_json)),
    gates: run.gates_json === null ? [] : storedGatesSchema.parse(JSON.parse(run.gates_json)),
    design: run.design_json === null ? undefined : designSchema.parse(JSON.parse(run.design_json)),
    plugins: run.plugins_json === null ? [] : pluginsSchema.parse(JSON.parse(run.plugins_json)),
  };
}

/** What the compressed models of a run are known by in the cache; without those of which nothing could be made. */
export async function storedArtifacts(db: Db, runId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('variants')
    .select('artifact')
    .distinct()
    .where('run_id', '=', runId)
    .where('artifact', '!=', NOTHING_MADE)
    .orderBy('artifact')
    .execute();
  return rows.map(({ artifact }) => artifact);
}

/** The devices of a run. */
export async function storedDevices(db: Db, runId: string): Promise<StoredDevice[]> {
  const rows = await db.selectFrom('devices').selectAll().where('run_id', '=', runId).orderBy('id').execute();
  return checkedRows(db, 'devices', rows).map((row) => ({
    row,
    environment: environmentSchema.parse(JSON.parse(row.environment_json)),
    ...(row.takeovers_json !== null && { takeovers: takeoversOf(row.takeovers_json) }),
  }));
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

async function cosinesOf(db: Db, cellId: number): Promise<StoredCell['cosines']> {
  const rows = await db
    .selectFrom('cosines')
    .innerJoin('rounds', 'rounds.id', 'cosines.round_id')
    .select('cosine')
    .where('rounds.cell_id', '=', cellId)
    .orderBy('image')
    .execute();
  if (rows.length === 0) return undefined;
  return checkedRows(db, 'cosines', rows, `cell ${cellId}`).map(({ cosine }) => cosine);
}

/**
 * The outputs for test images `0 … count-1` that a cell of accuracy stored: logits, or the embeddings of a variant without a head.
 *
 * @returns `[count, classes]`, or `[count, width]`; undefined when the cell has none
 */
export async function loadLogits(db: Db, cellId: number): Promise<Logits | undefined> {
  const logits = await db
    .selectFrom('logits')
    .innerJoin('rounds', 'rounds.id', 'logits.round_id')
    .select(['classes', 'data'])
    .where('rounds.cell_id', '=', cellId)
    .orderBy('first')
    .execute();
  if (logits.length > 0)
    return outputsIn(db, 'logits', cellId, checkedRows(db, 'logits', logits, `cell ${cellId}`));
  const embeddings = await db
    .selectFrom('embeddings')
    .innerJoin('rounds', 'rounds.id', 'embeddings.round_id')
    .select(['width', 'data'])
    .where('rounds.cell_id', '=', cellId)
    .orderBy('first')
    .execute();
  const rows = checkedRows(db, 'embeddings', embeddings, `cell ${cellId}`);
  return outputsIn(
    db,
    'embeddings',
    cellId,
    rows.map(({ width: classes, data }) => ({ classes, data })),
  );
}

function outputsIn(
  db: Db,
  table: 'logits' | 'embeddings',
  cellId: number,
  rows: readonly { readonly classes: number; readonly data: Buffer }[],
): Logits | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  const what = table === 'logits' ? 'classes' : 'numbers an image';
  for (const [index, { classes, data }] of rows.entries())
    if (classes !== first.classes || classes < 1 || data.length % (4 * classes) !== 0)
      throw damagedRow(
        ...([db, table, `cell ${cellId}, row ${index}`] as const),
        ...([
          `${data.length} bytes of ${classes} ${what}`,
          `float32 for each of ${first.classes} ${what}`,
        ] as const),
      );
  const bytes = new Uint8Array(Buffer.concat(rows.map(({ data }) => data)));
  return { classes: first.classes, values: new Float32Array(bytes.buffer) };
}
