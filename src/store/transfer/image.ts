import type { SelectQueryBuilder } from 'kysely';
import { canonicalJson, hashJson } from '../../base/hash.js';
import { checkedRows, damagedRow } from '../checked.js';
import type { Db } from '../open.js';
import { roundTables, type RoundTable } from '../raw.js';
import type { CellRow, DeviceRow, FloorRow, RoundRow, RunRow, Tables, VariantRow } from '../tables.js';

/** A run as one store has it, without the raw data of its rounds. */
export interface RunImage {
  readonly row: RunRow;
  /** By name. */
  readonly devices: ReadonlyMap<string, DeviceRow>;
  /** By model and recipe, see `variantKey`. */
  readonly variants: ReadonlyMap<string, VariantRow>;
  /** In the plan's order, by what is measured, see `imageOf`. */
  readonly cells: ReadonlyMap<string, CellImage>;
  /** What it found out about its devices' noise, by device, batch size and metric. */
  readonly floors: ReadonlyMap<string, FloorRow>;
  /** Whether cells that the image leaves out are not over. */
  readonly isOpenElsewhere: boolean;
}

/** A cell as one store has it. */
export interface CellImage {
  readonly row: CellRow;
  readonly device: string;
  readonly variant: string;
  /** By their numbers. */
  readonly rounds: ReadonlyMap<number, RoundRow>;
}

/** What a variant is known by in all stores. */
function variantKey({ model, recipe }: Pick<VariantRow, 'model' | 'recipe'>): string {
  return JSON.stringify([model, recipe]);
}

/**
 * Reads what a store has of a run.
 *
 * @param db - the store
 * @param row - of the run
 * @param only - names of the devices that it is wanted of; left out, all
 * @throws StoreError when a row holds what cannot be
 */
export async function imageOf(db: Db, row: RunRow, only?: readonly string[]): Promise<RunImage> {
  checkedRows(db, 'runs', [row]);
  const own = ['run_id', '=', row.id] as const;
  const devices = await db
    .selectFrom('devices')
    .selectAll()
    .where(...own)
    .$if(only !== undefined, (query) => query.where('name', 'in', only ?? []))
    .orderBy('id')
    .execute();
  const ids = devices.map(({ id }) => id);
  const ofCells = (table: SelectQueryBuilder<Tables, 'cells', object>): typeof table =>
    only === undefined ? table.where('cells.run_id', '=', row.id) : table.where('cells.device_id', 'in', ids);
  const variants = await db
    .selectFrom('variants')
    .selectAll()
    .where(...own)
    .orderBy('position')
    .execute();
  const isNone = only !== undefined && ids.length === 0;
  const cells = isNone ? [] : await ofCells(db.selectFrom('cells')).selectAll().orderBy('id').execute();
  const floors = await db
    .selectFrom('floors')
    .selectAll()
    .where(...own)
    .$if(only !== undefined, (query) => query.where('device', 'in', only ?? []))
    .orderBy('id')
    .execute();
  const rounds = isNone
    ? []
    : await ofCells(db.selectFrom('cells'))
        .innerJoin('rounds', 'cells.id', 'rounds.cell_id')
        .selectAll('rounds')
        .orderBy('rounds.round')
        .execute();
  const elsewhere =
    only === undefined
      ? undefined
      : await db
          .selectFrom('cells')
          .select('id')
          .where(...own)
          .where('status', '=', 'pending')
          .$if(!isNone, (query) => query.where('device_id', 'not in', ids))
          .limit(1)
          .executeTakeFirst();
  const byCell = new Map<number, Map<number, RoundRow>>();
  for (const round of checkedRows(db, 'rounds', rounds))
    byCell.set(
      round.cell_id,
      (byCell.get(round.cell_id) ?? new Map<number, RoundRow>()).set(round.round, round),
    );
  const nameOf = new Map(checkedRows(db, 'devices', devices).map(({ id, name }) => [id, name]));
  const keyOf = new Map(checkedRows(db, 'variants', variants).map((each) => [each.id, variantKey(each)]));
  const images = checkedRows(db, 'cells', cells).map((cell): [string, CellImage] => {
    const [device, variant] = [nameOf.get(cell.device_id), keyOf.get(cell.variant_id)];
    if (device === undefined || variant === undefined)
      throw damagedRow(
        ...([db, 'cells', `id ${cell.id}: ${device ? 'variant_id' : 'device_id'}`] as const),
        ...(['one that the run does not have', 'a variant and a device of the run'] as const),
      );
    const key = JSON.stringify([device, variant, cell.kind, cell.batch]);
    return [key, { row: cell, device, variant, rounds: byCell.get(cell.id) ?? new Map() }];
  });
  return {
    row,
    isOpenElsewhere: elsewhere !== undefined,
    devices: new Map(devices.map((device) => [device.name, device])),
    variants: new Map(variants.map((variant) => [variantKey(variant), variant])),
    cells: new Map(images),
    floors: new Map(
      checkedRows(db, 'floors', floors).map((floor) => [
        JSON.stringify([floor.device, floor.batch, floor.metric]),
        floor,
      ]),
    ),
  };
}

