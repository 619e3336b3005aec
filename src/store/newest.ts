import { sql } from 'kysely';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import { NO_RESULTS } from './error.js';
import { liveHolders } from './lease.js';
import type { Db } from './open.js';
import { listRuns, type RunSummary } from './read.js';

/** The run that "the newest" means. */
export interface NewestRun {
  /** The newest that has ended with something measured; where there is none, the newest of all: its state says what it is. */
  readonly run: RunSummary;
  /** Newer ones that are not meant: they go on, were interrupted, or failed altogether. */
  readonly passedOver: readonly RunSummary[];
}

/**
 * The newest run that something can be said of.
 *
 * @param db - the store
 * @param suite - of the run; undefined: of any
 * @throws InputError when there is no run
 */
export async function newestRun(db: Db, suite?: string): Promise<NewestRun> {
  const runs = runsOf(await listRuns(db), suite);
  const [newest] = runs;
  if (newest === undefined) throw noRun();
  const run = runs.find(hasFigures);
  return run === undefined
    ? { run: newest, passedOver: [] }
    : { run, passedOver: runs.slice(0, runs.indexOf(run)) };
}

/** What to throw where a run is needed and none is stored. */
export function noRun(): InputError {
  return new InputError({
    source: 'run',
    found: 'no run',
    expected: 'a stored run',
    hint: NO_RESULTS,
  });
}

/**
 * Runs of a suite.
 *
 * @param runs - all that are stored
 * @param suite - its name; undefined: all of them
 * @param source - what named it, for the message
 * @throws InputError that names the suites that there are, when none is of it
 */
export function runsOf<Run extends { readonly suite: string }>(
  runs: readonly Run[],
  suite: string | undefined,
  source = '--suite',
): readonly Run[] {
  if (suite === undefined) return runs;
  const own = runs.filter((run) => run.suite === suite);
  if (own.length > 0) return own;
  const suites = [...new Set(runs.map((run) => run.suite))].sort();
  throw new InputError({
    source,
    found: `no run of ${suite}${didYouMean(suite, suites)}`,
    expected: suites.length > 0 ? `one of ${suites.join(', ')}` : 'a stored run',
    hint: '"edgeflex runs" lists them.',
  });
}

/** Whether a run has ended, and something was measured in it. */
export function hasFigures({ state }: RunSummary): boolean {
  return state === 'complete' || state === 'partly failed';
}

/**
 * The newest runs that have ended with something measured and that nobody works on: those of which `hasFigures` is true, found by the
 * database, without reading all others.
 *
 * @param db - the store
 * @param suite - their suite; undefined: of any
 * @param limit - so many at most
 * @returns their ids in this store, the newest first
 */
export async function newestWithFigures(db: Db, suite: string | undefined, limit: number): Promise<string[]> {
  const held = [...(await liveHolders(db)).keys()];
  let query = db
    .selectFrom('runs as r')
    .select('r.id')
    .where('r.ended_at', 'is not', null)
    .where(sql<boolean>`exists (select 1 from cells c where c.run_id = r.id and c.status = 'done')`)
    .orderBy('r.started_at', 'desc')
    .orderBy('r.id', 'desc')
    .limit(limit);
  if (suite !== undefined) query = query.where('r.suite', '=', suite);
  if (held.length > 0) query = query.where('r.id', 'not in', held);
  return (await query.execute()).map(({ id }) => id);
}

/**
 * The run that `--resume` goes on with where none is named: the newest of the suite that was interrupted, or else the newest of
 * all, when cells of it have failed.
 *
 * @param db - the store
 * @param suite - of the run
 * @returns undefined when there is nothing left to do
 */
export async function resumableRun(db: Db, suite: string): Promise<RunSummary | undefined> {
  const runs = (await listRuns(db)).filter((run) => run.suite === suite);
  const [newest] = runs;
  const interrupted = runs.find(({ endedAt }) => endedAt === null);
  return interrupted ?? (newest !== undefined && newest.failed > 0 ? newest : undefined);
}
