import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.js';
import { holderOf, tryLock, type Lock } from '../cache/lock.js';
import { openJobs } from './list.js';
import type { JobQueue } from './queue.js';
import { spoolOf } from './spool.js';

/**
 * Takes a worker's folder, which is free again when its process is gone, however that ends.
 *
 * @param folder - made where it is missing
 * @throws InputError when another worker has it
 */
export function claimFolder(folder: string): Lock {
  const path = join(folder, 'worker.lock');
  const lock = tryLock(path, 'exclusive');
  if (lock !== undefined) return lock;
  const holder = holderOf(path);
  throw new InputError({
    source: folder,
    found: holder === undefined ? 'that another worker uses it' : `that process ${holder.process} uses it`,
    expected: 'a folder for this worker alone',
    hint: 'Name another one with --state.',
  });
}

/**
 * Removes what an earlier process measured for jobs that have ended elsewhere since.
 *
 * @param queue - open
 * @param spools - the folder of all spools of the worker
 */
export async function removeStrangers(queue: JobQueue, spools: string): Promise<void> {
  const jobs = existsSync(spools) ? await readdir(spools) : [];
  const open = await openJobs(queue, jobs);
  for (const job of jobs)
    if (!open.has(job)) await rm(spoolOf(spools, job), { recursive: true, force: true });
}
