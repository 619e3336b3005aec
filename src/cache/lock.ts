import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import { DeviceError } from '../base/errors.js';
import { isGone } from '../base/process.js';
import { codeOf, writeFailure } from '../base/write-failure.js';

const holderSchema = z.object({ process: z.number().int().positive(), host: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** A holder touches its lock so often… */
const TOUCH_MILLISECONDS = 5_000;
/** …that one not touched for so long has no holder any more, whatever its process id belongs to by now. */
const LAPSE_MILLISECONDS = 30_000;

/**
 * Does something while no other process does the same: two downloads into one file would ruin each other. A lock left
 * behind by a process that is gone is taken over.
 *
 * @param path - the lock file; its directory is made
 * @param action - what to do meanwhile
 * @returns what the action gave
 * @throws DeviceError when another process holds the lock; InputError when the file cannot be written
 */
export async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const own = JSON.stringify({ process: process.pid, host: hostname() } satisfies Holder);
  const take = (): Promise<void> => writeFile(path, own, { flag: 'wx' });
  try {
    await mkdir(dirname(path), { recursive: true });
    await take().catch(async (error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
      const holder = await readHolder(path);
      if (!hasGone(holder) && !(await hasLapsed(path))) throw heldBy(path, holder);
      await rm(path, { force: true });
      await take();
    });
  } catch (error) {
    throw writeFailure(path, error);
  }
  const touch = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, TOUCH_MILLISECONDS);
  try {
    return await action();
  } finally {
    clearInterval(touch);
    await rm(path, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function hasLapsed(path: string): Promise<boolean> {
  const touched = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Date.now() - touched > LAPSE_MILLISECONDS;
}

function hasGone(holder: Holder | undefined): boolean {
  // Who cannot be asked may be alive: the cache may lie on a disk that several machines share.
  if (holder?.host !== hostname()) return false;
  return isGone(holder.process);
}

function heldBy(path: string, holder: Holder | undefined): DeviceError {
  const who = holder === undefined ? 'another process' : `process ${holder.process} on ${holder.host}`;
  return new DeviceError(
    `${path}: ${who} is at it already\nWait for it. If it is not running any more, its lock lapses after ${LAPSE_MILLISECONDS / 1000} s.`,
  );
}
