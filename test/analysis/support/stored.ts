import { Database } from '../../../src/base/sqlite.js';
import { onTestFinished } from 'vitest';
import { analyse, type Analysis, type VariantFigures } from '../../../src/analysis/analysis.js';
import { openStore } from '../../../src/store/open.js';
import { findRun, loadRun } from '../../../src/store/read.js';
import { storeExample, type ExampleOptions } from './example.js';
import { RawRows } from './reference.js';

/** A stored run, as reports see it and as it lies in the database. */
export interface Stored {
  readonly analysis: Analysis;
  /** Open until the test is over. */
  readonly database: Database;
  readonly raw: RawRows;
}

/**
 * Stores the example in a new database and reads it back.
 *
 * @param path - where the database goes
 * @param options - how the run is wanted
 * @param change - changes rows before they are read
 */
export async function storedExample(
  path: string,
  options: ExampleOptions = {},
  change: (database: Database) => void = () => undefined,
): Promise<Stored> {
  const db = await openStore(path);
  const database = new Database(path);
  onTestFinished(() => void database.close());
  try {
    await storeExample(db, options);
    change(database);
    const analysis = analyse(await loadRun(db, await findRun(db, '')));
    return { analysis, database, raw: new RawRows(database) };
  } finally {
    await db.destroy();
  }
}

/** The figures of a variant, by the names it is stored under. */
export function figuresOf(
  { figures }: Analysis,
  recipe: string,
  model = 'vit-drawn',
  device = 'laptop',
): VariantFigures {
  const found = figures.find(
    (each) =>
      each.variant.recipe === recipe && each.variant.model === model && each.device.row.name === device,
  );
  if (found === undefined) throw new Error(`no figures of ${model} / ${recipe} on ${device}`);
  return found;
}
