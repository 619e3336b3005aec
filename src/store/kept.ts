import { createHash } from 'node:crypto';
import type { Db } from './open.js';

/** What is kept of runs: points of their history, what they say to a procurement, their analysis and report as JSON. */
export const keptKinds = ['points', 'observed', 'analysis', 'report'] as const;

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
 * Keeps what was computed, in place of what was kept to the same questions.
 *
 * @param db - the store, open for writing
 * @param facts - all or none of them
 */
export async function keepFacts(db: Db, facts: readonly KeptFacts[]): Promise<void> {
  if (facts.length === 0) return;
  const at = new Date().toISOString();
  await db.transaction().execute(async (transaction) => {
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
