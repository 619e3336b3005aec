import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { foundBy, InputError, ResourceError } from './errors.js';
import { isGone } from './process.js';
import { writeFailure } from './write-failure.js';

/** What a process that cannot be asked, in a container that shares our temporary files, say, may still be using. */
const KEPT_MILLISECONDS = 86_400_000;

let swept: Promise<void> | undefined;

/**
 * Does something with a folder among the temporary files, which goes with it.
 *
 * @param purpose - a word for the folder's name
 * @param action - gets the folder's path
 * @returns what the action gave
 * @throws the file system's error; what the action throws
 */
export async function withTemporaryFolder<T>(
  purpose: string,
  action: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await temporaryFolder(purpose);
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Makes a folder among the temporary files, which the caller removes. What killed processes left there is removed first, a day
 * after they last wrote to it.
 *
 * @param purpose - a word for the folder's name
 * @returns its path
 * @throws InputError when the folder for temporary files is missing or cannot be written; ResourceError when the disk is full
 */
export async function temporaryFolder(purpose: string): Promise<string> {
  swept ??= removeAbandoned(tmpdir());
  await swept;
  return mkdtemp(join(tmpdir(), `edgeflex-${purpose}-${process.pid}-`)).catch((error: unknown) => {
    const failure = writeFailure(tmpdir(), error);
    if (failure instanceof ResourceError) throw failure;
    throw new InputError({
      source: tmpdir(),
      found: foundBy(error),
      expected: 'a folder for temporary files that can be written',
      hint: 'TMPDIR can name another folder for temporary files, EDGEFLEX_CACHE another cache folder.',
    });
  });
}

/**
 * Removes the folders whose process is gone and that nobody has written to for a day. What cannot be removed stays.
 *
 * @param directory - where the folders are
 */
export async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const owner = /^edgeflex-[a-z]+-(\d+)-/.exec(name)?.[1];
    if (owner === undefined || !isGone(Number(owner))) continue;
    const folder = join(directory, name);
    const written = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    if (Date.now() - written > KEPT_MILLISECONDS)
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
