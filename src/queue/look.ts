import type { QueueName } from './boss.js';
import { QUEUE_PROTOCOL, type OfferedDevice, type WorkerRecord } from './jobs.js';
import type { JobQueue } from './queue.js';
import { SCHEMA } from './schema.js';
import { ANY_JOB, LOOK } from './take.js';

/** Jobs that only a worker of another version takes. */
export interface StrangeJobs {
  readonly version: string;
  /** See `QUEUE_PROTOCOL`. */
  readonly protocol: number;
  readonly jobs: number;
}

/** What there is to do for a worker. */
export interface Look {
  /** When the server was started, in seconds since 1970 by its clock. */
  readonly serverStarted: number;
  /** A lease has lapsed, of whichever worker. */
  readonly lapsed: boolean;
  /** Something that was measured waits to be delivered. */
  readonly deliver: boolean;
  /** Names of the devices for which there may be a job. */
  readonly devices: ReadonlySet<string>;
}

/**
 * Asks what there is to do, which changes nothing.
 *
 * @param queue - open
 * @param worker - who asks
 * @param idle - its devices that have nothing to do
 */
export async function lookForWork(
  { connection }: JobQueue,
  worker: WorkerRecord,
  idle: readonly (OfferedDevice & { readonly queue: QueueName })[],
): Promise<Look> {
  const { rows } = await connection.query<Omit<Look, 'devices'> & { readonly devices: string[] }>(LOOK, [
    QUEUE_PROTOCOL,
    worker.version,
    JSON.stringify(idle),
  ]);
  const [seen] = rows;
  return {
    serverStarted: seen?.serverStarted ?? 0,
    lapsed: seen?.lapsed ?? false,
    deliver: seen?.deliver ?? false,
    devices: new Set(seen?.devices),
  };
}

/**
 * Whether a job waits for a device, also one that it cannot have yet, because its machine is at work or others ask for it.
 *
 * @param queue - open
 * @param worker - who asks
 * @param device - one of its devices
 */
export async function waitsFor(
  { connection }: JobQueue,
  worker: WorkerRecord,
  device: OfferedDevice & { readonly queue: QueueName },
): Promise<boolean> {
  const { rows } = await connection.query<{ readonly waits: boolean }>(ANY_JOB, [
    QUEUE_PROTOCOL,
    worker.version,
    JSON.stringify(device),
  ]);
  return rows[0]?.waits ?? false;
}

/**
 * Jobs that wait for workers of another version or protocol.
 *
 * @param queue - open
 * @param worker - who asks
 */
export async function strangeJobs(
  { connection }: JobQueue,
  worker: WorkerRecord,
): Promise<readonly StrangeJobs[]> {
  const { rows } = await connection.query<StrangeJobs>(
    `select s.version, j.protocol, count(*)::integer as jobs
     from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run
     where j.ended_at is null and (j.protocol <> $1 or s.version <> $2)
     group by s.version, j.protocol order by s.version, j.protocol`,
    [QUEUE_PROTOCOL, worker.version],
  );
  return rows;
}
