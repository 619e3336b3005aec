import { sql, type Kysely } from 'kysely';

/** The tables of raw data that lie in partitions, with their columns besides the round and the month. */
const rawTables = {
  raw_samples: 'milliseconds double precision[] not null, primary key (round_id, month)',
  raw_served:
    'trial bigint not null, scheduled double precision[] not null, started double precision[] not null, ' +
    'ended double precision[] not null, primary key (round_id, trial, month)',
  raw_predictions: 'label integer[] not null, predicted integer[] not null, primary key (round_id, month)',
  raw_cosines: 'cosine double precision[] not null, primary key (round_id, month)',
  raw_logits:
    'first bigint not null, classes bigint not null, data bytea not null, primary key (round_id, first, month)',
  raw_embeddings:
    'first bigint not null, width bigint not null, data bytea not null, primary key (round_id, first, month)',
} as const;

/** Names of the tables that lie in partitions. */
export const rawTableNames: readonly string[] = Object.keys(rawTables);

/** The tables of SQLite's schema as views of those: one row for each element of an array. An element that is null is no row. */
const views = {
  samples: `select r.round_id, e.at - 1 as query, e.milliseconds
    from raw_samples r cross join lateral unnest(r.milliseconds) with ordinality as e (milliseconds, at)
    where e.milliseconds is not null`,
  served: `select r.round_id, r.trial, e.at - 1 as query, e.scheduled, e.started, e.ended
    from raw_served r
    cross join lateral unnest(r.scheduled, r.started, r.ended) with ordinality as e (scheduled, started, ended, at)
    where e.ended is not null`,
  predictions: `select r.round_id, e.at - 1 as image, e.label, e.predicted
    from raw_predictions r cross join lateral unnest(r.label, r.predicted) with ordinality as e (label, predicted, at)
    where e.predicted is not null`,
  cosines: `select r.round_id, e.at - 1 as image, e.cosine
    from raw_cosines r cross join lateral unnest(r.cosine) with ordinality as e (cosine, at)
    where e.cosine is not null`,
  logits: 'select round_id, first, classes, data from raw_logits',
  embeddings: 'select round_id, first, width, data from raw_embeddings',
} as const;

/**
 * Makes a month's partitions. It runs with its owner's rights, so that whoever may record may do this, too. Each is made apart and then
 * attached, which waits for no reader; two that need the same month at once make it one after the other.
 *
 * @param including - what a partition has of its parent, in SQL
 * @returns what follows `create`
 */
const makeMonth = (including: string): string => `function make_month(beginning date) returns void
  language plpgsql security definer set search_path = edgeflex, pg_temp as $$
  declare
    parent text;
    child text;
  begin
    if to_regclass('raw_embeddings' || to_char(beginning, '_YYYY_MM')) is not null then
      return;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('edgeflex month', 0));
    foreach parent in array array['${Object.keys(rawTables).join("', '")}'] loop
      child := parent || to_char(beginning, '_YYYY_MM');
      if to_regclass(child) is null then
        execute format('create table %I (like %I ${including})', child, parent);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)',
          parent, child, beginning, (beginning + interval '1 month')::date);
      end if;
    end loop;
  end
  $$`;

/** Of the samples of a round, by the column that has it. Elements that are null are none. */
const sampleFigures = {
  queries: ['bigint', 'count(value)'],
  total_ms: ['double precision', 'sum(value)'],
  median_ms: ['double precision', 'percentile_cont(0.5) within group (order by value)'],
} as const;

/**
 * Stores beside the samples of a round how many there are, their sum and their median: columns that the server itself computes when samples
 * are stored, so that they cannot differ from them, and no view sorts all samples of all runs. The samples that are there already are
 * gone through once: ten million take about a minute.
 *
 * @param db - the transaction that changes the schema, on a server
 */
export async function storedFigures(db: Kysely<unknown>): Promise<void> {
  const run = async (statement: string): Promise<unknown> => sql.raw(statement).execute(db);
  const columns: string[] = [];
  for (const [column, [type, query]] of Object.entries(sampleFigures)) {
    await run(`create function ${column}_of(samples double precision[]) returns ${type}
      language sql immutable parallel safe as 'select ${query} from unnest(samples) as each (value)'`);
    columns.push(`add column ${column} ${type} generated always as (${column}_of(milliseconds)) stored`);
  }
  await run(`alter table raw_samples ${columns.join(', ')}`);
  await run(`create or replace ${makeMonth('including defaults including constraints including generated')}`);
}

/**
 * Stores raw data on a server as arrays, one row for a round, in partitions by the month in which the round was measured: millions of
 * rows with a header each become thousands. Queries find them under the names and in the shape that they have on SQLite.
 *
 * @param db - the transaction that changes the schema, on a server
 */
export async function rawArrays(db: Kysely<unknown>): Promise<void> {
  const run = async (statement: string): Promise<unknown> => sql.raw(statement).execute(db);
  for (const view of Object.keys(views)) await run(`drop table ${view}`);
  for (const [table, columns] of Object.entries(rawTables))
    await run(
      `create table ${table} (month date not null, round_id bigint not null references rounds (id) on delete cascade, ${columns}) ` +
        'partition by range (month)',
    );
  for (const [view, query] of Object.entries(views)) await run(`create view ${view} as ${query}`);
  await run(`create ${makeMonth('including defaults including constraints')}`);
  // SQLite keeps fractions in a column of whole numbers; these two may have some.
  await run('alter table memory alter column bytes type double precision');
  await run('alter table kernel_nodes alter column calls type double precision');
}
