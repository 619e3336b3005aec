import { sql, type Expression, type SqlBool } from 'kysely';
import { InputError } from '../../base/errors.js';
import { groupBy } from '../../base/group-by.js';
import { liveHolders, type Holder } from '../lease.js';
import type { Db } from '../open.js';
import { stateOf, type RunStatus } from '../read.js';
import { repositoryOf } from '../repository.js';
import { isOnServer } from '../server.js';
import type { CellRow } from '../tables.js';
import { postgresParts, sqliteParts } from '../views/parts.js';

/** A run in a list that is read page by page. */
export interface ListedRun {
  /** Global. */
  readonly id: string;
  /** In this store. */
  readonly name: string;
  readonly suite: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly state: RunStatus;
  readonly cells: {
    readonly all: number;
    readonly done: number;
    readonly pending: number;
    readonly failed: number;
    readonly unsupported: number;
  };
  readonly models: string[];
  readonly devices: string[];
  /** Names that it has as a baseline. */
  readonly labels: string[];
  readonly branch: string | null;
  readonly commit: string | null;
  /** EdgeFlex's. */
  readonly version: string;
}

/** Which runs are wanted, in which order. Undefined: whatever it is. */
export interface RunWishes {
  /** In the suite, the id, the command, the commit, a model or a device; upper or lower case. */
  readonly search?: string | undefined;
  readonly status?: RunStatus | undefined;
  readonly suite?: string | undefined;
  readonly model?: string | undefined;
  readonly device?: string | undefined;
  /** A name that it has as a baseline. */
  readonly label?: string | undefined;
  readonly branch?: string | undefined;
  /** Moments in ISO 8601, UTC: started then or later, before then. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly sort: 'newest' | 'oldest' | 'suite';
  /** Where the page begins: `next` of the one before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** A page of a list of runs. */
export interface RunPage {
  readonly runs: ListedRun[];
  /** Where the next one begins; null after the last. */
  readonly next: string | null;
}

/**
 * A page of runs. It takes as long whichever page it is: pages begin behind the last run of the one before, by an index.
 *
 * @param db - the store
 * @param wishes - which
 * @throws InputError when the cursor is none
 */
export async function pageOfRuns(db: Db, wishes: RunWishes): Promise<RunPage> {
  const { sort, cursor, limit } = wishes;
  const holders = await liveHolders(db);
  const key = sort === 'suite' ? 'suite' : 'started_at';
  const direction = sort === 'newest' ? 'desc' : 'asc';
  let query = db
    .selectFrom('runs as r')
    .select(['r.id', 'r.suite', 'r.started_at'])
    .orderBy(`r.${key}`, direction)
    .orderBy('r.id', direction)
    .limit(limit + 1);
  for (const condition of conditionsOf(db, wishes, [...holders.keys()])) query = query.where(condition);
  if (cursor !== undefined) {
    const [value, id] = readCursor(cursor);
    const [columns, last] = [sql`(r.${sql.ref(key)}, r.id)`, sql`(${value}, ${id})`];
    query = query.where(
      direction === 'desc' ? sql<boolean>`${columns} < ${last}` : sql<boolean>`${columns} > ${last}`,
    );
  }
  const rows = await query.execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    runs: await listed(
      db,
      page.map(({ id }) => id),
      holders,
    ),
    next: more ? writeCursor([last[key], last.id]) : null,
  };
}

/** A run and how far it is. */
export type CountedRun = Pick<ListedRun, 'id' | 'name' | 'endedAt' | 'cells'>;

/**
 * The newest runs of a suite, and how far each is: what a history follows from, without what only a list shows.
 *
 * @param db - the store
 * @param suite - its name
 * @param limit - so many at most
 */
