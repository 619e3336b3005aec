import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import type { ColumnType } from '../store/description.js';
import { describedTables } from '../store/described-tables.js';
import { runQuery, type QueryResult } from '../store/query.js';
import { views } from '../store/views/list.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** How much of an answer is wanted. */
export interface QueryOptions {
  /** So many rows at most; left out, all. */
  readonly limit?: number | undefined;
}

const optionsSchema = z.strictObject({ limit: z.number().int().positive().optional() });

/**
 * Asks the results database something in SQL. `describeDatabase` lists views and tables.
 *
 * @param results - open, or their folder
 * @param sql - one `SELECT`, `WITH … SELECT` or `VALUES`; nothing else is run
 * @param options - how many rows
 * @throws InputError when it is no query, several, or one that the database does not understand
 *
 * @example
 * ```ts
 * const { rows } = await query('results', "select recipe, speedup from v_latency where device = 'local-cpu'");
 * for (const { recipe, speedup } of rows) console.log(recipe, speedup);
 * ```
 */
export async function query(
  results: Results | string,
  sql: string,
  options: QueryOptions = {},
): Promise<QueryResult> {
  const { limit } = checkedOptions('query', options, optionsSchema);
  return withResults(results, { readonly: true }, ({ db }) => runQuery(db, sql, limit));
}

/** A view or a table of the results database. */
export interface DescribedRelation {
  readonly name: string;
  readonly kind: 'view' | 'table';
  /** Of a view the question that it answers, of a table what a row is. */
  readonly meaning: string;
  /** What else is to know; null where there is nothing. */
  readonly note: string | null;
  /** In their order. */
  readonly columns: readonly {
    readonly name: string;
    readonly type: ColumnType;
    /** Null where there is none: of names, counts and ratios. */
    readonly unit: string | null;
    readonly mayBeNull: boolean;
    readonly meaning: string;
  }[];
}

/** Every view and table of the results database with its columns and their units: views first. */
export function describeDatabase(): readonly DescribedRelation[] {
  const relations = [
    ...views.map(({ name, question, note, columns }) => ({
      ...{ name, kind: 'view' as const, meaning: question, note: note ?? null, columns },
    })),
    ...Object.entries(describedTables).map(([name, { meaning, columns }]) => ({
      ...{ name, kind: 'table' as const, meaning, note: null, columns },
    })),
  ];
  return relations.map(({ columns, ...relation }) => ({
    ...relation,
    columns: Object.entries(columns).map(([name, { type, unit, meaning, mayBeNull }]) => ({
      ...{ name, type, unit: unit ?? null, mayBeNull: mayBeNull ?? false, meaning },
    })),
  }));
}

/**
 * A view or a table of the results database.
 *
 * @param name - of it
 * @throws InputError when there is none of that name
 */
export function describeRelation(name: string): DescribedRelation {
  const all = describeDatabase();
  const found = all.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = all.map((each) => each.name);
  throw new InputError({
    source: 'the database',
    found: `${name}${didYouMean(name, names)}`,
    expected: `one of ${names.join(', ')}`,
  });
}
