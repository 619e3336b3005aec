import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { databaseIn } from '../base/paths.js';
import { isServerAddress, withoutPassword } from '../base/server-address.js';
import { openFileForReading, openStore, sealFile, type Db } from '../store/open.js';
import { findRun, listRuns, storedDevices } from '../store/read.js';
import { refreshStatistics } from '../store/postgres/statistics.js';
import { clockOffset } from '../store/server.js';
import { transferArtifacts, type CopiedArtifacts } from '../store/transfer/artifacts.js';
import { transferRooflines, transferRun, type TransferredRun } from '../store/transfer/transfer.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

export type { CopiedArtifacts, TransferredRun };

/** Which runs are copied. */
export interface CopyRunsOptions {
  /** Their ids, or the beginnings of them; left out, all. */
  readonly runs?: readonly string[] | undefined;
  /**
   * A folder of compressed models that the machines share. To a database on a server, the runs' models go from this machine's cache to
   * the folder; from one, they come from the folder into the cache. Left out, only their digests are copied.
   */
  readonly artifacts?: string | undefined;
}

const runsSchema = z.array(z.string().min(1)).optional();
const optionsSchema = z.strictObject({ runs: runsSchema, artifacts: z.string().min(1).optional() });
const fileOptionsSchema = z.strictObject({ runs: runsSchema });

/** What became of runs that were copied. */
export interface CopiedRuns {
  /** Each run, the oldest first. */
  readonly runs: readonly TransferredRun[];
  /** How many rooflines of their devices were copied. */
  readonly rooflines: number;
  /** Their compressed models; null where none were asked for. */
  readonly artifacts: CopiedArtifacts | null;
  /** By how many seconds the clock of this machine is ahead of a server's; 0 between files. */
  readonly clockAheadSeconds: number;
}

/**
 * Copies runs from one place of results to another, with the rooflines of their devices: what is not there yet of them. What was
 * copied is read back and compared. Nothing that is there is changed or lost; doing it again copies nothing.
 *
 * @param from - open, or a folder, or the address of a database on a server
 * @param to - another one; made where it is missing
 * @param options - which runs
 * @throws InputError when there is no such run, both places are one, a process works on one of the runs there, or both places have
 *   measured the same cell of a run and got something different: that run is then as it was
 *
 * @example
 * ```ts
 * const { runs } = await copyRuns('results', 'postgres://lab@db.example/edgeflex');
 * ```
 */
export async function copyRuns(
  from: Results | string,
  to: Results | string,
  options: CopyRunsOptions = {},
): Promise<CopiedRuns> {
  const { runs, artifacts } = checkedOptions('copyRuns', options, optionsSchema);
  const [source, target] = [from, to].map((place) => placeOf(place));
  if (source === target)
    throw new InputError({
      source: 'copyRuns',
      found: `${withoutPassword(source ?? '')} as both places`,
      expected: 'two places of results',
    });
  if (artifacts !== undefined && isServerAddress(source ?? '') === isServerAddress(target ?? ''))
    throw new InputError({
      source: 'copyRuns',
      place: 'options.artifacts',
      found: 'a folder of compressed models between two places of one kind',
      expected: 'a folder of results and a database on a server',
    });
  return withResults(from, { readonly: true }, ({ db: here }) =>
    withResults(to, {}, async ({ db: there }) => {
      const copied = await copyAll(here, there, runs);
      if (artifacts === undefined) return copied;
      const ids = copied.runs.map(({ id }) => id);
      const way = isServerAddress(target ?? '') ? 'to the folder' : 'from the folder';
      return { ...copied, artifacts: await transferArtifacts(here, ids, artifacts, way) };
    }),
  );
}

/**
 * Writes runs to a file of their own, which `unpackRuns` reads: an SQLite database.
 *
 * @param from - open, or a folder, or the address of a database on a server
 * @param file - there must be none; it appears when it is whole
 * @param options - which runs
 * @throws InputError when the file exists, or there is no such run
 */
export async function packRuns(
  from: Results | string,
  file: string,
  options: Pick<CopyRunsOptions, 'runs'> = {},
): Promise<CopiedRuns> {
  const { runs } = checkedOptions('packRuns', options, fileOptionsSchema);
  if (existsSync(file))
    throw new InputError({ source: file, found: 'a file', expected: 'a file name that does not exist yet' });
  const partial = `${file}.partial`;
  return withResults(from, { readonly: true }, async ({ db: here }) => {
    await removeDatabase(partial);
    try {
      const there = await openStore(partial);
      const copied = await copyAll(here, there, runs).finally(() => there.destroy());
      sealFile(partial);
      await rename(partial, file);
      return copied;
    } finally {
      await removeDatabase(partial);
    }
  });
}

/**
 * Brings the runs of a file to a place of results. The file is not changed; any `edgeflex.db` is such a file.
 *
 * @param to - open, or a folder, or the address of a database on a server
 * @param file - that `packRuns` wrote
 * @param options - which of its runs
 * @throws InputError when it is no such file, or as `copyRuns`
 */
export async function unpackRuns(
  to: Results | string,
  file: string,
  options: Pick<CopyRunsOptions, 'runs'> = {},
): Promise<CopiedRuns> {
  const { runs } = checkedOptions('unpackRuns', options, fileOptionsSchema);
  if (isServerAddress(file))
    throw new InputError({
      source: 'unpackRuns',
      found: withoutPassword(file),
      expected: 'a file of runs',
      hint: 'Runs of a server are copied with "edgeflex runs pull".',
    });
  if (placeOf(to) === resolve(file))
    throw new InputError({ source: file, found: 'the database itself', expected: 'a file of other runs' });
  const here = await openFileForReading(file);
  try {
    return await withResults(to, {}, ({ db: there }) => copyAll(here, there, runs));
  } finally {
    await here.destroy();
  }
}

/** So many rounds that come at once change what a server has to expect of its tables. */
const MANY_ROUNDS = 100;

async function copyAll(here: Db, there: Db, words: readonly string[] | undefined): Promise<CopiedRuns> {
  const ids = words ?? (await listRuns(here)).map(({ id }) => id).reverse();
  const rows = [];
  // What is not there is said before anything is copied.
  for (const id of ids) rows.push(await findRun(here, id));
  const runs: TransferredRun[] = [];
  const devices = new Set<string>();
  for (const row of new Map(rows.map((each) => [each.id, each])).values()) {
    runs.push(await transferRun(here, there, row, { thorough: true }));
    for (const device of await storedDevices(here, row.id)) devices.add(device.row.name);
  }
  if (runs.reduce((sum, { rounds }) => sum + rounds, 0) >= MANY_ROUNDS) await refreshStatistics(there);
  return {
    ...{ runs, rooflines: await transferRooflines(here, there, devices), artifacts: null },
    clockAheadSeconds: (await clockOffset(there)) || (await clockOffset(here)),
  };
}

/** What tells a place from another. */
function placeOf(results: Results | string): string {
  const place = databaseIn(typeof results === 'string' ? results : results.directory);
  return isServerAddress(place) ? place : resolve(place);
}

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(path + suffix, { force: true });
}
