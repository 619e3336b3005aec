import { Database } from '../base/sqlite.js';
import { InputError, ResourceError, type InputFault } from '../base/errors.js';

/** What is the matter with a results database. */
export type StoreFaultKind =
  /** There is no file, or nothing in it yet. */
  | 'missing'
  /** A database of another program, or no database. */
  | 'foreign'
  /** A later version of EdgeFlex has changed its schema. */
  | 'newer'
  /** It may be read only. */
  | 'unwritable'
  /** Another process keeps it locked. */
  | 'busy'
  /** Of one on a server: nobody answers, or the connection has been cut. */
  | 'unreachable'
  /** Of one on a server: it does not let this user in. */
  | 'refused'
  /** Its pages, its schema or what stands in its rows is not what was stored. */
  | 'damaged';

/** Something is wrong with a results database: says which file, which table, which row. */
export class StoreError extends InputError {
  override readonly name = 'StoreError';

  constructor(
    readonly kind: StoreFaultKind,
    fault: InputFault,
    options?: ErrorOptions,
  ) {
    super(fault);
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}

/** What to do where a run is needed and nothing is stored. */
export const NO_RESULTS =
  'There are no results here yet: run a suite first, or choose the folder with --results.';

/** How to get at what a damaged database still holds. */
export const RECOVER =
  '"edgeflex store check" lists what is damaged; "edgeflex store recover" copies everything readable into a new database.';

/**
 * The refusal of a database whose schema a later version of EdgeFlex has changed.
 *
 * @param source - the database
 * @param unknown - changes that this version does not know; at least one
 */
export function newerStore(source: string, [first]: readonly string[]): StoreError {
  return new StoreError('newer', {
    source,
    found: `a database of a newer EdgeFlex (its schema has ${first}, which this one does not know)`,
    expected: 'a results database',
    hint: 'Use the version of EdgeFlex that wrote it, or a later one.',
  });
}

const DESTROYED =
  'If it used to be one, its beginning is destroyed: replace it with a copy made by "edgeflex store backup", or move it away to start with an empty database.';

const UNWRITABLE = 'Make the file and its folder writable, or give another folder with --results.';

/**
 * Puts an error of SQLite into words. Others, and those that only a fault of the code can cause, stay as they are.
 *
 * @param error - what was thrown
 * @param path - the database
 * @param table - what was read or written, where that is known
 * @returns a `StoreError`, a `ResourceError`, or the error itself
 */
export function asStoreError(error: unknown, path: string, table?: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { code, message } = error;
  const options = { cause: error };
  const place = table === undefined ? {} : { place: `table ${table}` };
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE')
    return new ResourceError(
      `${path}: the disk is full. Everything stored so far is safe; free some space, then continue the run with "edgeflex run <suite> --resume".`,
      options,
    );
  if (code.startsWith('SQLITE_IOERR'))
    return new ResourceError(`${path}: the disk could not be read or written (${message})`, options);
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_CANTOPEN' || code === 'SQLITE_PERM')
    return new StoreError(
      'unwritable',
      {
        source: path,
        found: `a database that SQLite cannot open for writing (${message})`,
        expected: 'a results database that can be written',
        hint: UNWRITABLE,
      },
      options,
    );
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return new StoreError(
      'busy',
      {
        source: path,
        found: `a database that another process keeps locked (${message})`,
        expected: 'one that is unlocked within ten seconds',
        hint: 'Wait until the other command has ended, and try again.',
      },
      options,
    );
  if (code === 'SQLITE_NOTADB')
    return new StoreError(
      'foreign',
      {
        source: path,
        found: `a file that is not an SQLite database (${message})`,
        expected: 'a results database',
        hint: DESTROYED,
      },
      options,
    );
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_FORMAT' || code === 'SQLITE_ERROR')
    return new StoreError(
      'damaged',
      {
        ...{ source: path, ...place },
        found: `damage (SQLite: ${message})`,
        expected: 'what EdgeFlex stored there',
        hint: RECOVER,
      },
      options,
    );
  return error;
}
