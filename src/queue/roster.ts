import type { OfferedDevice, WorkerRecord } from './jobs.js';
import type { JobQueue } from './queue.js';
import { SCHEMA } from './schema.js';

/**
 * Says what a worker's device is, or why it cannot be used.
 *
 * @param queue - open
 * @param worker - whose
 * @param device - as it was found
 * @param fault - why it cannot be used, in words; left out, it is ready
 */
export async function announce(
  { connection }: JobQueue,
  worker: WorkerRecord,
  device: OfferedDevice,
  fault?: string,
): Promise<void> {
  const { name, profile, host, class: kind, labels } = device;
  await connection.query(
    `insert into ${SCHEMA}.device (worker, name, profile, host, class, labels, state, reason)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (worker, name) do update set profile = excluded.profile, host = excluded.host, class = excluded.class,
       labels = excluded.labels, state = excluded.state, reason = excluded.reason, seen_at = now()`,
    [
      ...[worker.name, name, profile, host, kind, JSON.stringify(labels)],
      ...[fault === undefined ? 'ready' : 'unreachable', fault ?? null],
    ],
  );
}

/**
 * A worker ends, and with it its devices.
 *
 * @param queue - open
 * @param worker - a later process of its name stays
 */
export async function leave({ connection }: JobQueue, worker: WorkerRecord): Promise<void> {
  await connection.transaction(async (client) => {
    const { rowCount } = await client.query(
      `update ${SCHEMA}.worker set ended_at = now() where name = $1 and process = $2`,
      [worker.name, worker.process],
    );
    if (rowCount === 1) await client.query(`delete from ${SCHEMA}.device where worker = $1`, [worker.name]);
  });
}

/**
 * Lets a worker take no more jobs: it ends with those that it has.
 *
 * @param queue - open
 * @param name - of the worker
 * @returns whether there is one of that name that has not ended
 */
export async function drain({ connection }: JobQueue, name: string): Promise<boolean> {
  const { rowCount } = await connection.query(
    `update ${SCHEMA}.worker set draining = true where name = $1 and ended_at is null`,
    [name],
  );
  return rowCount === 1;
}
