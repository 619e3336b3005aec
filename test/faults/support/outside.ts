import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

/** What a database holds, as another program sees it. */
export interface Seen {
  /** What SQLite finds wrong in pages and references. */
  readonly faults: readonly string[];
  /** Every table and index with its text, but for a table that older versions locked with; empty: nothing has been made yet. */
  readonly schema: string;
  /** Each stored round with what it holds: how many samples and predictions, and the sum of the times. */
  readonly rounds: ReadonlySet<string>;
  /** Rounds of which there is more than one. */
  readonly doubled: readonly string[];
  readonly runs: ReadonlySet<string>;
  /** Runs that have not ended. */
  readonly unfinished: readonly string[];
}

/** The round of a cell, and all that hangs on it. */
const ROUNDS = `
  select c.run_id || ' ' || c.id || ' ' || c.kind || ' ' || r.round || ' ' || r.started_at || ' ' ||
    (select count(*) || '/' || coalesce(sum(milliseconds), 0) from samples where round_id = r.id) || ' ' ||
    (select count(*) || '/' || coalesce(sum(predicted), 0) from predictions where round_id = r.id) || ' ' ||
    (select count(*) from phases where round_id = r.id) || ' ' ||
    (select count(*) from kernels where round_id = r.id)
  from rounds r join cells c on c.id = r.cell_id`;

const DOUBLED = "select cell_id || ' ' || round from rounds group by cell_id, round having count(*) > 1";

/**
 * Asks the sqlite3 command.
 *
 * @param path - the database
 * @param statement - one that gives one column
 * @returns the rows
 * @throws when it cannot be read
 */
function ask(path: string, statement: string): string[] {
  const args = ['-readonly', path, '.timeout 5000', statement];
  return execFileSync('sqlite3', args, { encoding: 'utf8', stdio: 'pipe', maxBuffer: 2 ** 28 })
    .split('\n')
    .filter((line) => line !== '');
}

/**
 * Looks at a database that nobody has open: at a copy of it and of its log, so that SQLite mends what a killed process left in the
 * copy alone.
 *
 * @param path - the database; it need not be there
 */
export function look(path: string): Seen {
  const folder = mkdtempSync(join(tmpdir(), 'edgeflex-seen-'));
  try {
    for (const suffix of ['', '-wal', '-journal'])
      if (existsSync(path + suffix)) copyFileSync(path + suffix, join(folder, `copy.db${suffix}`));
    const copy = join(folder, 'copy.db');
    if (!existsSync(copy))
      return { faults: [], schema: '', rounds: new Set(), doubled: [], runs: new Set(), unfinished: [] };
    // Read and written: a log is taken into the database first.
    execFileSync('sqlite3', [copy, 'select count(*) from sqlite_master'], { stdio: 'pipe' });
    const schema = ask(
      copy,
      "select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_master where tbl_name <> 'kysely_migration_lock' order by 1",
    );
    const made = schema.some((line) => line.startsWith('table rounds '));
    const rounds = made ? ask(copy, ROUNDS) : [];
    return {
      faults: [
        ...ask(copy, 'pragma integrity_check').filter((line) => line !== 'ok'),
        ...ask(copy, 'pragma foreign_key_check'),
      ],
      schema: [...schema, ...(schema.length > 0 ? ask(copy, 'select name from kysely_migration') : [])].join(
        '\n',
      ),
      rounds: new Set(rounds),
      doubled: made ? ask(copy, DOUBLED) : [],
      runs: new Set(made ? ask(copy, 'select id from runs') : []),
      unfinished: made ? ask(copy, 'select id from runs where ended_at is null') : [],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The rounds that are committed now, while others may write.
 *
 * @param path - the database; it need not be there
 */
export function committedRounds(path: string): ReadonlySet<string> {
  try {
    return new Set(ask(path, ROUNDS));
  } catch {
    // Not made yet, or its log is being begun.
    return new Set();
  }
}

/** The SHA-256 of every file in a folder and below, by name; undefined when it is not there. */
export function digestsOf(folder: string): ReadonlyMap<string, string> | undefined {
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(folder, path), createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

/**
 * What is wrong with an output folder: it must be the earlier one, or a new one that is whole by its own list of digests. One that
 * was being exchanged may lie beside its place, where the next output finds it.
 *
 * @param folder - the output
 * @param before - what it held
 */
export function folderFaults(folder: string, before: ReadonlyMap<string, string>): string[] {
  const aside = join(dirname(folder), `.${basename(folder)}.edgeflex-old`);
  const now = digestsOf(folder) ?? digestsOf(aside);
  if (now === undefined) return [`${folder}: gone`];
  if (same(now, before)) return [];
  const text = readFileSync(join(existsSync(folder) ? folder : aside, '.edgeflex-output.json'), 'utf8');
  const { files } = JSON.parse(text) as { files: Record<string, string[]> };
  const listed = new Map(Object.entries(files).map(([name, digests]) => [name, digests.join('+')]));
  const held = new Map([...now].filter(([name]) => name !== '.edgeflex-output.json'));
  return same(listed, held) ? [] : [`${folder}: neither the old output nor a new one`];
}

function same(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, digest]) => other.get(name) === digest);
}
