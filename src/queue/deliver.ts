import { forgetHolders } from '../store/lease.js';
import { openStore } from '../store/open.js';
import { findRun } from '../store/read.js';
import { StoreError } from '../store/error.js';
import { transferRun } from '../store/transfer/transfer.js';
import { QueueAway } from './connection.js';
import type { TakenJob } from './jobs.js';
import type { JobQueue } from './queue.js';
import type { Spool } from './spool.js';

/** An answer that takes longer means that the server has gone, in milliseconds. */
const ANSWER_MILLISECONDS = 60_000;

/**
 * Brings the part of a run that a job has measured to the results of all, which lie in the queue's database. Doing it again changes
 * nothing. Parts of one run are brought one after the other.
 *
 * @param queue - open
 * @param address - of its database
 * @param spool - the record of the job
 * @param job - that it is of
 * @throws QueueAway when the server does not answer; InputError when somebody else has measured the same and got something different
 */
export async function deliver(
  queue: JobQueue,
  address: string,
  { db: here }: Pick<Spool, 'db'>,
  { queue: name, run: { id } }: TakenJob,
): Promise<void> {
  // Nothing was measured.
  if (name === 'compress') return;
  try {
    await queue.connection.alone(`deliver ${id}`, async () => {
      const there = await openStore(address, { answerWithin: ANSWER_MILLISECONDS });
      try {
        // Whoever was writing it there has lost the name, and was killed or has lost the server.
        await forgetHolders(there, id);
        await transferRun(here, there, await findRun(here, id), { thorough: false });
      } finally {
        await there.destroy();
      }
    });
  } catch (error) {
    if (error instanceof StoreError && (error.kind === 'unreachable' || error.kind === 'busy'))
      throw new QueueAway(error.message, { cause: error });
    throw error;
  }
}
