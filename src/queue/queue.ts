import { Boss, type QueueName } from './boss.js';
import { Connection, type Queries } from './connection.js';
import {
  jobName,
  QUEUE_PROTOCOL,
  type OfferedDevice,
  type Outcome,
  type Pulse,
  type Submission,
  type TakenJob,
  type WorkerRecord,
} from './jobs.js';
import { forgetEnded } from './retention.js';
import { SCHEMA } from './schema.js';
import { LAPSED, NEXT_DELIVERY, NEXT_JOB, TAKE } from './take.js';

/** A job is no longer the worker's who had it: its lease has lapsed, and another may have it. What was measured since is not kept. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The job was cancelled while it was worked on. */
export class JobCancelled extends Error {
  override readonly name = 'JobCancelled';
}

/** The database says that a key is there already: somebody else was quicker. */
const UNIQUE_VIOLATION = '23505';

/** A job that somebody has a lease of. */
interface Leased {
  readonly id: string;
  readonly queue: QueueName;
}

/** Jobs, who works on them, and who may. Every state is PostgreSQL's, and so is every clock. */
export class JobQueue {
  private constructor(
    /** @internal */
    readonly connection: Connection,
    private readonly boss: Boss,
  ) {}

  /**
   * Opens the queue of a database; its tables are made where they are missing.
   *
   * @param url - `postgres://user@host/database`
   * @throws InputError when the address cannot be used; ResourceError when the server does not answer
   */
  static async open(url: string): Promise<JobQueue> {
    let boss: Boss | undefined;
    const connection = await Connection.open(url, async (opened) => {
      boss = await Boss.start(opened);
    });
    if (boss === undefined) throw new Error('pg-boss was not started');
    return new JobQueue(connection, boss);
  }

  /** Adds a submission and all of its jobs, or nothing. One that is there already stays as it is. */
  async submit(submission: Submission): Promise<void> {
    await this.connection.transaction((client) => this.submitIn(client, submission));
  }

  /**
   * The same within a transaction.
   *
   * @internal
   */
  async submitIn(client: Queries, { jobs, ...submission }: Submission): Promise<void> {
    const { run, suite, person, command, version, plan, plugins, priority } = submission;
    const { rowCount } = await client.query(
      `insert into ${SCHEMA}.submission
           (run, uid, places, repository, submitted_at, suite, person, command, version, plan, plugins)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing`,
      [
        ...[run.id, run.uid, run.places, JSON.stringify(run.repository), run.startedAt],
        ...[suite, person, command, version, JSON.stringify(plan), JSON.stringify(plugins)],
      ],
    );
    if (rowCount === 0) return;
    await client.query(
      `insert into ${SCHEMA}.job (id, run, place, queue, protocol, person, priority, device, needs, identical)
         select id, $2, place, queue, $3, $4, $5, device, needs, identical
         from jsonb_to_recordset($1) as j(id uuid, place integer, queue text, device text, needs jsonb, identical boolean)`,
      [JSON.stringify(jobs), run.id, QUEUE_PROTOCOL, person, priority],
    );
    await this.boss.insert(
      client,
      jobs.map((job) => ({ id: job.id, queue: job.queue, priority })),
    );
  }

