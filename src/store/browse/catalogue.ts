import { sql } from 'kysely';
import type { Db } from '../open.js';
import { isOnServer } from '../server.js';
import { postgresParts, sqliteParts } from '../views/parts.js';

/** The newest run of something. */
interface Newest {
  /** Global. */
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/** A model that runs have measured. */
export interface ListedModel {
  readonly name: string;
  readonly runs: number;
  readonly newest: Newest;
  readonly variants: { readonly recipe: string; readonly runs: number }[];
}

/** A device that runs were measured on. */
export interface ListedDevice {
  readonly name: string;
  /** In its newest run; null where nobody knows it. */
  readonly processor: string | null;
  readonly runs: number;
  readonly newest: Newest;
}

/** Models that runs have measured, by name, each with its variants. */
export async function listModels(db: Db): Promise<ListedModel[]> {
  const variants = await db
    .selectFrom('variants')
    .select(({ fn }) => ['model', 'recipe', fn.countAll<number>().as('runs')])
    .groupBy(['model', 'recipe'])
    .orderBy('model')
    .orderBy('recipe')
    .execute();
  const counts = await db
    .selectFrom('variants')
    .select(({ fn }) => ['model', fn.count<number>('run_id').distinct().as('runs')])
    .groupBy('model')
    .execute();
  const newest = await newestOf(db, 'variants', 'model', [...new Set(variants.map(({ model }) => model))]);
  return counts
    .map(({ model, runs }) => ({
      ...{ name: model, runs, newest: (newest.get(model) ?? NOBODY).run },
      variants: variants
        .filter((each) => each.model === model)
        .map((each) => ({ recipe: each.recipe, runs: each.runs })),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Devices that runs were measured on, by name. */
export async function listMeasuredDevices(db: Db): Promise<ListedDevice[]> {
  const rows = await db
    .selectFrom('devices')
    .select(({ fn }) => ['name', fn.countAll<number>().as('runs')])
    .groupBy('name')
    .orderBy('name')
    .execute();
  const newest = await newestOf(
    db,
    'devices',
    'name',
    rows.map(({ name }) => name),
  );
  return rows.map(({ name, runs }) => {
    const { processor, run } = newest.get(name) ?? NOBODY;
    return { name, processor, runs, newest: run };
  });
}

/** The newest run of a name, and the processor of the device in it. */
interface Found {
  readonly run: Newest;
  readonly processor: string | null;
}

/** Of a name whose runs have just been deleted. */
const NOBODY: Found = { run: { id: '', startedAt: '' }, processor: null };

/** The newest run of each name: newest runs first, until one has it, by indexes. */
async function newestOf(
  db: Db,
  table: 'variants' | 'devices',
  column: 'model' | 'name',
  names: readonly string[],
): Promise<Map<string, Found>> {
  const { textIn } = isOnServer(db) ? postgresParts : sqliteParts;
  const processor =
    table === 'devices' ? sql.raw(textIn('t.environment_json', 'cpu', 'model')) : sql`cast(null as text)`;
  const found = new Map<string, Found>();
  for (const name of names) {
    const { rows } = await sql<{ uid: string; started_at: string; processor: string | null }>`
      select r.uid, r.started_at, ${processor} as processor
      from runs r join ${sql.table(table)} t on t.run_id = r.id
      where t.${sql.ref(column)} = ${name}
      order by r.started_at desc, r.id desc limit 1`.execute(db);
    const [row] = rows;
    if (row !== undefined)
      found.set(name, { run: { id: row.uid, startedAt: row.started_at }, processor: row.processor });
  }
  return found;
}

/**
 * Suites that have runs of a model, on a device, the one with the newest run first.
 *
 * @param db - the store
 * @param model - its name; undefined for any
 * @param device - its name; undefined for any
 */
export async function suitesWith(
  db: Db,
  model: string | undefined,
  device: string | undefined,
): Promise<string[]> {
  let query = db
    .selectFrom('runs as r')
    .select(({ fn }) => ['r.suite', fn.max('r.started_at').as('newest')])
    .groupBy('r.suite')
    .orderBy('newest', 'desc');
  if (model !== undefined)
    query = query.where(sql<boolean>`r.id in (select run_id from variants where model = ${model})`);
  if (device !== undefined)
    query = query.where(sql<boolean>`r.id in (select run_id from devices where name = ${device})`);
  return (await query.execute()).map(({ suite }) => suite);
}
