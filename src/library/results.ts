import { InputError } from '../base/errors.js';
import { databaseIn } from '../base/paths.js';
import { isServerAddress, withoutPassword } from '../base/server-address.js';
import { listFloors, type StoredFloor } from '../store/floors.js';
import { openExisting, openForReading, openStore, type Db } from '../store/open.js';
import { listRuns, type RunSummary } from '../store/read.js';
import { listRooflines, type StoredRoofline } from '../store/rooflines.js';

/** How results are opened. */
export interface OpenOptions {
  /**
   * Only read: the folder must hold results, and what is read is all of one moment, whatever others store meanwhile. Left out,
   * the folder and its database are made where they are missing.
   */
  readonly readonly?: boolean;
  /** To be written, but not made: the folder must hold results. */
  readonly existing?: boolean;
}

/** A place of results that is open: the database `edgeflex.db` in a folder, or one on a server. Close it when it is no longer needed. */
export class Results implements AsyncDisposable {
  /** @internal */
  constructor(
    /** The folder, or the address. */
    readonly directory: string,
    /** @internal */
    readonly db: Db,
  ) {}

  /** Every stored run, the newest first. */
  runs(): Promise<readonly RunSummary[]> {
    return listRuns(this.db);
  }

  /** The noise of every device that was calibrated. */
  calibrations(): Promise<readonly StoredFloor[]> {
    return listFloors(this.db);
  }

  /** The roofline of every device that one was measured of. */
  rooflines(): Promise<readonly StoredRoofline[]> {
    return listRooflines(this.db);
  }

  /** Closes the database. */
  close(): Promise<void> {
    return this.db.destroy();
  }

  /** Closes the database at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a place of results.
 *
 * @param directory - the folder, as `--results` of the command, or the address of a PostgreSQL database, as `--db`
 * @param options - whether it is only read, or must be there
 * @throws InputError when there is nothing to read, the database cannot be written, is damaged or belongs to a newer version
 *
 * @example
 * ```ts
 * const results = await open('results', { readonly: true });
 * for (const { id, suite, state } of await results.runs()) console.log(id, suite, state);
 * await results.close();
 * ```
 */
export async function open(
  directory = 'results',
  { readonly = false, existing = false }: OpenOptions = {},
): Promise<Results> {
  const openDatabase = readonly ? openForReading : existing ? openExisting : openStore;
  return new Results(directory, await openDatabase(databaseIn(directory)));
}

/**
 * Does something with results that may be open already: those that are not are closed again.
 *
 * @param results - open, or their folder
 * @param options - how a folder is opened
 * @param work - what to do
 */
export async function withResults<Value>(
  results: Results | string,
  options: OpenOptions,
  work: (results: Results) => Promise<Value>,
): Promise<Value> {
  if (typeof results !== 'string') return work(results);
  const opened = await open(results, options);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/**
 * Refuses a database on a server where something is to be measured: that is recorded in a folder, which no network can take away, and
 * delivered from there.
 *
 * @param results - open, or their place
 * @throws InputError when it is a database on a server
 */
export function refuseServer(results: Results | string): void {
  const place = typeof results === 'string' ? results : results.directory;
  if (!isServerAddress(place)) return;
  throw new InputError({
    source: withoutPassword(place),
    found: 'a database on a server as the place to record in',
    expected: 'a folder',
    hint: 'Measurements are recorded in a folder first: give "run" the address by --db, or deliver them with "edgeflex runs push".',
  });
}
