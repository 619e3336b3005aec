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
import type { RoundRow } from './tables.js';

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

/**
 * The rounds of a cell with all that was measured in them, in their order.
 *
 * @throws StoreError when a row holds what cannot be
 */
export async function roundsOf(db: Db, cellId: number): Promise<StoredRound[]> {
  const rows = await db
    .selectFrom('rounds')
    .selectAll()
    .where('cell_id', '=', cellId)
    .orderBy('round')
    .execute();
  return Promise.all(
    checkedRows(db, 'rounds', rows).map(async (row): Promise<StoredRound> => {
      const phases = await db
        .selectFrom('phases')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('phase')
        .execute();
      const memoryRows = await db
        .selectFrom('memory')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('phase')
        .orderBy('figure')
        .execute();
      const memory = new Map<string, Map<string, number>>();
      for (const { phase, figure, bytes } of memoryRows)
        memory.set(phase, (memory.get(phase) ?? new Map<string, number>()).set(figure, bytes));
      const conditions = await conditionsOf(db, row.id);
      const samples = await samplesOf(db, row.id);
      const trials = await db
        .selectFrom('trials')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('trial')
        .execute();
      const served = await db
        .selectFrom('served')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('trial')
        .orderBy('query')
        .execute();
      const kernels = await db
        .selectFrom('kernels')
        .selectAll()
        .where('round_id', '=', row.id)
        .orderBy('milliseconds', 'desc')
        // Of those that took as long all stores have one order.
        .orderBy('op_type')
        .orderBy('provider')
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
      checkedRows(db, 'trials', trials, owner);
      checkedRows(db, 'served', served, owner);
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
        memoryMeans: storedMeans(row, new Set(memoryRows.map(({ figure }) => figure))),
        conditions,
        samples,
        trials: trials.map(({ trial, rate, planned }) => {
          const own = served.filter((query) => query.trial === trial);
          return {
            ...{ rate, planned },
            scheduled: own.map(({ scheduled }) => scheduled),
            started: own.map(({ started }) => started),
            ended: own.map(({ ended }) => ended),
          };
        }),
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