  /**
   * Takes the next job for a device.
   *
   * @param queue - whose
   * @param worker - who takes it
   * @param device - that it is for
   * @returns undefined when there is none for it, the device's machine is at work, or somebody else asks for it in the same moment
   */
  async take(queue: QueueName, worker: WorkerRecord, device: OfferedDevice): Promise<TakenJob | undefined> {
    try {
      return await this.connection.transaction(async (client) => {
        const found = await client.query<{ readonly id: string }>(NEXT_JOB, [
          ...[queue, QUEUE_PROTOCOL, worker.version, device.name, device.profile, device.class],
          ...[JSON.stringify(device.labels), device.host],
        ]);
        const [job] = found.rows;
        if (job === undefined) return undefined;
        if (!(await this.boss.activate(client, queue, job.id, device.host))) return undefined;
        const { rows } = await client.query<TakenJob>(TAKE, [
          ...[job.id, worker.name, worker.process, device.name, device.host, worker.leaseSeconds],
          ...[device.class, false],
        ]);
        return rows[0];
      });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) return undefined;
      throw error;
    }
  }

  /**
   * Takes a job that is measured, and was lost before it was delivered. No device is needed for that.
   *
   * @param worker - who takes it
   * @returns undefined when there is none
   */
  async takeMeasured(worker: WorkerRecord): Promise<TakenJob | undefined> {
    return this.connection.transaction(async (client) => {
      const found = await client.query<Leased & { readonly device: string }>(NEXT_DELIVERY, [
        QUEUE_PROTOCOL,
        worker.version,
      ]);
      const [job] = found.rows;
      if (job === undefined || !(await this.boss.activate(client, job.queue, job.id, job.id)))
        return undefined;
      const { rows } = await client.query<TakenJob>(TAKE, [
        ...[job.id, worker.name, worker.process, job.device, worker.host, worker.leaseSeconds, null, true],
      ]);
      return rows[0];
    });
  }

  /**
   * Gives a sign of life, which renews leases.
   *
   * @param worker - whose
   * @param tokens - of the jobs that it works on
   */
  async pulse(worker: WorkerRecord, tokens: readonly string[]): Promise<Pulse> {
    interface Renewed {
      readonly draining: boolean | null;
      readonly leases: readonly { readonly token: string; readonly cancelled: boolean }[];
    }
    const { rows } = await this.connection.query<Renewed>(
      `with worker as (
         update ${SCHEMA}.worker set beat_at = now() where name = $1 and process = $2 returning draining
       ), renewed as (
         update ${SCHEMA}.take set beat_at = now() where token = any($3::uuid[]) and ended_at is null returning token, job
       )
       select (select draining from worker) as draining,
         (select coalesce(jsonb_agg(jsonb_build_object('token', r.token, 'cancelled', j.cancelled_at is not null)), '[]')
           from renewed r join ${SCHEMA}.job j on j.id = r.job) as leases`,
      [worker.name, worker.process, tokens],
    );
    const [pulse] = rows;
    return {
      draining: pulse?.draining ?? false,
      leases: new Map(pulse?.leases.map(({ token, cancelled }) => [token, cancelled ? 'cancelled' : 'held'])),
    };
  }

  /**
   * Says that a job needs its machine no longer, though it has not been delivered: the machine may get the next one, and whoever takes
   * this one up when its worker is lost has only to deliver it. All of its record must be in the queue.
   *
   * @param token - of the lease
   * @param failedCells - how many of its cells have failed
   * @throws LeaseLost when the job is no longer the worker's; JobCancelled when nobody wants it any more
   */
  async measured(token: string, failedCells: number): Promise<void> {
    await this.connection.transaction(async (client) => {
      const { rows } = await client.query<Leased & { readonly cancelled: boolean }>(
        `with freed as (
           update ${SCHEMA}.take set measured_at = now() where token = $1 and ended_at is null returning job
         )
         update ${SCHEMA}.job j set measured_at = now(), failed_cells = $2 from freed where j.id = freed.job
         returning j.id, j.queue, j.cancelled_at is not null as cancelled`,
        [token, failedCells],
      );
      const [job] = rows;
      if (job === undefined) throw new LeaseLost('the job is no longer this worker’s');
      if (job.cancelled) throw new JobCancelled('cancelled');
      await this.boss.free(client, job.queue, job.id);
    });
  }

  /**
   * Ends a job that was measured.
   *
   * @param token - of the lease; a job that was ended by it before is fine
   * @param failedCells - how many of its cells have failed
   * @throws LeaseLost when the job is no longer the worker's
   */
  async complete(token: string, failedCells: number): Promise<void> {
    await this.settle(token, 'done', null, async (client, job) => {
      await this.end(client, job, 'done', null, failedCells);
    });
  }

  /**
   * Ends a job that cannot be measured, whoever tries.
   *
   * @param token - of the lease
   * @param reason - why, in words
   * @throws LeaseLost when the job is no longer the worker's
   */
  async fail(token: string, reason: string): Promise<void> {
    await this.settle(token, 'failed', reason, async (client, job) => {
      await this.end(client, job, 'failed', reason);
    });
  }

  /**
   * Lets a job wait again whose device was lost. One of which nothing was measured may go to another one that it suits.
   *
   * @param token - of the lease
   * @param reason - what happened to the device, in words
   * @throws LeaseLost when the job is no longer the worker's
   */
  async again(token: string, reason: string): Promise<void> {
    await this.settle(token, 'lost', reason, (client, job) => this.waitAgain(client, job, reason));
  }

  /**
   * Gives a job back as it is: the worker ends, or its machine has no room for the job's record.
   *
   * @param token - of the lease
   * @param reason - what the machine is short of, in words
   * @throws LeaseLost when the job is no longer the worker's
   */
  async release(token: string, reason: string | null = null): Promise<void> {
    await this.settle(token, 'released', reason, async (client, job) => {
      await this.boss.putBack(client, job.queue, job.id);
      await unbind(client, job);
    });
  }

  /**
   * Ends a job that was cancelled while it was worked on.
   *
   * @param token - of the lease
   * @throws LeaseLost when the job is no longer the worker's
   */
  async cancelled(token: string): Promise<void> {
    await this.settle(token, 'cancelled', null, async (client, job) => {
      await this.end(client, job, 'cancelled', null);
    });
  }

  /**
   * Cancels jobs: those that wait at once, those that are worked on as soon as their worker hears of it.
   *
   * @param reference - a run, or a job as `jobName` has it, or the beginning of either
   * @returns how many there were to cancel
   */
  async cancel(reference: string): Promise<number> {
    return this.connection.transaction((client) =>
      this.cancelWhere(client, `starts_with(run || '/' || place, $1)`, reference),
    );
  }

  /**
   * Cancels a job or the jobs of a run, named in full.
   *
   * @param reference - the id of a job, or of a run
   * @returns how many there were to cancel; undefined where there is no such job or run
   */
  async cancelExactly(reference: string): Promise<number | undefined> {
    const named = `(run = $1 or id::text = $1)`;
    return this.connection.transaction(async (client) => {
      const cancelled = await this.cancelWhere(client, named, reference);
      if (cancelled > 0) return cancelled;
      const { rowCount } = await client.query(`select from ${SCHEMA}.job where ${named} limit 1`, [
        reference,
      ]);
      return rowCount === 1 ? 0 : undefined;
    });
  }

  /** @param condition - on jobs `j` */
  private async cancelWhere(client: Queries, condition: string, value: string): Promise<number> {
    const { rows } = await client.query<Leased & { readonly taken: boolean }>(
      `update ${SCHEMA}.job j set cancelled_at = now()
       where ended_at is null and ${condition}
       returning id, queue, exists (select from ${SCHEMA}.take t where t.job = j.id and t.ended_at is null) as taken`,
      [value],
    );
    for (const job of rows) if (!job.taken) await this.end(client, job, 'cancelled', null);
    return rows.length;
  }

  /**
   * Takes back the jobs of workers that have given no sign of life for as long as their lease lasts. Any worker may do it for all.
   *
   * @returns the jobs that wait again, by name
   */
  async sweep(): Promise<readonly string[]> {
    return this.takeBack(LAPSED, []);
  }

  /**
   * Makes a worker known. What an earlier process of the same name had is free at once: the caller has made sure that it is gone.
   *
   * @returns the jobs that wait again, by name
   */
  async enrol(worker: WorkerRecord): Promise<readonly string[]> {
    const { name, process, host, version, leaseSeconds } = worker;
    await this.connection.query(
      `insert into ${SCHEMA}.worker (name, process, host, version, protocol, lease)
       values ($1, $2, $3, $4, $5, make_interval(secs => $6))
       on conflict (name) do update set process = excluded.process, host = excluded.host, version = excluded.version,
         protocol = excluded.protocol, lease = excluded.lease, started_at = now(), beat_at = now(), draining = false, ended_at = null`,
      [name, process, host, version, QUEUE_PROTOCOL, leaseSeconds],
    );
    return this.takeBack('t.worker = $1 and t.process <> $2', [name, process]);
  }

  /** Moves what ended long ago out of pg-boss's way, and forgets what ended longer ago. */
  async maintain(): Promise<void> {
    await this.boss.maintain();
    await forgetEnded(this.connection);
  }

  /** Gives the connections back. */
  async close(): Promise<void> {
    await this.boss.stop();
    await this.connection.close();
  }

  /** Ends a lease, and does with its job what follows from it, or nothing of both. */
  private async settle(
    token: string,
    outcome: Outcome | 'released' | 'lost',
    reason: string | null,
    then: (client: Queries, job: Leased) => Promise<void>,
  ): Promise<void> {
    await this.connection.transaction(async (client) => {
      const { rows } = await client.query<Leased>(
        `update ${SCHEMA}.take t set ended_at = now(), outcome = $2, reason = $3
         from ${SCHEMA}.job j where t.token = $1 and t.ended_at is null and j.id = t.job returning j.id, j.queue`,
        [token, outcome, reason],
      );
      const [job] = rows;
      if (job !== undefined) {
        await then(client, job);
        return;
      }
      // The answer to an earlier call may have been lost with the connection.
      const { rowCount } = await client.query(
        `select from ${SCHEMA}.take where token = $1 and outcome = $2`,
        [token, outcome],
      );
      if (rowCount !== 1 || outcome === 'lost') throw new LeaseLost('the job is no longer this worker’s');
    });
  }

  /**
   * Takes back jobs one by one: a worker that is cut off meanwhile keeps one of them from the others for a moment, and not all.
   *
   * @param condition - on open takes `t`: those that are over
   */
  private async takeBack(condition: string, values: unknown[]): Promise<readonly string[]> {
    const names: string[] = [];
    for (;;) {
      const name = await this.connection.transaction(async (client) => {
        const { rows } = await client.query<
          Leased & { readonly run: string; readonly place: number; readonly worker: string }
        >(
          `update ${SCHEMA}.take o set ended_at = now(), outcome = 'lost', reason = 'no sign of life from its worker'
           from ${SCHEMA}.job j
           where j.id = o.job and o.token = (
             select token from ${SCHEMA}.take t where t.ended_at is null and ${condition} limit 1 for update skip locked)
           returning j.id, j.queue, j.run, j.place, o.worker`,
          values,
        );
        const [job] = rows;
        if (job === undefined) return undefined;
        const reason = `worker ${job.worker} was lost too often while it worked on this job`;
        await this.waitAgain(client, job, reason);
        return jobName(job);
      });
      if (name === undefined) return names;
      names.push(name);
    }
  }

  private async waitAgain(client: Queries, job: Leased, reason: string): Promise<void> {
    const { rowCount: cancelled } = await client.query(
      `select from ${SCHEMA}.job where id = $1 and cancelled_at is not null`,
      [job.id],
    );
    if (cancelled === 1) await this.end(client, job, 'cancelled', null);
    else if (await this.boss.again(client, job.queue, job.id, reason)) {
      await client.query(`update ${SCHEMA}.job set lost_at = now() where id = $1`, [job.id]);
      await unbind(client, job);
    } else await this.end(client, job, 'failed', reason);
  }

  private async end(
    client: Queries,
    { id, queue }: Leased,
    outcome: Outcome,
    reason: string | null,
    failedCells: number | null = null,
  ): Promise<void> {
    // The blocks are what another worker would have needed to go on.
    await client.query(
      `with gone as (delete from ${SCHEMA}.block where job = $1)
       update ${SCHEMA}.job set ended_at = now(), outcome = $2, reason = $3, failed_cells = $4 where id = $1`,
      [id, outcome, reason, failedCells],
    );
    if (outcome === 'cancelled') await this.boss.cancel(client, queue, id);
    else await this.boss.finish(client, queue, id, { outcome, reason });
  }
}

/** A job of which nothing is measured yet may be measured anywhere that it suits. */
async function unbind(client: Queries, { id }: Leased): Promise<void> {
  await client.query(
    `update ${SCHEMA}.job set begun_on = null, begun_class = null where id = $1 and rounds = 0`,
    [id],
  );
}
