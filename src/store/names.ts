import { existsSync } from 'node:fs';
import { z } from 'zod';
import { Database } from '../base/sqlite.js';

/** A name in the database, and what it belongs to. */
export interface StoredName {
  readonly name: string;
  readonly of: string;
}

/** Names that a user may refer to what is stored by. */
export interface StoredNames {
  /** Ids of runs, the newest first, each with its suite. */
  readonly runs: readonly StoredName[];
  /** Baselines, each with its suite. */
  readonly baselines: readonly StoredName[];
}

const namesSchema = z.array(z.object({ name: z.string(), of: z.string() }));

/**
 * The names in a results database, for a user who is typing a command: nothing is brought up to date, and nobody is waited for.
 *
 * @param path - the SQLite file
 * @param most - so many of each at most
 * @returns none where there is no database, or it cannot be read
 */
export function storedNames(path: string, most: number): StoredNames {
  if (!existsSync(path)) return { runs: [], baselines: [] };
  const read = (database: Database, query: string): StoredName[] => {
    const rows = database.prepare(`${query} limit ?`).all(most);
    return namesSchema.parse(rows);
  };
  let database: Database | undefined;
  try {
    database = new Database(path, { readonly: true, timeout: 0 });
    return {
      runs: read(database, 'select id as name, suite as "of" from runs order by started_at desc, id desc'),
      baselines: read(database, 'select name, suite as "of" from baselines order by name'),
    };
  } catch {
    return { runs: [], baselines: [] };
  } finally {
    database?.close();
  }
}
