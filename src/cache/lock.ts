import { Database } from '../base/sqlite.js';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { InputError, messageOf } from '../base/errors.js';
import { makeFolders } from '../base/folder.js';
import { codeOf, writeFailure } from '../base/write-failure.js';

/** How a lock is held: by one alone, or by several who only read. */
export type LockMode = 'exclusive' | 'shared';

/** A lock that is held until it is released or its process ends, however that ends. */
export interface Lock {
  release(): void;
}

/** Who holds a lock, as far as it says; for messages only, nothing is decided by it. */
export type Holder = z.infer<typeof holderSchema>;

const holderSchema = z.object({ process: z.number(), host: z.string(), since: z.string() });

/** Opening a lock takes microseconds; whoever is at it is waited for, with this much to spare. */
const GATE_MILLISECONDS = 10_000;

/** Two who read may each try to become the only one for a moment. */
const MOMENT_MILLISECONDS = 100;

const POLL_MILLISECONDS = 200;

/**
 * Takes a lock if it is free. The lock is the operating system's: SQLite's lock on an empty database file, which no two processes
 * (nor two calls of one) can hold at once, and which is free when its holder is gone, killed or not. No process number is ever
 * compared, and no file is ever taken over.
 *
 * @param path - of the lock file, ending in `.lock`; its folder is made
 * @param mode - `shared` excludes only `exclusive`
 * @returns undefined when somebody else holds it
 * @throws InputError when the place cannot be written, or its file system has no locks; ResourceError when the disk is full
 */
export function tryLock(path: string, mode: LockMode): Lock | undefined {
  try {
    makeFolders(dirname(path));
    return throughGate(dirname(path), () => {
      const lock = acquire(path, mode, MOMENT_MILLISECONDS);
      if (lock === undefined || mode === 'shared') return lock;
      const holder: Holder = { process: process.pid, host: hostname(), since: new Date().toISOString() };
      writeFileSync(holderPath(path), JSON.stringify(holder));
      return {
        release: () => {
          rmSync(holderPath(path), { force: true });
          lock.release();
        },
      };
    });
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/**
 * Takes a lock, waiting for whoever holds it.
 *
 * @param path - of the lock file
 * @param mode - as of `tryLock`
 * @param signal - ends the waiting
 * @param onWait - told once who is waited for
 * @throws what `tryLock` throws; the signal's reason when it fires
 */
export async function waitForLock(
  path: string,
  mode: LockMode,
  signal?: AbortSignal,
  onWait?: (holder: Holder | undefined) => void,
): Promise<Lock> {
  for (let told = false; ;) {
    signal?.throwIfAborted();
    const lock = tryLock(path, mode);
    if (lock) return lock;
    if (!told) onWait?.(holderOf(path));
    told = true;
    await sleep(POLL_MILLISECONDS, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }
}

/**
 * Who holds a lock exclusively.
 *
 * @returns undefined when nobody does, or it cannot be read
 */
export function holderOf(path: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(holderPath(path), 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Removes the lock files of a folder that nobody holds. A lock file is opened and removed only behind the folder's gate, so that
 * nobody ever waits for one that has no name any more.
 *
 * @param directory - the folder
 * @param keep - names without `.lock` that stay
 */
export function removeFreeLocks(directory: string, keep: ReadonlySet<string>): void {
  const present = existsSync(directory) ? readdirSync(directory) : [];
  const names = present.filter((name) => name.endsWith('.lock') && name !== GATE);
  for (const name of names) {
    if (keep.has(name.slice(0, -'.lock'.length))) continue;
    throughGate(directory, () => {
      const path = join(directory, name);
      const lock = acquire(path, 'exclusive', 0);
      if (lock === undefined) return;
      for (const each of [holderPath(path), path]) rmSync(each, { force: true });
      lock.release();
    });
  }
}

const GATE = 'gate.lock';

const holderPath = (path: string): string => `${path}.json`;

function throughGate<T>(directory: string, action: () => T): T {
  const gate = acquire(join(directory, GATE), 'exclusive', GATE_MILLISECONDS);
  if (gate === undefined) throw new Error(`${directory}: ${GATE} was held for too long`);
  try {
    return action();
  } finally {
    gate.release();
  }
}

/** @returns undefined when it is not free within the time, during which the process stands still */
function acquire(path: string, mode: LockMode, timeout: number): Lock | undefined {
  const database = openLockFile(path, timeout);
  try {
    // Without it SQLite makes a journal beside the file.
    database.pragma('journal_mode = MEMORY');
    database.exec(mode === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT count(*) FROM sqlite_master');
    return { release: () => void database.close() };
  } catch (error) {
    database.close();
    const code = codeOf(error) ?? '';
    if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return undefined;
    throw new InputError({
      source: path,
      found: messageOf(error),
      expected: 'a file system with locks that can be written',
      hint: 'EDGEFLEX_CACHE can name another cache folder.',
    });
  }
}

function openLockFile(path: string, timeout: number): Database {
  try {
    return new Database(path, { timeout });
  } catch (error) {
    throw new InputError({
      source: path,
      found: messageOf(error),
      expected: 'a file that can be written',
      hint: 'EDGEFLEX_CACHE can name another cache folder.',
    });
  }
}
