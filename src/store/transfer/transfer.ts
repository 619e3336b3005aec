import { sql, type Generated, type Kysely, type Transaction } from 'kysely';
import { defined } from '../../base/defined.js';
import { hashJson } from '../../base/hash.js';
import { damagedRow } from '../checked.js';
import { RunLease } from '../lease.js';
import type { Db } from '../open.js';
import { insertRows, prepareMonths, roundTables } from '../raw.js';
import { alone } from '../server.js';
import type { DeviceRow, RoundRow, RunRow, Tables, VariantRow } from '../tables.js';
import { insertRun } from '../write.js';
import { contentDigest, contentsOf, imageOf, lastingImage, lastingText, type RunImage } from './image.js';
import { merged } from './merge.js';

/** What became of a run that was brought to another store. */
export interface TransferredRun {
  /** Its id where it came from. */
  readonly id: string;
  /** Its id where it is now: another one where that store had a run of this id already. */
  readonly idThere: string;
  /** What it is known by in all stores. */
  readonly uid: string;
  readonly suite: string;
  /** Whether the store had none of it before. */
  readonly isNew: boolean;
  /** Rounds that were copied. */
  readonly rounds: number;
  /** Whether the store knows more of it than the one that it came from: nothing of that is changed. */
  readonly isAhead: boolean;
  /** Rounds whose raw data was read from both stores and found to be equal. */
  readonly verified: number;
  /** SHA-256 of all that both stores have of the run: of its record, and of the raw data of every verified round. */
  readonly digest: string;
}

/** How a run is brought to another store. */
export interface TransferOptions {
  /** Whether rounds that were there before are compared, too, and not only those that are copied. */
  readonly thorough: boolean;
  /** The right to write the run there, where the caller has it already. */
  readonly lease?: RunLease | undefined;
  /**
   * Whether the source has one part of a run of which others bring more: of the target nothing but the same devices is read and written,
   * and the caller sees to it that nobody else brings parts of the run meanwhile.
   */
  readonly isPart?: boolean;
}

/**
 * Brings a run to another store: what that does not have yet of it. Doing it again changes nothing; one that was interrupted is
 * completed by the next. A round appears whole or not at all, and a cell is done there only when all its rounds are. In the end what was
 * copied is read from both stores, and compared.
 *
 * @param source - where the run is
 * @param target - where it is to be, open for writing
 * @param run - in the source
 * @param options - how much is compared
 * @throws InputError when both stores have measured the same cell and got something different, or a process works on the run there;
 *   StoreError when a store is damaged or has gone
 */
export async function transferRun(
  source: Db,
  target: Db,
  run: RunRow,
  { thorough, lease, isPart = false }: TransferOptions,
): Promise<TransferredRun> {
  const from = await imageOf(source, run);
  const only = isPart ? [...from.devices.keys()] : undefined;
  const known = await runKnownAs(target, run.uid);
  const before = known && (await imageOf(target, known, only));
  const isDue = before === undefined || lastingImage(before) !== lastingImage(merged(from, before));
  const copied = !isDue
    ? []
    : only === undefined
      ? await bring(source, target, from, lease)
      : await bringAlone(source, target, from, await insertRecord(target, from.row), only);
  const after = await imageOf(target, await runThere(target, run.uid), only);
  // Whatever the target has come to, the source has nothing that it lacks.
  const wanted = lastingImage(merged(from, after));
  if (lastingImage(after) !== wanted)
    throw damagedRow(
      target,
      'runs',
      `id ${after.row.id}`,
      'a record that is not what was copied',
      `that of run ${run.id}`,
    );
  const digests = await compared(source, target, from, after, thorough ? undefined : copied);
  return {
    ...{ id: run.id, idThere: after.row.id, uid: run.uid, suite: run.suite },
    ...{ isNew: before === undefined, rounds: copied.length, verified: digests.length },
    isAhead: lastingImage(from) !== wanted,
    digest: hashJson([wanted, digests.toSorted()]),
  };
}

/**
 * The run of a global id.
 *
 * @param db - the store
 * @returns undefined where there is none
 */
