import { optional } from '../base/optional.js';
import type PgBoss from 'pg-boss';
import type { Connection, Queries } from './connection.js';

/*
 * The only file that knows pg-boss, and its line 10: the last that runs on Node 20. It keeps jobs, counts how often each is tried, retires
 * old ones and knows when schedules are due. Which job a device gets is decided elsewhere (`take.ts`): pg-boss gives out the first of a
 * queue, and has neither leases with a heartbeat, nor requirements, nor shares of people.
 */

/** The queues: what is measured on devices, and what is compressed for them beforehand. */
export const queueNames = ['measure', 'compress'] as const;

/** Name of a queue. */
export type QueueName = (typeof queueNames)[number];

/** A job as pg-boss has it. */
export interface BossJob {
  readonly id: string;
  readonly queue: QueueName;
  readonly priority: number;
}

/** Where pg-boss has its tables. */
const SCHEMA = 'edgeflex_boss';

/** So often a job is begun again whose worker or device was lost, before it is given up. */
const RETRIES = 20;

/** pg-boss retires what waits for longer than it is told; a year is as good as for ever. */
const KEPT_DAYS = 365;

const JOBS_PER_STATEMENT = 1000;

/** What its types leave out. Its `maintain` would also end what has been active for long, which leases see to. */
type Retiring = PgBoss & { drop(): Promise<void> };

/** pg-boss on the queue's connection. */
export class Boss {
  private constructor(private readonly boss: PgBoss) {}

  /**
   * Brings pg-boss's tables up to date. Nothing runs in the background: `maintain` is called by whoever wants it.
   *
   * @param connection - to the database
   */
  static async start(connection: Connection): Promise<Boss> {
    const part = { packages: ['pg-boss'], source: 'the queue', what: 'the queue on PostgreSQL' };
    const { default: Library } = await optional(part, () => import('pg-boss'));
    const boss = new Library({
      ...{ schema: SCHEMA, db: executor(connection), supervise: false, schedule: false },
      archiveCompletedAfterSeconds: 24 * 3600,
    });
    await boss.start();
    // One active job a key: the machine that measures.
    for (const name of queueNames)
      await boss.createQueue(name, { name, policy: 'singleton', retryLimit: RETRIES });
    return new Boss(boss);
  }

  /** Adds jobs in a transaction. */
  async insert(client: Queries, jobs: readonly BossJob[]): Promise<void> {
    const keepUntil = new Date(Date.now() + KEPT_DAYS * 86_400_000);
    for (let first = 0; first < jobs.length; first += JOBS_PER_STATEMENT)
      await this.boss.insert(
        jobs
          .slice(first, first + JOBS_PER_STATEMENT)
          .map(({ id, queue, priority }) => ({ id, name: queue, priority, keepUntil, singletonKey: id })),
        { db: executor(client) },
      );
  }

  /**
   * Makes a waiting job the active one of a machine: what pg-boss's `fetch` does with the first of a queue.
   *
   * @returns false when it waits no longer
   * @throws the database's error 23505 when the machine has an active one
   */
  async activate(client: Queries, queue: QueueName, id: string, machine: string): Promise<boolean> {
    const { rowCount } = await client.query(
      `update ${SCHEMA}.job set state = 'active', started_on = now(), singleton_key = $3,
         retry_count = case when started_on is null then retry_count else retry_count + 1 end
       where name = $1 and id = $2 and state < 'active' and start_after <= now()`,
      [queue, id, machine],
    );
    return rowCount === 1;
  }

  /** Lets a machine have another active job beside this one, which needs it no longer. */
  async free(client: Queries, queue: QueueName, id: string): Promise<void> {
    await client.query(
      `update ${SCHEMA}.job set singleton_key = id::text where name = $1 and id = $2 and state = 'active'`,
      [queue, id],
    );
  }

  /** Ends an active job, whatever came of it. */
  async finish(client: Queries, queue: QueueName, id: string, outcome: object): Promise<void> {
    await this.boss.complete(queue, id, outcome, { db: executor(client) });
  }

  /**
   * Lets an active job wait again, because what worked on it was lost.
   *
   * @returns false when that has happened too often: it is given up
   */
  async again(client: Queries, queue: QueueName, id: string, reason: string): Promise<boolean> {
    await this.boss.fail(queue, id, { reason }, { db: executor(client) });
    const job = await this.boss.getJobById(queue, id, { db: executor(client), includeArchive: false });
    return job?.state === 'retry';
  }

  /** Lets an active job wait again as if it had not been begun. */
  async putBack(client: Queries, queue: QueueName, id: string): Promise<void> {
    await client.query(
      `update ${SCHEMA}.job set state = 'created', started_on = null, singleton_key = id::text
       where name = $1 and id = $2 and state = 'active'`,
      [queue, id],
    );
  }

  /** Cancels jobs that are not over. */
  async cancel(client: Queries, queue: QueueName, id: string): Promise<void> {
    await this.boss.cancel(queue, id, { db: executor(client) });
  }

  /** Moves what ended long ago out of the way, and deletes what is older. */
  async maintain(): Promise<void> {
    await this.boss.archive();
    await (this.boss as Retiring).drop();
  }

  /** Ends pg-boss; the connection stays. */
  async stop(): Promise<void> {
    await this.boss.stop({ graceful: false, close: false });
  }
}

/** What pg-boss executes its statements with. */
function executor(queries: Queries): PgBoss.Db {
  return { executeSql: (text, values) => queries.query(text, values) };
}
