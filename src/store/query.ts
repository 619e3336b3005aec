import { sql } from 'kysely';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import { describedTables } from './described-tables.js';
import type { Db } from './open.js';
import { StoreError } from './error.js';
import { views } from './views/list.js';

/** What a query gave. */
export interface QueryResult {
  /** Names of the columns in their order; where a query gives two of one name, the second is `name:1`. */
  readonly columns: readonly string[];
  /** Values by column: numbers, texts, null, or bytes. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Whether there are more rows than were asked for. */
  readonly more: boolean;
}

const SOURCE = 'the query';
const EXPECTED = 'one SELECT, WITH … SELECT or VALUES';
const HINT =
  '"edgeflex query --views" and "--tables" list what can be queried, "edgeflex query --describe v_results" its columns.';

/** Blanks and comments, `--` and C's, before the first word. */
const BEFORE = /^(?:\s|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/)*/;

/**
 * Asks the database something in SQL. Nothing can be changed: whatever is not a query is refused by name, what is asked stands inside
 * another query, where only queries may stand, and the connection is one that cannot write.
 *
 * @param db - open for reading
 * @param text - one query
 * @param limit - so many rows at most; left out, all
 * @throws InputError when it is no query, several, or one that the database does not understand
 */
export async function runQuery(db: Db, text: string, limit?: number): Promise<QueryResult> {
  refuseOthers(text);
  const asked = `(\n${text.replace(/[\s;]+$/, '')}\n) as asked`;
  const most = limit === undefined ? '' : ` limit ${limit + 1}`;
  const rows = await rowsOf(db, `select * from ${asked}${most}`);
  const more = limit !== undefined && rows.length > limit;
  // Without a row nobody names the columns: a row of nothing does.
  const [first] =
    rows.length > 0
      ? rows
      : await rowsOf(db, `select asked.* from (select 1 as one) as one left join ${asked} on 1 = 1`);
  return { columns: Object.keys(first ?? {}), rows: more ? rows.slice(0, limit) : rows, more };
}

function refuseOthers(text: string): void {
  const word = /^\w+/.exec(text.replace(BEFORE, ''))?.[0].toUpperCase();
  if (word === 'SELECT' || word === 'WITH' || word === 'VALUES') return;
  throw new InputError({
    source: SOURCE,
    found: word ?? (text.trim() === '' ? 'nothing' : text),
    expected: EXPECTED,
    hint: HINT,
  });
}

async function rowsOf(db: Db, text: string): Promise<Record<string, unknown>[]> {
  try {
    return (await sql.raw<Record<string, unknown>>(text).execute(db)).rows;
  } catch (error) {
    throw refusal(error);
  }
}

/** What the database says of a query that it does not understand, as a refusal; other errors as they are. */
function refusal(error: unknown): unknown {
  const cause: unknown = error instanceof StoreError ? error.cause : error;
  if (cause instanceof RangeError)
    return new InputError({
      source: SOURCE,
      found: 'more than one statement',
      expected: EXPECTED,
      hint: HINT,
    });
  if (!(cause instanceof Error) || !('code' in cause) || !isOfQuery(cause.code)) return error;
  const found = cause.message.replace(/^near (.*): syntax error$/, 'a syntax error near $1');
  const unknown =
    /no such (?:table|column): (\S+)/.exec(found)?.[1] ??
    /(?:relation|column) "?([^\s"]+)"? does not exist/.exec(found)?.[1];
  const kind = /\bcolumn\b/.test(found) ? 'column' : 'table or view';
  return new InputError({
    source: SOURCE,
    found:
      unknown === undefined ? found : `the unknown ${kind} "${unknown}"${didYouMean(unknown, knownNames())}`,
    expected: 'SQL that the database understands',
    hint: HINT,
  });
}

/** Whether a code of SQLite's or of PostgreSQL's means that the query is wrong, or that its values are, and nothing else. */
function isOfQuery(code: unknown): boolean {
  if (code === 'SQLITE_ERROR') return true;
  return typeof code === 'string' && /^(42|22|0A)/.test(code) && code !== '42501';
}

function knownNames(): string[] {
  const described = [
    ...views,
    ...Object.entries(describedTables).map(([name, { columns }]) => ({ name, columns })),
  ];
  return [...new Set(described.flatMap(({ name, columns }) => [name, ...Object.keys(columns)]))];
}