/** Columns that say where a row lies in one store, and nothing of what was measured. */
const local: ReadonlySet<string> = new Set([
  'id',
  'run_id',
  'cell_id',
  'variant_id',
  'device_id',
  'round_id',
]);

/**
 * A row as all stores have it, as a text: equal rows have equal texts.
 *
 * @param row - of any table
 * @param besides - further columns that are left out
 */
export function lastingText(row: object, ...besides: readonly string[]): string {
  const kept = Object.entries(row).filter(([column]) => !local.has(column) && !besides.includes(column));
  return canonicalJson(
    Object.fromEntries(
      kept.map(([column, value]) => [column, Buffer.isBuffer(value) ? value.toString('base64') : value]),
    ),
  );
}

/** What a run's image says in whichever store, as a text: ids are left out, also the run's. */
export function lastingImage({ row, devices, variants, cells, floors }: RunImage): string {
  const texts = (rows: Iterable<object>): string[] => [...rows].map((each) => lastingText(each)).sort();
  return canonicalJson({
    run: lastingText(row),
    devices: texts(devices.values()),
    variants: texts(variants.values()),
    floors: texts(floors.values()),
    cells: [...cells]
      .map(([key, cell]) => [key, lastingText(cell.row), texts(cell.rounds.values())])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  });
}

/** The raw data of a round: rows by table, without the round's id. */
export type RoundContent = ReadonlyMap<RoundTable, readonly object[]>;

/**
 * Reads the raw data of rounds: one query for each table, however many they are.
 *
 * @param db - the store
 * @param rounds - their ids
 * @returns by the round's id; every one of them is there
 * @throws StoreError when a row holds what cannot be
 */
export async function contentsOf(
  db: Db,
  rounds: readonly number[],
): Promise<ReadonlyMap<number, RoundContent>> {
  const contents = new Map(rounds.map((id) => [id, new Map<RoundTable, object[]>()]));
  if (rounds.length === 0) return contents;
  for (const table of roundTables) {
    const rows = await db.selectFrom(table).selectAll().where('round_id', 'in', rounds).execute();
    const byRound = new Map<number, object[]>();
    for (const row of rows) {
      const known = byRound.get(row.round_id);
      if (known === undefined) byRound.set(row.round_id, [row]);
      else known.push(row);
    }
    for (const [id, own] of byRound)
      contents.get(id)?.set(
        table,
        checkedRows<object>(db, table, own, `round ${id}`).map((row) =>
          Object.fromEntries(Object.entries(row).filter(([column]) => column !== 'round_id')),
        ),
      );
  }
  return contents;
}

/**
 * SHA-256 of all that a round measured: the same in every store, whatever the order in which it gives the rows.
 *
 * @returns hex
 */
export function contentDigest(content: RoundContent): string {
  return hashJson(
    roundTables.map((table) => [table, (content.get(table) ?? []).map((row) => lastingText(row)).sort()]),
  );
}
