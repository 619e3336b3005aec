import { Database } from '../../../src/base/sqlite.js';
import { compareRuns, type Comparison, type CompareOptions } from '../../../src/analysis/compare/compare.js';
import type { Metric } from '../../../src/base/metric.js';
import type { Judgement } from '../../../src/analysis/compare/judge.js';
import { listFloors } from '../../../src/store/floors.js';
import { openStore } from '../../../src/store/open.js';
import { findRun, loadRun, type StoredRun } from '../../../src/store/read.js';
import { storeExample, type ExampleOptions } from '../support/example.js';

/** Two runs that are the same in every figure but for what a test changes. */
export interface TwoRuns {
  readonly reference: StoredRun;
  readonly run: StoredRun;
  /** Compares them; strictly unless a test says otherwise. */
  compare(options?: Partial<CompareOptions>): Comparison;
}

/**
 * Stores the example twice, as `reference` and as `new`.
 *
 * @param path - where the database goes
 * @param change - changes rows before they are read
 * @param options - how both are wanted
 */
export async function twoRuns(
  path: string,
  change: (database: Database) => void = () => undefined,
  options: ExampleOptions = { smooth: true },
): Promise<TwoRuns> {
  const db = await openStore(path);
  const database = new Database(path);
  try {
    // What both are called must be the same, however a test dresses names.
    const dress = options.dress && remembering(options.dress);
    for (const id of ['reference', 'new'])
      await storeExample(db, { ...options, ...(dress ? { dress } : {}), id });
    change(database);
    const [reference, run] = await Promise.all(
      ['reference', 'new'].map(async (id) => loadRun(db, await findRun(db, id))),
    );
    const floors = await listFloors(db);
    return {
      reference: reference!,
      run: run!,
      compare: (wanted = {}) =>
        compareRuns(reference!, run!, { floors, p90: false, force: false, ...wanted }),
    };
  } finally {
    database.close();
    await db.destroy();
  }
}

function remembering(dress: (text: string) => string): (text: string) => string {
  const dressed = new Map<string, string>();
  return (text) => {
    const known = dressed.get(text) ?? dress(text);
    dressed.set(text, known);
    return known;
  };
}

/** SQL for the rounds of some cells of the newer run. */
export function roundsOf(recipe: string, batch: number, kind = 'performance'): string {
  return `select rounds.id from rounds join cells on cells.id = cell_id join variants on variants.id = variant_id
    where cells.run_id = 'new' and recipe = '${recipe}' and kind = '${kind}' and batch = ${batch}`;
}

/** SQL that makes some cells of the newer run take so many times as long. */
export function slower(recipe: string, batch: number, times: number): string {
  return `update samples set milliseconds = milliseconds * ${times} where round_id in (${roundsOf(recipe, batch)});`;
}

/** What is said of one figure. */
export function judgementOf(
  { compared }: Comparison,
  metric: Metric,
  recipe: string,
  batch?: number,
): Judgement {
  const found = compared.find(
    ({ subject, judgement }) =>
      judgement.metric === metric && subject.recipe === recipe && subject.batch === batch,
  );
  if (found === undefined) throw new Error(`no ${metric} of ${recipe}`);
  return found.judgement;
}
