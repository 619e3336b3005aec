import { conditionsSchema, type Conditions } from '../protocol/conditions.js';
import type { Placement } from '../protocol/disturbance.js';
import type { KernelTime } from '../protocol/kernels.js';
import type { TrialRecord } from '../protocol/measurement.js';
import type { MemoryMeans } from '../protocol/memory-means.js';
import { checkedRows } from './checked.js';
import { timesSchema } from './content.js';
import { storedMeans } from './memory-means.js';
import { nodeWorkSchema, type NodeWork } from './node-work.js';
import type { Db } from './open.js';
import type { RoundTable } from './raw.js';
import type { RoundRow, Tables } from './tables.js';

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
  /** By what the device knew its memory; undefined where it does not tell a peak. */
  readonly memoryMeans: MemoryMeans | undefined;
  /** What the device was like, in the order it was seen. */
  readonly conditions: readonly { readonly phase: string; readonly conditions: Conditions }[];
  /** Latencies in order, in milliseconds. */
  readonly samples: readonly number[];
  /** Queries that were offered, in the order of the trials; of cells of load alone. */
  readonly trials: readonly TrialRecord[];
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

/** How many rounds a store has, of all its runs. */
export async function countRounds(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('rounds')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
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

/** So many rounds are read at a time: SQLite takes some thousands of values in a statement, and rows take more memory than what is made of them. */
const ROUNDS_AT_ONCE = 500;

/**
 * The rounds of a run with all that was measured in them, each cell's in their order: a few queries for many rounds, since a run of a
 * hundred rounds would otherwise take a thousand.
 *
 * @param db - the store
 * @param runId - the run
 * @returns by the cell's id; of cells without a round nothing
 * @throws StoreError when a row holds what cannot be
 */
export async function roundsOfRun(db: Db, runId: string): Promise<Map<number, StoredRound[]>> {
  const rows = await db
    .selectFrom('rounds')
    .innerJoin('cells', 'cells.id', 'rounds.cell_id')
    .selectAll('rounds')
    .where('cells.run_id', '=', runId)
    .orderBy('rounds.cell_id')
    .orderBy('rounds.round')
    .execute();
  checkedRows(db, 'rounds', rows);
  const found = new Map<number, StoredRound[]>();
  for (let at = 0; at < rows.length; at += ROUNDS_AT_ONCE)
    for (const round of await wholeRounds(db, rows.slice(at, at + ROUNDS_AT_ONCE))) {
      const own = found.get(round.row.cell_id);
      if (own === undefined) found.set(round.row.cell_id, [round]);
      else own.push(round);
    }
  return found;
}

/** Rounds with what belongs to them. */
async function wholeRounds(db: Db, rows: readonly RoundRow[]): Promise<StoredRound[]> {
  const ids = rows.map(({ id }) => id);
  const phases = byRound(
    db,
    'phases',
    await db.selectFrom('phases').selectAll().where('round_id', 'in', ids).orderBy('phase').execute(),
  );
  const memory = byRound(
    db,
    'memory',
    await db
      .selectFrom('memory')
      .selectAll()
      .where('round_id', 'in', ids)
      .orderBy('phase')
      .orderBy('figure')
      .execute(),
  );
  const conditions = byRound(
    db,
    'conditions',
    await db.selectFrom('conditions').selectAll().where('round_id', 'in', ids).orderBy('sequence').execute(),
  );
  const samples = byRound(
    db,
    'samples',
    await db
      .selectFrom('samples')
      .select(['round_id', 'milliseconds'])
      .where('round_id', 'in', ids)
      .orderBy('query')
      .execute(),
  );
  const trials = byRound(
    db,
    'trials',
    await db.selectFrom('trials').selectAll().where('round_id', 'in', ids).orderBy('trial').execute(),
  );
  const served = byRound(
    db,
    'served',
    await db
      .selectFrom('served')
      .selectAll()
      .where('round_id', 'in', ids)
      .orderBy('trial')
      .orderBy('query')
      .execute(),
  );
  const kernels = byRound(
    db,
    'kernels',
    await db
      .selectFrom('kernels')
      .selectAll()
      .where('round_id', 'in', ids)
      .orderBy('milliseconds', 'desc')
      // Of those that took as long all stores have one order.
      .orderBy('op_type')
      .orderBy('provider')
      .execute(),
  );
  const nodes = byRound(
    db,
    'kernel_nodes',
    await db
      .selectFrom('kernel_nodes')
      .selectAll()
      .where('round_id', 'in', ids)
      .orderBy('sequence')
      .execute(),
  );
  return rows.map((row) =>
    storedRound(row, {
      phases: phases(row.id),
      memory: memory(row.id),
      conditions: conditions(row.id),
      samples: samples(row.id),
      trials: trials(row.id),
      served: served(row.id),
      kernels: kernels(row.id),
      nodes: nodes(row.id),
    }),
  );
}

/** Rows that belong to a round, checked, by the round: in the order in which they come. */
function byRound<Row extends { readonly round_id: number }>(
  db: Db,
  table: RoundTable,
  rows: readonly Row[],
): (roundId: number) => readonly Row[] {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const own = groups.get(row.round_id);
    if (own === undefined) groups.set(row.round_id, [row]);
    else own.push(row);
  }
  for (const [id, own] of groups) checkedRows(db, table, own, `round ${id}`);
  return (roundId) => groups.get(roundId) ?? [];
}