export async function newestCounted(db: Db, suite: string, limit: number): Promise<CountedRun[]> {
  const rows = await db
    .selectFrom('runs')
    .select(['id', 'uid', 'ended_at'])
    .where('suite', '=', suite)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const cells = await countedCells(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map(({ id: name, uid: id, ended_at: endedAt }) => ({
    ...{ id, name, endedAt },
    cells: cells(name),
  }));
}

/** How many cells of runs are how far. */
async function countedCells(db: Db, names: readonly string[]): Promise<(name: string) => ListedRun['cells']> {
  if (names.length === 0) return () => ({ all: 0, done: 0, pending: 0, failed: 0, unsupported: 0 });
  const rows = await db
    .selectFrom('cells')
    .select(({ fn }) => ['run_id', 'status', fn.countAll<number>().as('count')])
    .where('run_id', 'in', names)
    .groupBy(['run_id', 'status'])
    .execute();
  const own = groupBy(rows, ({ run_id: run }) => run);
  return (name) => {
    const counts = new Map(own.get(name)?.map(({ status, count }) => [status, count]));
    const count = (status: CellRow['status']): number => counts.get(status) ?? 0;
    return {
      all: [...counts.values()].reduce((sum, each) => sum + each, 0),
      ...{ done: count('done'), pending: count('pending') },
      ...{ failed: count('failed'), unsupported: count('unsupported') },
    };
  };
}

/**
 * Runs as a list has them.
 *
 * @param db - the store
 * @param names - their ids in this store, in the order in which they are wanted; those that are not there are left out
 */
export async function listedRuns(db: Db, names: readonly string[]): Promise<ListedRun[]> {
  return listed(db, names, await liveHolders(db));
}

/** @param holders - who works on which run */
async function listed(
  db: Db,
  names: readonly string[],
  holders: ReadonlyMap<string, Holder>,
): Promise<ListedRun[]> {
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom('runs')
    .select(['id', 'uid', 'suite', 'started_at', 'ended_at', 'version', 'repository_json'])
    .where('id', 'in', names)
    .execute();
  const cells = await countedCells(db, names);
  const models = await db
    .selectFrom('variants')
    .select(({ fn }) => ['run_id', 'model as name', fn.min('position').as('position')])
    .where('run_id', 'in', names)
    .groupBy(['run_id', 'model'])
    .orderBy('position')
    .execute();
  const devices = await db
    .selectFrom('devices')
    .select(['run_id', 'name'])
    .where('run_id', 'in', names)
    .orderBy('id')
    .execute();
  const labels = await db
    .selectFrom('baselines')
    .select(['run_id', 'name'])
    .where('run_id', 'in', names)
    .orderBy('name')
    .execute();
  const byName = new Map(rows.map((row) => [row.id, row]));
  const [modelsOf, devicesOf, labelsOf] = [namesByRun(models), namesByRun(devices), namesByRun(labels)];
  return names.flatMap((name) => {
    const row = byName.get(name);
    if (row === undefined) return [];
    const counts = cells(name);
    const repository = repositoryOf(row);
    return [
      {
        ...{ id: row.uid, name, suite: row.suite, startedAt: row.started_at, endedAt: row.ended_at },
        state: holders.has(name) ? 'running' : stateOf(row.ended_at, counts),
        cells: counts,
        ...{ models: modelsOf(name), devices: devicesOf(name), labels: labelsOf(name) },
        ...{ branch: repository?.branch ?? null, commit: repository?.commit ?? null, version: row.version },
      },
    ];
  });
}

/** Names that belong to runs, in the order in which they come. */
function namesByRun(
  rows: readonly { readonly run_id: string; readonly name: string }[],
): (run: string) => string[] {
  const own = groupBy(rows, ({ run_id: run }) => run);
  return (run) => own.get(run)?.map(({ name }) => name) ?? [];
}

/**
 * The run that a caller means.
 *
 * @param db - the store
 * @param id - its global id, or its id in this store: all of it
 * @returns its id in this store; undefined where there is none
 */
export async function namedRun(db: Db, id: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('runs')
    .select('id')
    .where((eb) => eb.or([eb('uid', '=', id), eb('id', '=', id)]))
    .executeTakeFirst();
  return row?.id;
}

/**
 * Global ids of runs.
 *
 * @param db - the store
 * @param names - their ids in this store
 */
export async function globalIds(db: Db, names: readonly string[]): Promise<Map<string, string>> {
  if (names.length === 0) return new Map();
  const rows = await db.selectFrom('runs').select(['id', 'uid']).where('id', 'in', names).execute();
  return new Map(rows.map(({ id, uid }) => [id, uid]));
}

/** @param held - ids of runs that somebody works on */
function conditionsOf(db: Db, wishes: RunWishes, held: readonly string[]): Expression<SqlBool>[] {
  const { search, status, suite, model, device, label, branch, since, until } = wishes;
  const { textIn } = isOnServer(db) ? postgresParts : sqliteParts;
  const inRepository = (field: string) => sql<string>`${sql.raw(textIn('r.repository_json', field))}`;
  const found: Expression<SqlBool>[] = [];
  if (suite !== undefined) found.push(sql`r.suite = ${suite}`);
  if (since !== undefined) found.push(sql`r.started_at >= ${since}`);
  if (until !== undefined) found.push(sql`r.started_at < ${until}`);
  if (branch !== undefined) found.push(sql`${inRepository('branch')} = ${branch}`);
  if (model !== undefined)
    found.push(sql`exists (select 1 from variants v where v.run_id = r.id and v.model = ${model})`);
  if (device !== undefined)
    found.push(sql`exists (select 1 from devices d where d.run_id = r.id and d.name = ${device})`);
  if (label !== undefined)
    found.push(sql`exists (select 1 from baselines b where b.run_id = r.id and b.name = ${label})`);
  if (search !== undefined) {
    const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    const like = (text: Expression<unknown>) => sql`lower(${text}) like ${pattern} escape '\\'`;
    found.push(
      sql`(${like(sql`r.suite || ' ' || r.id || ' ' || r.uid || ' ' || r.command`)}
        or ${like(sql`coalesce(${inRepository('commit')}, '')`)}
        or exists (select 1 from variants v where v.run_id = r.id and ${like(sql`v.model`)})
        or exists (select 1 from devices d where d.run_id = r.id and ${like(sql`d.name`)}))`,
    );
  }
  if (status !== undefined) found.push(...statusConditions(status, held));
  return found;
}

function statusConditions(status: RunStatus, held: readonly string[]): Expression<SqlBool>[] {
  const list = sql.join(held.length > 0 ? held.map((id) => sql`${id}`) : [sql`null`]);
  const free = held.length > 0 ? [sql<boolean>`r.id not in (${list})`] : [];
  const some = (state: string) =>
    sql<boolean>`exists (select 1 from cells c where c.run_id = r.id and c.status = ${state})`;
  const none = (state: string) => sql<boolean>`not ${some(state)}`;
  switch (status) {
    case 'running':
      return [sql<boolean>`r.id in (${list})`];
    case 'unfinished':
      return [...free, sql<boolean>`r.ended_at is null`];
    case 'complete':
      return [...free, sql<boolean>`r.ended_at is not null`, some('done'), none('failed')];
    case 'partly failed':
      return [...free, sql<boolean>`r.ended_at is not null`, some('done'), some('failed')];
    case 'failed':
      return [...free, sql<boolean>`r.ended_at is not null`, none('done')];
  }
}

/**
 * Where a page begins, as a text that may stand in an address.
 *
 * @param place - what the last entry of the page before was sorted by, and its id
 */
function writeCursor(place: readonly [string, string]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws InputError when it is none */
function readCursor(cursor: string): readonly [string, string] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(place) && place.length === 2 && place.every((each) => typeof each === 'string'))
      return [String(place[0]), String(place[1])];
  } catch {
    // Said below.
  }
  throw new InputError({ source: 'cursor', found: cursor, expected: '"next" of the page before' });
}
