import type { Option } from 'commander';
import { InputError } from '../../base/errors.js';
import { JobQueue } from '../../queue/queue.js';
import { sharedOption } from './results.js';

/** The option that says where the queue is; every command that uses it has it. */
export function queueOption(): Option {
  return sharedOption('PostgreSQL database of the queue and its results');
}

/**
 * Does something with the queue, and gives its connections back.
 *
 * @param address - as the flag or the environment says
 * @param work - what to do
 * @throws InputError when there is no address, or it cannot be used; ResourceError when the server does not answer
 */
export async function withQueue<Value>(
  address: string | undefined,
  work: (queue: JobQueue) => Promise<Value>,
): Promise<Value> {
  const queue = await JobQueue.open(givenAddress(address));
  try {
    return await work(queue);
  } finally {
    await queue.close();
  }
}

/**
 * The address of the queue.
 *
 * @throws InputError when none was given
 */
export function givenAddress(address: string | undefined): string {
  if (address !== undefined && address !== '') return address;
  throw new InputError({
    source: '--db',
    found: 'no address',
    expected: 'a PostgreSQL database, such as postgres://user@host/edgeflex',
    hint: 'Name it with --db or EDGEFLEX_DB.',
  });
}
