import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { InputError } from '../base/errors.js';
import { databaseIn } from '../base/paths.js';
import { connect, openForReading } from '../store/open.js';
import { checkStore, recoverStore, type RecoveredTable, type StoreFault } from '../store/recover.js';

/**
 * Looks through the whole database of a folder of results: its pages, what its rows refer to, and every value. Nothing is changed.
 *
 * @param directory - the folder
 * @returns what is wrong, at most 100 of each kind; empty when nothing is
 * @throws InputError when there is no database, or it belongs to a newer version
 *
 * @example
 * ```ts
 * for (const { where, what } of await checkResults('results')) console.log(`${where}: ${what}`);
 * ```
 */
export async function checkResults(directory = 'results'): Promise<readonly StoreFault[]> {
  const path = databaseIn(directory);
  // What is missing, foreign or newer is said as everywhere.
  await (await openForReading(path)).destroy();
  return checkStore(path);
}

/**
 * Copies every readable, valid row into a new database. The old one is not changed.
 *
 * @param directory - the folder of results
 * @param file - the new database, which must not exist yet
 * @returns what became of each table
 * @throws InputError when the file exists, or nothing can be read at all
 */
export async function recoverResults(directory: string, file: string): Promise<readonly RecoveredTable[]> {
  refuseExisting(file);
  return recoverStore(databaseIn(directory), file);
}

/**
 * Makes a consistent copy of the database, even while a run is in progress.
 *
 * @param directory - the folder of results
 * @param file - the copy, which must not exist yet; it appears when it is whole
 * @throws InputError when the file exists, or there is no database
 */
export async function backUpResults(directory: string, file: string): Promise<void> {
  refuseExisting(file);
  const path = databaseIn(directory);
  await (await openForReading(path)).destroy();
  const database = connect(path, { readonly: true, fileMustExist: true });
  const partial = `${file}.partial`;
  try {
    await database.backup(partial);
    await rename(partial, file);
  } finally {
    database.close();
    await rm(partial, { force: true });
  }
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return;
  throw new InputError({
    source: file,
    found: 'a file',
    expected: 'a file name that does not exist yet',
  });
}
