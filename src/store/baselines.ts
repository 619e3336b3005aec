import { InputError } from '../base/errors.js';
import type { Db } from './open.js';
import { runsBeginning } from './read.js';
import type { BaselineRow, RunRow } from './tables.js';

/** Names that read well in a command, and that no shell takes apart. */
const NAME = /^[a-z0-9][\w./-]*$/i;

/**
 * Names a run, so that later runs of its suite can be compared with it. The name moves when another run of the suite had it.
 *
 * @param db - the store, open for writing
 * @param name - of letters, digits, ".", "_", "/" and "-"
 * @param run - the run
 * @param at - now, ISO 8601 in UTC
 * @returns the run that had the name before; undefined when none had
 * @throws InputError when the name is none
 */
export async function setBaseline(
  db: Db,
  name: string,
  run: Pick<RunRow, 'id' | 'suite'>,
  at: string,
): Promise<string | undefined> {
  if (!NAME.test(name))
    throw new InputError({
      source: 'baseline',
      found: `the name ${JSON.stringify(name)}`,
      expected: 'a name of letters, digits, ".", "_", "/" and "-" that begins with a letter or a digit',
    });
  const before = (await baselinesCalled(db, name, run.suite))[0]?.run_id;
  await db
    .insertInto('baselines')
    .values({ suite: run.suite, name, run_id: run.id, set_at: at })
    .onConflict((conflict) => conflict.columns(['suite', 'name']).doUpdateSet({ run_id: run.id, set_at: at }))
    .execute();
  return before;
}

/** All baselines, by suite and name. */
export async function listBaselines(db: Db): Promise<BaselineRow[]> {
  return db.selectFrom('baselines').selectAll().orderBy('suite').orderBy('name').execute();
}

/**
 * Takes a name away from the run that has it. The run stays.
 *
 * @param db - the store, open for writing
 * @param name - of the baseline
 * @param suite - of its run; needed where several suites have a baseline of that name
 * @returns what was removed
 * @throws InputError when there is none, or there are several
 */
export async function removeBaseline(db: Db, name: string, suite: string | undefined): Promise<BaselineRow> {
  const found = await baselinesCalled(db, name, suite);
  const [baseline] = found;
  if (baseline === undefined)
    throw new InputError({
      source: 'baseline',
      found: `no ${name}${suite === undefined ? '' : ` of ${suite}`}`,
      expected: 'an existing baseline',
      hint: '"edgeflex baseline list" lists them.',
    });
  if (found.length > 1) throw severalSuites(name, found);
  await db.deleteFrom('baselines').where('suite', '=', baseline.suite).where('name', '=', name).execute();
  return baseline;
}

/**
 * The run that a word means: a baseline's name, or a run's id or the beginning of it.
 *
 * @param db - the store
 * @param word - what the user wrote
 * @param suite - where it is known: only baselines and runs of this suite are meant
 * @throws InputError when nothing is meant, or more than one run
 */
export async function referenceRun(db: Db, word: string, suite?: string): Promise<RunRow> {
  const named = await baselinesCalled(db, word, suite);
  const all = await runsBeginning(db, word);
  const begun = all.filter((run) => suite === undefined || run.suite === suite);
  const exact = begun.find(({ id }) => id === word);
  const runs = exact ? [exact] : begun;
  if (named.length === 0) {
    const [run] = runs;
    if (run !== undefined && runs.length === 1) return run;
    throw new InputError({
      source: 'run',
      found:
        runs.length > 1
          ? `${word}, which matches ${runs.length} runs`
          : all[0] === undefined
            ? word
            : `${word}, a run of ${all[0].suite}`,
      expected:
        runs.length > 1
          ? `one of ${runs.map(({ id }) => id).join(', ')}`
          : `a baseline or a stored run${suite === undefined ? '' : ` of ${suite}`}`,
      ...(runs.length > 1 ? {} : { hint: '"edgeflex runs" and "edgeflex baseline list" show what exists.' }),
    });
  }
  if (named.length > 1) throw severalSuites(word, named);
  const [{ run_id: id, suite: suiteOfName }] = named as [BaselineRow];
  const others = runs.filter((run) => run.id !== id);
  if (others.length > 0)
    throw new InputError({
      source: 'run',
      found: `${word}, which is a baseline of ${suiteOfName} (run ${id}) and also the beginning of ${others.map((run) => run.id).join(', ')}`,
      expected: 'a name or id that identifies one run',
      hint: 'Give the full id of the run.',
    });
  return db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

/** What is known of a run that a word means. */
export type MeantRun = Pick<RunRow, 'id' | 'started_at'>;

/**
 * The runs that some words mean, each as `referenceRun` says: whole ids, which are most of many, in two queries together.
 *
 * @param db - the store
 * @param words - what the user wrote
 * @param suite - where it is known: only baselines and runs of this suite are meant
 * @returns in the order of the words
 * @throws InputError when a word means nothing, or more than one run
 */
export async function referenceRuns(
  db: Db,
  words: readonly string[],
  suite?: string,
): Promise<readonly MeantRun[]> {
  if (words.length === 0) return [];
  const names = await db.selectFrom('baselines').select('name').where('name', 'in', words).execute();
  const exact = await db
    .selectFrom('runs')
    .select(['id', 'started_at', 'suite'])
    .where('id', 'in', words)
    .execute();
  const isName = new Set(names.map(({ name }) => name));
  const byId = new Map(
    exact.filter((run) => suite === undefined || run.suite === suite).map((run) => [run.id, run]),
  );
  const found: MeantRun[] = [];
  for (const word of words) {
    const run = isName.has(word) ? undefined : byId.get(word);
    found.push(run ?? (await referenceRun(db, word, suite)));
  }
  return found;
}

function baselinesCalled(db: Db, name: string, suite: string | undefined): Promise<BaselineRow[]> {
  const query = db.selectFrom('baselines').selectAll().where('name', '=', name);
  return (suite === undefined ? query : query.where('suite', '=', suite)).orderBy('suite').execute();
}

function severalSuites(name: string, found: readonly BaselineRow[]): InputError {
  return new InputError({
    source: 'baseline',
    found: `${name}, which exists in ${found.length} suites`,
    expected: `the suite as well: ${found.map(({ suite }) => suite).join(', ')}`,
    hint: 'Name it with --suite.',
  });
}
