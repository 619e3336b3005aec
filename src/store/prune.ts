import { sql } from 'kysely';
import { defined } from '../base/defined.js';
import { heldError, liveHolders, type Holder } from './lease.js';
import { hasFigures, runsOf } from './newest.js';
import type { Db } from './open.js';
import { listRuns, type RunSummary } from './read.js';
import { dropEmptyMonths } from './postgres/months.js';
import { isOnServer, lock } from './server.js';

/** Which runs may go. */
export interface PruneRule {
  /** So many of each suite stay, the newest that ended with something measured. */
  readonly keep: number;
  /** Only runs that started before this moment go, ISO 8601 in UTC; undefined: however young. */
  readonly before: string | undefined;
  /** Only runs of this suite go; undefined: of any. */
  readonly suite: string | undefined;
}

/** Why a run stays. */
export type KeepReason =
  /** It is one of so many of its suite, the newest that ended with something measured. */
  | { readonly kind: 'newest'; readonly keep: number }
  /** It started after the rule's moment. */
  | { readonly kind: 'young' }
  | { readonly kind: 'baseline'; readonly names: readonly string[] }
  /** A device's noise floor comes from it. */
  | { readonly kind: 'calibration' }
  /** A process works on it. */
  | { readonly kind: 'held'; readonly holder: Holder }
  /** It was interrupted within a day. */
  | { readonly kind: 'resumable' };

/** What becomes of a run. */
export interface PruneDecision {
  readonly run: RunSummary;
  /** Why it stays; none: it goes. */
  readonly reasons: readonly KeepReason[];
}

/** A run that was interrupted so recently, in milliseconds, is likely to be resumed. */
const RESUMABLE = 24 * 3600 * 1000;

/**
 * Decides which runs go: old ones, but for those that others need. Nothing is changed.
 *
 * @param db - the store
 * @param rule - which may go
 * @param now - milliseconds since 1970
 * @returns a decision for each run that the rule is about, the newest first
 * @throws InputError when there is no run of the suite
 */
export async function planPruning(db: Db, rule: PruneRule, now: number): Promise<PruneDecision[]> {
  const calibrations = new Set(
    (await db.selectFrom('floors').select('run_id').distinct().execute()).map(({ run_id }) => run_id),
  );
  const seen = new Map<string, number>();
  const decisions: PruneDecision[] = [];
  for (const run of runsOf(await listRuns(db), rule.suite)) {
    const place = seen.get(run.suite) ?? 0;
    const counts = hasFigures(run);
    if (counts) seen.set(run.suite, place + 1);
    const { baselines, holder } = run;
    const reasons: KeepReason[] = [];
    if (counts && place < rule.keep) reasons.push({ kind: 'newest', keep: rule.keep });
    if (rule.before !== undefined && run.startedAt >= rule.before) reasons.push({ kind: 'young' });
    if (baselines.length > 0) reasons.push({ kind: 'baseline', names: baselines });
    if (calibrations.has(run.id)) reasons.push({ kind: 'calibration' });
    if (holder) reasons.push({ kind: 'held', holder });
    if (run.state === 'unfinished' && now - (await lastSign(db, run)) < RESUMABLE)
      reasons.push({ kind: 'resumable' });
    decisions.push({ run, reasons });
  }
  return decisions;
}

/**
 * Deletes runs with everything that was measured in them: all of them or none. The database keeps its size until `shrinkDatabase`.
 *
 * @param db - the store, open for writing
 * @param ids - of the runs
 * @throws InputError, and then none is deleted, when a process has begun to work on one of them meanwhile; SQLite's error when one has
 * become a baseline or a calibration
 */
export async function deleteRuns(db: Db, ids: readonly string[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const id of [...ids].sort()) await lock(transaction, `run ${id}`);
    const holders = await liveHolders(transaction);
    for (const id of ids) {
      const holder = holders.get(id);
      if (holder !== undefined) throw heldError(id, holder);
    }
    for (const id of ids) await transaction.deleteFrom('runs').where('id', '=', id).execute();
  });
}

/**
 * Gives the space of what was deleted, now or earlier, back to the system. SQLite needs room for a copy of what is left to do it. On a
 * server past months of which nothing is left are dropped (`dropEmptyMonths`); the rest is autovacuum's, in its own time.
 *
 * @param db - the store, open for writing
 * @returns bytes that the database has become smaller by
 * @throws ResourceError when there is no room for the copy: the database is then as it was, and what is stored next fills the space
 */
export async function shrinkDatabase(db: Db): Promise<number> {
  if (isOnServer(db)) return dropEmptyMonths(db);
  const { rows } = await sql<{
    pages: number;
  }>`select freelist_count as pages from pragma_freelist_count()`.execute(db);
  if (rows[0]?.pages === 0) return 0;
  const before = await size(db);
  await sql`vacuum`.execute(db);
  // What was written goes into the log first; without this the file would shrink only when the last reader has left.
  await sql`pragma wal_checkpoint(truncate)`.execute(db);
  return before - (await size(db));
}

/** When a run last stored something, in milliseconds since 1970. */
async function lastSign(db: Db, { id, startedAt }: RunSummary): Promise<number> {
  const last = await db
    .selectFrom('rounds')
    .innerJoin('cells', 'cells.id', 'rounds.cell_id')
    .select(({ fn }) => fn.max<string | null>('rounds.started_at').as('at'))
    .where('cells.run_id', '=', id)
    .executeTakeFirst();
  return Date.parse(last?.at ?? startedAt);
}

async function size(db: Db): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()`.execute(db);
  return defined(rows[0], 'the size of the database').bytes;
}
