import { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { describeDatabase, describeRelation, query, type DescribedRelation } from '../../library/query.js';
import { databaseReference } from '../../report/database-reference.js';
import { csvText } from '../../report/exporters/csv-text.js';
import type { QueryResult } from '../../store/query.js';
import { queryTable } from '../../text/query.js';
import { wholeNumber } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText, tableText } from '../output/lists.js';
import { placeOptions } from '../options/results.js';
import { remark } from '../output/screen.js';

interface QueryFlags {
  readonly results: string;
  readonly limit?: number;
  readonly views?: true;
  readonly tables?: true;
  readonly describe?: string;
  readonly markdown?: true;
  readonly json?: true;
  readonly csv?: true;
}

/** More rows than this nobody reads on a terminal. */
const ROWS_SHOWN = 200;

/** `edgeflex query`: SQL on the results database. */
export function queryCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('query')
    .argument('[sql]', 'one SELECT, WITH … SELECT or VALUES; "-" reads it from standard input')
    .option('--views', 'list the views and the questions they answer')
    .option('--tables', 'list the tables')
    .option('--describe <name>', 'show the columns of a view or a table, with units')
    .option('--markdown', 'print the reference of all views and tables as Markdown')
    .option(
      '--limit <rows>',
      `rows to show (default: ${ROWS_SHOWN}, or all with --json and --csv)`,
      wholeNumber,
    )
    .option('--json', 'print the rows as JSON')
    .option('--csv', 'print the rows as CSV')
    .addOption(results)
    .addOption(db)
    .action(async (sql: string | undefined, flags: QueryFlags) => {
      const { views, tables, describe, markdown } = flags;
      const asked = [sql, views, tables, describe, markdown].filter((each) => each !== undefined);
      if (asked.length !== 1) throw ambiguous(asked.length);
      if (describe !== undefined) printRelation(describeRelation(describe), flags);
      else if (markdown) console.log(databaseReference());
      else if (sql === undefined) printList(views ? 'view' : 'table', flags);
      else {
        const limit = flags.limit ?? (flags.json || flags.csv ? undefined : ROWS_SHOWN);
        printResult(await query(flags.results, sql === '-' ? await standardInput() : sql, { limit }), flags);
      }
    });
  return explained(command, {
    notes: [
      'Nothing can be changed: only queries are run, on a connection that cannot write. docs/reference/database.md describes every view and table.',
    ],
    examples: [
      ['edgeflex query --views', 'what can be asked without writing joins'],
      ['edgeflex query --describe v_results', 'its columns and their units'],
      [
        'edgeflex query "select recipe, batch, median_ms, speedup, peak_memory_bytes from v_results order by speedup desc"',
        'every variant, the fastest first',
      ],
      [
        'edgeflex query "select * from v_history where recipe = \'int8\' order by started_at" --csv > int8.csv',
        'one variant over all runs, for a spreadsheet',
      ],
    ],
  });
}

function ambiguous(given: number): InputError {
  return new InputError({
    source: 'edgeflex query',
    found: given === 0 ? 'nothing to do' : 'several things to do',
    expected: 'SQL, --views, --tables, --describe or --markdown',
    hint: 'For example: edgeflex query "select * from v_runs"',
  });
}

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function printResult(result: QueryResult, { json, csv }: QueryFlags): void {
  const { columns, rows, more } = result;
  if (json)
    printJson('query', {
      columns,
      rows: rows.map((row) => Object.fromEntries(columns.map((name) => [name, plain(row[name])]))),
      more,
    });
  else if (csv) {
    const cells = rows.map((row) => Object.fromEntries(columns.map((name) => [name, csvValue(row[name])])));
    process.stdout.write(csvText(cells, [...columns]));
  } else if (rows.length === 0) console.log(`No rows. Columns: ${columns.join(', ')}`);
  else console.log(tableText(queryTable(result)).trimEnd());
  if (more && (json || csv)) remark(`Only the first ${rows.length} rows; there are more (--limit).`);
}

/** Bytes as Base64, all else as it is. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}

function csvValue(value: unknown): string | number | undefined {
  const known = plain(value);
  if (known === null || known === undefined) return undefined;
  return typeof known === 'number' || typeof known === 'string' ? known : JSON.stringify(known);
}

function printList(kind: DescribedRelation['kind'], { json }: QueryFlags): void {
  const relations = describeDatabase().filter((each) => each.kind === kind);
  if (json) printJson('query --views', relations);
  else
    console.log(
      listText(
        { name: kind, meaning: kind === 'view' ? 'question' : 'a row is' },
        relations.map(({ name, meaning }) => ({ name, meaning })),
      ),
    );
}

function printRelation(relation: DescribedRelation, { json }: QueryFlags): void {
  if (json) {
    printJson('query --describe', relation);
    return;
  }
  const { name, meaning, note, columns } = relation;
  console.log(`${name}: ${meaning}${note === null ? '' : `\n${note}`}\n`);
  console.log(
    listText(
      { name: 'column', type: 'type', unit: 'unit', meaning: 'meaning' },
      columns.map(({ name: column, type, unit, meaning: is }) => ({
        ...{ name: column, type, unit: unit ?? '', meaning: is },
      })),
    ),
  );
}