async function runKnownAs(db: Db, uid: string): Promise<RunRow | undefined> {
  return db.selectFrom('runs').selectAll().where('uid', '=', uid).executeTakeFirst();
}

async function runThere(db: Db, uid: string): Promise<RunRow> {
  return defined(await runKnownAs(db, uid), `run ${uid}`);
}

/** A round that was copied, by its cell and its number. */
interface CopiedRound {
  readonly cell: string;
  readonly round: number;
}

async function bring(
  source: Db,
  target: Db,
  from: RunImage,
  held: RunLease | undefined,
): Promise<readonly CopiedRound[]> {
  const id = await insertRecord(target, from.row);
  let lost: Error | undefined;
  const lease =
    held ??
    (await RunLease.take(target, id, (reason) => {
      lost = reason;
    }));
  try {
    return await bringAlone(source, target, from, id, undefined, () => {
      if (lost !== undefined) throw lost;
    });
  } finally {
    if (held === undefined) await lease.release();
  }
}

/** Copies what is missing, while nobody else changes it there. */
async function bringAlone(
  source: Db,
  target: Db,
  from: RunImage,
  id: string,
  only: readonly string[] | undefined,
  check: () => void = () => undefined,
): Promise<readonly CopiedRound[]> {
  const before = await imageOf(target, await runThere(target, from.row.uid), only);
  const goal = merged(from, before);
  const cellIds = await insertPlan(target, id, before, goal);
  const missing: (CopiedRound & RoundCopy)[] = [];
  for (const [cell, { rounds }] of goal.cells) {
    const own = from.cells.get(cell)?.rounds;
    const there = before.cells.get(cell)?.rounds;
    const cellId = defined(cellIds.get(cell), 'a cell');
    await removeRounds(target, there, rounds);
    for (const [number, round] of rounds) {
      const known = there?.get(number);
      if (known !== undefined && lastingText(known) === lastingText(round)) continue;
      missing.push({ cell, round: number, row: defined(own?.get(number), 'a round'), cellId });
    }
  }
  const sizes = await rawBytesOf(
    source,
    missing.map(({ row }) => row.id),
  );
  for (const some of handfuls(missing, ({ row }) => sizes.get(row.id) ?? 0)) {
    check();
    await copyRounds(source, target, some);
  }
  await finish(target, id, cellIds, before, goal);
  return missing;
}

/** Records a run that the target does not have; under a longer id where it has another one of the same. */
async function insertRecord(target: Db, row: RunRow): Promise<string> {
  return alone(target, 'new run', async (transaction) => {
    const same = await transaction
      .selectFrom('runs')
      .select('id')
      .where('uid', '=', row.uid)
      .executeTakeFirst();
    if (same !== undefined) return same.id;
    const taken = await transaction
      .selectFrom('runs')
      .select('id')
      .where('id', '=', row.id)
      .executeTakeFirst();
    const id = taken === undefined ? row.id : `${row.id}-${row.uid.slice(0, 8)}`;
    await insertRun(transaction, { ...row, id, ended_at: null });
    return id;
  });
}

/**
 * Records devices, variants and cells that the target does not have, and those of which more is known now; no new cell is done yet.
 *
 * @returns the cells' ids in the target
 */
async function insertPlan(
  target: Db,
  runId: string,
  before: RunImage,
  goal: RunImage,
): Promise<ReadonlyMap<string, number>> {
  return target.transaction().execute(async (transaction) => {
    const devices = await placed(transaction, 'devices', runId, before.devices, goal.devices);
    const variants = await placed(transaction, 'variants', runId, before.variants, goal.variants);
    const cells = new Map([...before.cells].map(([key, { row }]) => [key, row.id]));
    for (const [key, { row, device, variant }] of goal.cells) {
      if (cells.has(key)) continue;
      const { id } = await transaction
        .insertInto('cells')
        .values({
          ...{ ...row, id: undefined, run_id: runId, status: 'pending', reason: null, stopping_json: null },
          device_id: defined(devices.get(device), 'a device'),
          variant_id: defined(variants.get(variant), 'a variant'),
        })
        .returning('id')
        .executeTakeFirstOrThrow();
      cells.set(key, id);
    }
    return cells;
  });
}

