import { createHash } from 'node:crypto';
import type { Db } from './open.js';

/**
 * What is kept of runs: points of their history, what they say to a procurement, their analysis and report as JSON; and of a suite at one of its
 * runs where its series changed.
 */
export const keptKinds = ['points', 'observed', 'analysis', 'report', 'changes'] as const;

/** See `keptKinds`. */
export type KeptKind = (typeof keptKinds)[number];

/** Something that was computed of a run. It can be computed again at any time. */
export interface KeptFacts {
  readonly run: string;
  readonly kind: KeptKind;
  /** What was asked beside the run, such as the hash of options. */
  readonly question: string;
  /** What it follows from: another state, and it is no longer true. */
  readonly state: string;
  readonly body: Buffer;
}

/**
 * What is kept of runs and still true; what is damaged is left out, as if it were not there.
 *
 * @param db - the store
 * @param asked - kind and question
 * @param states - the state of each run, by its id
 * @returns by the run's id
 */
export async function readKept(
  db: Db,
  { kind, question }: Pick<KeptFacts, 'kind' | 'question'>,
  states: ReadonlyMap<string, string>,
): Promise<Map<string, Buffer>> {
  if (states.size === 0) return new Map();
  const rows = await db
    .selectFrom('kept')
    .select(['run_id', 'state', 'digest', 'body'])
    .where('kind', '=', kind)
    .where('question', '=', question)
    .where('run_id', 'in', [...states.keys()])
    .execute();
  return new Map(
    rows
      .filter(
        ({ run_id: run, state, digest, body }) => states.get(run) === state && digestOf(body) === digest,
      )
      .map(({ run_id: run, body }) => [run, body]),
  );
}

/**
 * For which runs something is kept that is still true, without reading it.
 *
 * @param db - the store
 * @param asked - kind and question
 * @param states - the state of each run, by its id
 */
export async function whichKept(
  db: Db,
  { kind, question }: Pick<KeptFacts, 'kind' | 'question'>,
  states: ReadonlyMap<string, string>,
): Promise<Set<string>> {
  if (states.size === 0) return new Set();
  const rows = await db
    .selectFrom('kept')
    .select(['run_id', 'state'])
    .where('kind', '=', kind)
    .where('question', '=', question)
    .where('run_id', 'in', [...states.keys()])
    .execute();
  return new Set(rows.flatMap(({ run_id: run, state }) => (states.get(run) === state ? [run] : [])));
}

/**
 * What was kept last at one of some runs; nothing where that is damaged.
 *
 * @param db - the store
 * @param asked - kind, question and state
 * @param runs - their ids
 */
export async function readNewestKept(
  db: Db,
  { kind, question, state }: Pick<KeptFacts, 'kind' | 'question' | 'state'>,
  runs: readonly string[],
): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom('kept')
    .select(['digest', 'body'])
    .where('kind', '=', kind)
    .where('question', '=', question)
    .where('state', '=', state)
    .where('run_id', 'in', runs)
    .orderBy('made_at', 'desc')
    .executeTakeFirst();
  return row !== undefined && digestOf(row.body) === row.digest ? row.body : undefined;
}

/**
 * Keeps what was computed, in place of what was kept to the same questions.
 *
 * @param db - the store, open for writing
 * @param facts - all or none of them
 * @param others - ids of runs at which nothing of the kinds of these facts is kept any longer
 */
export async function keepFacts(
  db: Db,
  facts: readonly KeptFacts[],
  others: readonly string[] = [],
): Promise<void> {
  if (facts.length === 0) return;
  const at = new Date().toISOString();
  await db.transaction().execute(async (transaction) => {
    if (others.length > 0)
      await transaction
        .deleteFrom('kept')
        .where('run_id', 'in', others)
        .where('kind', 'in', [...new Set(facts.map(({ kind }) => kind))])
        .execute();
    for (const { run, kind, question, state, body } of facts) {
      const row = { state, digest: digestOf(body), body, made_at: at };
      await transaction
        .insertInto('kept')
        .values({ run_id: run, kind, question, ...row })
        .onConflict((conflict) => conflict.columns(['run_id', 'kind', 'question']).doUpdateSet(row))
        .execute();
    }
  });
}

/**
 * What figures of runs follow from beside the runs' ids: other rounds, another mark. Runs that have not ended have none.
 *
 * @param db - the store
 * @param runs - their ids
 */
export async function runMarks(db: Db, runs: readonly string[]): Promise<Map<string, string>> {
  if (runs.length === 0) return new Map();
  const rows = await db
    .selectFrom('runs as r')
    .leftJoin('cells as c', 'c.run_id', 'r.id')
    .leftJoin('rounds as o', 'o.cell_id', 'c.id')
    .select(({ fn }) => [
      ...(['r.id', 'r.uid', 'r.ended_at'] as const),
      fn.count<number>('o.id').as('rounds'),
      fn.count<number>('c.id').distinct().filterWhere('c.status', '=', 'done').as('done'),
    ])
    .where('r.id', 'in', runs)
    .where('r.ended_at', 'is not', null)
    .groupBy('r.id')
    .execute();
  return new Map(
    rows.map(({ id, uid, ended_at: ended, rounds, done }) => [
      id,
      JSON.stringify([uid, ended, rounds, done]),
    ]),
  );
}

function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