/** What belongs to a round, as its tables have it. */
interface RowsOfRound {
  readonly phases: readonly Tables['phases'][];
  readonly memory: readonly Tables['memory'][];
  readonly conditions: readonly Tables['conditions'][];
  readonly samples: readonly Pick<Tables['samples'], 'milliseconds'>[];
  readonly trials: readonly Tables['trials'][];
  readonly served: readonly Tables['served'][];
  readonly kernels: readonly Tables['kernels'][];
  readonly nodes: readonly Tables['kernel_nodes'][];
}

function storedRound(row: RoundRow, of: RowsOfRound): StoredRound {
  const memory = new Map<string, Map<string, number>>();
  for (const { phase, figure, bytes } of of.memory)
    memory.set(phase, (memory.get(phase) ?? new Map<string, number>()).set(figure, bytes));
  return {
    row,
    phases: new Map(of.phases.map(({ phase, milliseconds }) => [phase, milliseconds])),
    cpuPhases: new Map(
      of.phases.flatMap(({ phase, cpu_milliseconds: cpu }) => (cpu === null ? [] : [[phase, cpu] as const])),
    ),
    placement: placementIn(row),
    memory,
    memoryMeans: storedMeans(row, new Set(of.memory.map(({ figure }) => figure))),
    conditions: of.conditions.map(({ phase, conditions_json: json }) => ({
      phase,
      conditions: conditionsSchema.parse(JSON.parse(json)),
    })),
    samples: of.samples.map(({ milliseconds }) => milliseconds),
    trials: of.trials.map(({ trial, rate, planned }) => {
      const own = of.served.filter((query) => query.trial === trial);
      return {
        ...{ rate, planned },
        scheduled: own.map(({ scheduled }) => scheduled),
        started: own.map(({ started }) => started),
        ended: own.map(({ ended }) => ended),
      };
    }),
    kernels: of.kernels.map(({ op_type, provider, calls, milliseconds, gpu_milliseconds: gpu }) => ({
      opType: op_type,
      provider,
      calls,
      milliseconds,
      ...(gpu === null ? {} : { gpuMilliseconds: gpu }),
    })),
    nodes: of.nodes.map(
      ({ node, op_type, provider, calls, times_json, gpu_times_json: gpu, work_json: work }) => ({
        ...{ node, opType: op_type, provider, calls },
        milliseconds: timesSchema.parse(JSON.parse(times_json)),
        gpuMilliseconds: gpu === null ? undefined : timesSchema.parse(JSON.parse(gpu)),
        work: work === null ? undefined : nodeWorkSchema.parse(JSON.parse(work)),
      }),
    ),
  };
}

/**
 * Latencies of a round's queries in order, in milliseconds.
 *
 * @throws StoreError when a row holds what cannot be
 */
export async function samplesOf(db: Db, roundId: number): Promise<StoredRound['samples']> {
  const rows = await db
    .selectFrom('samples')
    .select('milliseconds')
    .where('round_id', '=', roundId)
    .orderBy('query')
    .execute();
  return checkedRows(db, 'samples', rows, `round ${roundId}`).map(({ milliseconds }) => milliseconds);
}

/**
 * What the device was like in a round, in the order it was seen.
 *
 * @throws StoreError when a row holds what cannot be
 */
export async function conditionsOf(db: Db, roundId: number): Promise<StoredRound['conditions']> {
  const rows = await db
    .selectFrom('conditions')
    .select(['phase', 'conditions_json'])
    .where('round_id', '=', roundId)
    .orderBy('sequence')
    .execute();
  return checkedRows(db, 'conditions', rows, `round ${roundId}`).map(({ phase, conditions_json: json }) => ({
    phase,
    conditions: conditionsSchema.parse(JSON.parse(json)),
  }));
}

/** Of a round, as its row has it. */
export function placementIn({
  core_latency_before: before,
  core_latency_after: after,
}: RoundRow): Placement | undefined {
  return before === null || after === null ? undefined : { before, after };
}
