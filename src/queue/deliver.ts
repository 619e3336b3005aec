import { StoreError } from '../store/error.js';
import { openStore, type Db } from '../store/open.js';
import { findRun } from '../store/read.js';
import { transferRun } from '../store/transfer/transfer.js';
import { QueueAway } from './connection.js';
import type { TakenJob } from './jobs.js';
import type { JobQueue } from './queue.js';
import type { Spool } from './spool.js';

/** An answer that takes longer means that the server has gone, in milliseconds. */
const ANSWER_MILLISECONDS = 60_000;

/** The results of all, which lie in the queue's database: opened when the first part of a run is brought there. */
export class SharedResults {
  private opened: Promise<Db> | undefined;

  /**
   * @param queue - open
   * @param address - of its database
   */
  constructor(
    private readonly queue: JobQueue,
    private readonly address: string,
  ) {}

  /**
   * Brings the part of a run that a job has measured. Doing it again changes nothing. Parts of one run are brought one after the other.
   *
   * @param spool - the record of the job
   * @param job - that it is of
   * @throws QueueAway when the server does not answer; InputError when somebody else has measured the same and got something different
   */
  async deliver(
    { db: here }: Pick<Spool, 'db'>,
    { queue: name, run: { id } }: Pick<TakenJob, 'queue' | 'run'>,
  ): Promise<void> {
    // Nothing was measured.
    if (name === 'compress') return;
    try {
      const there = await this.open();
      await this.queue.connection.alone(`deliver ${id}`, async () => {
        await transferRun(here, there, await findRun(here, id), { thorough: false, isPart: true });
      });
    } catch (error) {
      if (error instanceof StoreError && (error.kind === 'unreachable' || error.kind === 'busy'))
        throw new QueueAway(error.message, { cause: error });
      throw error;
    }
  }

  /** Gives the connections back. */
  async close(): Promise<void> {
    const db = await this.opened?.catch(() => undefined);
    await db?.destroy();
  }

  private async open(): Promise<Db> {
    this.opened ??= openStore(this.address, { answerWithin: ANSWER_MILLISECONDS });
    try {
      return await this.opened;
    } catch (error) {
      this.opened = undefined;
      throw error;
    }
  }
}
