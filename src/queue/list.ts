import type { Connection } from './connection.js';
import type { ListedDevice, ListedJob, ListedTake } from './jobs.js';
import type { JobQueue } from './queue.js';
import { SCHEMA, suits } from './schema.js';

/** A worker that has been silent for so many of its leases is not counted on. */
const SILENT = `w.ended_at is not null or w.beat_at + w.lease < now()`;

/** What a job asks of a device: jobs that ask for the same are looked at once. */
const WISH = `j.queue, s.version, j.device, j.needs, j.identical, j.begun_on, j.begun_class`;

/**
 * Jobs as they are listed. A wish for one device is looked up by its name, so that not every wish is held against every device.
 *
 * @param where - which, as a condition on `j`
 */
const jobs = (where: string): string => `
  with ready as materialized (
    select d.name, d.profile, d.class, d.labels, w.version from ${SCHEMA}.device d join ${SCHEMA}.worker w on w.name = d.worker
    where d.state = 'ready' and not w.draining and not (${SILENT})
  ), called as (
    select name as called, * from ready union all select profile as called, * from ready where profile <> name
  ), chosen as materialized (
    select j.*, s.suite, s.version, coalesce(j.device, case when not j.identical then j.begun_on end) as called,
      dense_rank() over (order by ${WISH}) as wish
    from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run where ${where}
  ), wish as materialized (
    select distinct on (wish) * from chosen
  ), suited as materialized (
    ${candidates('called d on d.called = j.called')}
    union all
    ${candidates('ready d on j.called is null')}
  )
  select j.id, j.queue, j.run, j.place, j.suite, j.version, j.person, j.priority, j.device, j.needs,
    coalesce(j.outcome, case when t.token is null then 'waiting' else 'running' end) as state,
    t.worker, t.device as "on", j.rounds, j.failed_cells as "failedCells", j.reason,
    coalesce(suited.candidates, 0) as candidates,
    j.submitted_at as "submittedAt", j.ended_at as "endedAt"
  from chosen j
  left join suited on suited.wish = j.wish
  left join ${SCHEMA}.take t on t.job = j.id and t.ended_at is null`;

/**
 * How many devices each wish may have.
 *
 * @param devices - a join with the devices `d` that come into question
 */
function candidates(devices: string): string {
  return `select j.wish, count(*)::integer as candidates from wish j join ${devices}
    where d.version = j.version and (d.profile <> 'compress') = (j.queue = 'measure') and ${suits('j', 'd')} group by j.wish`;
}

/**
 * Jobs, those that are worked on first, then those that wait, by what comes first.
 *
 * @param queue - open
 * @param all - whether those that have ended are wanted, too
 * @param most - so many at most; left out, all of them
 */
export async function listJobs(
  { connection }: JobQueue,
  all: boolean,
  most?: number,
): Promise<readonly ListedJob[]> {
  return jobsOf(
    connection,
    all ? 'true' : 'j.ended_at is null',
    `order by j.ended_at desc nulls first, t.token is null, j.priority desc, j.submitted_at, j.run, j.place
     ${most === undefined ? '' : `limit ${most}`}`,
  );
}

/**
 * The jobs of a run.
 *
 * @param queue - open
 * @param reference - a run, or a job as `jobName` has it, or the beginning of either
 */
export async function findJobs({ connection }: JobQueue, reference: string): Promise<readonly ListedJob[]> {
  return jobsOf(connection, `starts_with(j.run || '/' || j.place, $1)`, 'order by j.run, j.place', reference);
}

async function jobsOf(
  connection: Connection,
  where: string,
  order: string,
  ...values: string[]
): Promise<readonly ListedJob[]> {
  const { rows } = await connection.query<ListedJob & { submittedAt: Date; endedAt: Date | null }>(
    `${jobs(where)} ${order}`,
    values,
  );
  return rows.map(({ submittedAt, endedAt, ...job }) => ({
    ...job,
    submittedAt: submittedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  }));
}

/**
 * Who has worked on jobs, the earliest first.
 *
 * @param queue - open
 * @param jobs - their ids
 */
export async function takesOf(
  { connection }: JobQueue,
  jobs: readonly string[],
): Promise<readonly ListedTake[]> {
  const { rows } = await connection.query<ListedTake & { takenAt: Date; endedAt: Date | null }>(
    `select job, worker, device, rounds, taken_at as "takenAt", ended_at as "endedAt", outcome, reason
     from ${SCHEMA}.take where job = any($1::uuid[]) order by taken_at`,
    [jobs],
  );
  return rows.map(({ takenAt, endedAt, ...take }) => ({
    ...take,
    takenAt: takenAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  }));
}

/**
 * Devices of all workers that have not ended, by name.
 *
 * @param queue - open
 */
export async function listFleet({ connection }: JobQueue): Promise<readonly ListedDevice[]> {
  const { rows } = await connection.query<ListedDevice & { seenAt: Date }>(
    `select d.name, d.worker, w.version, w.beat_at as "seenAt", j.run || '/' || j.place as job, d.reason,
       case when ${SILENT} then 'silent' when d.state = 'unreachable' then 'unreachable' when j.id is not null then 'busy'
         when w.draining then 'draining' else 'idle' end as state
     from ${SCHEMA}.device d
     join ${SCHEMA}.worker w on w.name = d.worker
     left join ${SCHEMA}.take t on t.device = d.name and t.worker = d.worker and t.ended_at is null and t.measured_at is null
     left join ${SCHEMA}.job j on j.id = t.job
     order by d.name, d.worker`,
  );
  return rows.map(({ seenAt, ...device }) => ({ ...device, seenAt: seenAt.toISOString() }));
}

/**
 * Which of some jobs are not over.
 *
 * @param queue - open
 * @param jobs - their ids, as texts
 */
export async function openJobs(
  { connection }: JobQueue,
  jobs: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await connection.query<{ readonly id: string }>(
    `select id from ${SCHEMA}.job where id::text = any($1) and ended_at is null`,
    [jobs],
  );
  return new Set(rows.map(({ id }) => id));
}