/** Records devices or variants. @returns their ids by what they are known by */
async function placed<Row extends DeviceRow | VariantRow>(
  transaction: Transaction<Tables>,
  table: 'devices' | 'variants',
  runId: string,
  before: ReadonlyMap<string, Row>,
  goal: ReadonlyMap<string, Row>,
): Promise<ReadonlyMap<string, number>> {
  // Both tables have the columns that are named here.
  const rows = transaction as unknown as Kysely<
    Record<typeof table, { id: Generated<number>; run_id: string }>
  >;
  const ids = new Map<string, number>();
  for (const [key, row] of goal) {
    const known = before.get(key);
    const own = { ...row, id: undefined, run_id: runId };
    if (known === undefined)
      ids.set(key, (await rows.insertInto(table).values(own).returning('id').executeTakeFirstOrThrow()).id);
    else {
      ids.set(key, known.id);
      if (lastingText(known) !== lastingText(row))
        await rows.updateTable(table).set(own).where('id', '=', known.id).execute();
    }
  }
  return ids;
}

/** Removes rounds of a cell that was measured anew. */
async function removeRounds(
  target: Db,
  there: ReadonlyMap<number, RoundRow> | undefined,
  wanted: ReadonlyMap<number, RoundRow>,
): Promise<void> {
  for (const [number, known] of there ?? []) {
    const round = wanted.get(number);
    if (round !== undefined && lastingText(round) === lastingText(known)) continue;
    await target.deleteFrom('rounds').where('id', '=', known.id).execute();
  }
}

/** What is copied at once at most, for each statement is a way to the server and back, and all of it is kept in memory. */
const AT_ONCE = { rounds: 16, bytes: 8 * 2 ** 20 };

/** Rounds in their order, as many together as are copied or compared at once. */
function handfuls<Round>(rounds: readonly Round[], bytesOf: (round: Round) => number): Round[][] {
  const all: Round[][] = [];
  let bytes = Infinity;
  for (const round of rounds) {
    const last = all.at(-1);
    const size = bytesOf(round);
    if (last === undefined || last.length >= AT_ONCE.rounds || bytes + size > AT_ONCE.bytes) {
      all.push([round]);
      bytes = size;
    } else {
      last.push(round);
      bytes += size;
    }
  }
  return all;
}

/** Bytes of the raw data of rounds that can be large. */
async function rawBytesOf(db: Db, rounds: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const sizes = new Map<number, number>();
  if (rounds.length === 0) return sizes;
  for (const table of ['logits', 'embeddings'] as const) {
    const rows = await db
      .selectFrom(table)
      .select(['round_id', sql<number>`sum(length(data))`.as('bytes')])
      .where('round_id', 'in', rounds)
      .groupBy('round_id')
      .execute();
    for (const { round_id: id, bytes } of rows) sizes.set(id, (sizes.get(id) ?? 0) + bytes);
  }
  return sizes;
}

/** A round of the source, and the cell of the target that it belongs to. */
interface RoundCopy {
  readonly row: RoundRow;
  readonly cellId: number;
}

/** Copies rounds, all of them or none. */
async function copyRounds(source: Db, target: Db, rounds: readonly RoundCopy[]): Promise<void> {
  const contents = await contentsOf(
    source,
    rounds.map(({ row }) => row.id),
  );
  await target.transaction().execute(async (transaction) => {
    await prepareMonths(
      transaction,
      rounds.map(({ row }) => row.started_at),
    );
    const stored = await transaction
      .insertInto('rounds')
      .values(rounds.map(({ row, cellId }) => ({ ...row, id: undefined, cell_id: cellId })))
      .returning(['id', 'cell_id', 'round'])
      .execute();
    const ids = new Map(stored.map(({ id, cell_id, round }) => [`${cell_id} ${round}`, id]));
    for (const table of roundTables)
      await insertRows(
        transaction,
        table,
        rounds.map(({ row, cellId }) => ({
          id: defined(ids.get(`${cellId} ${row.round}`), 'a round'),
          startedAt: row.started_at,
          rows: contents.get(row.id)?.get(table) ?? [],
        })),
      );
  });
}

/** Says of the cells and of the run what is known of them, now that all rounds are there. */
async function finish(
  target: Db,
  runId: string,
  cells: ReadonlyMap<string, number>,
  before: RunImage,
  goal: RunImage,
): Promise<void> {
  await target.transaction().execute(async (transaction) => {
    for (const [key, { row }] of goal.cells) {
      const known = before.cells.get(key);
      if (known !== undefined && lastingText(known.row) === lastingText(row)) continue;
      const { rounds, status, reason, stopping_json, form, file_bytes, tier, bound_ms } = row;
      await transaction
        .updateTable('cells')
        .set({ rounds, status, reason, stopping_json, form, file_bytes, tier, bound_ms })
        .where('id', '=', defined(cells.get(key), 'a cell'))
        .execute();
    }
    for (const floor of goal.floors.values()) {
      const own = { ...floor, id: undefined, run_id: runId };
      await transaction
        .insertInto('floors')
        .values(own)
        .onConflict((conflict) => conflict.columns(['run_id', 'device', 'batch', 'metric']).doUpdateSet(own))
        .execute();
    }
    await transaction
      .updateTable('runs')
      .set({ ended_at: goal.row.ended_at })
      .where('id', '=', runId)
      .execute();
  });
}

/**
 * Compares the raw data of rounds in both stores.
 *
 * @param only - these; undefined: all that both have
 * @returns digests of the rounds
 * @throws StoreError that names a round that is not the same
 */
async function compared(
  source: Db,
  target: Db,
  from: RunImage,
  after: RunImage,
  only: readonly CopiedRound[] | undefined,
): Promise<string[]> {
  const digests: string[] = [];
  const wanted =
    only ??
    [...from.cells].flatMap(([cell, { rounds }]) => [...rounds.keys()].map((round) => ({ cell, round })));
  const pairs = wanted.flatMap(({ cell, round }) => {
    const here = from.cells.get(cell)?.rounds.get(round);
    const there = after.cells.get(cell)?.rounds.get(round);
    const isBoth = here !== undefined && there !== undefined && lastingText(here) === lastingText(there);
    return isBoth ? [{ here: here.id, there: there.id }] : [];
  });
  const sizes = await rawBytesOf(
    source,
    pairs.map(({ here }) => here),
  );
  for (const some of handfuls(pairs, ({ here }) => sizes.get(here) ?? 0)) {
    const [own, others] = [some.map(({ here }) => here), some.map(({ there }) => there)];
    const [inSource, inTarget] = [await contentsOf(source, own), await contentsOf(target, others)];
    for (const { here, there } of some) {
      const digest = contentDigest(defined(inSource.get(here), 'a round'));
      if (contentDigest(defined(inTarget.get(there), 'a round')) !== digest)
        throw damagedRow(
          ...([target, 'rounds', `id ${there}`] as const),
          ...([`raw data that is not that of round ${here} in the other store`, 'what was copied'] as const),
        );
      digests.push(digest);
    }
  }
  return digests;
}

/**
 * Brings rooflines of some devices to another store, those that it does not have.
 *
 * @param devices - their names
 * @returns how many were copied
 */
export async function transferRooflines(
  source: Db,
  target: Db,
  devices: ReadonlySet<string>,
): Promise<number> {
  if (devices.size === 0) return 0;
  const rows = await source
    .selectFrom('rooflines')
    .selectAll()
    .where('device', 'in', [...devices])
    .orderBy('id')
    .execute();
  return alone(target, 'rooflines', async (transaction) => {
    const known = new Set(
      (await transaction.selectFrom('rooflines').selectAll().execute()).map((row) => lastingText(row)),
    );
    const missing = rows.filter((row) => !known.has(lastingText(row)));
    for (const row of missing)
      await transaction
        .insertInto('rooflines')
        .values({ ...row, id: undefined })
        .execute();
    return missing.length;
  });
}
