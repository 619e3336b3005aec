import { SCHEMA, suits } from './schema.js';

/** What people used in so long counts when their shares are compared. */
const SHARE_HOURS = 24;

/** What a lease is lost by a while after its worker's last sign of life; a server that was away lets everybody begin anew. */
export const LAPSED = `greatest(t.beat_at, pg_postmaster_start_time()) + t.lease < now()`;

/** That nobody has a job. Open takes are few, and are looked up once for all jobs: as a join, PostgreSQL goes through them for each. */
const NOBODY_HAS = `j.id not in (select t.job from ${SCHEMA}.take t where t.ended_at is null)`;

/** That a job is to be measured, nobody has it, and nothing is to be compressed for it first. */
const WAITS = `j.measured_at is null and ${NOBODY_HAS}
    and (j.queue <> 'measure' or not exists (
      select from ${SCHEMA}.job c where c.run = j.run and c.queue = 'compress' and c.ended_at is null))`;

/** That a job was measured by a worker of the same version, and was lost before it was delivered. */
const LEFT = `j.measured_at is not null and j.ended_at is null and j.cancelled_at is null and j.protocol = $1 and s.version = $2
    and ${NOBODY_HAS}`;

/** That a job waits for a worker of a version. Parameters: protocol, version. */
const OPEN = `j.ended_at is null and j.cancelled_at is null and j.protocol = $1 and s.version = $2 and ${WAITS}`;

/**
 * The next job for a device: of the highest priority; then one that was lost or begun, so that its rounds lie no further apart than they must;
 * then of whoever has the fewest devices at work, and used the least time lately; then the oldest. What somebody else looks at in the same moment is passed over.
 *
 * Of those who ask for one machine at the same moment one gets an answer, and none while it is at work: otherwise the second would pass over what
 * the first has in its hands, and take the second best job for the machine, while what was lost waits for that one's end.
 *
 * Parameters: queue, protocol, version, name of the device, of its profile, class, labels, machine.
 */
export const NEXT_JOB = `
  with device as (
    select $4::text as name, $5::text as profile, $6::text as class, $7::jsonb as labels
  ), used as (
    select j.person,
      count(*) filter (where t.ended_at is null and t.measured_at is null) as devices,
      sum(extract(epoch from coalesce(t.ended_at, now()) - t.taken_at)) as seconds
    from ${SCHEMA}.take t join ${SCHEMA}.job j on j.id = t.job
    where t.taken_at > now() - interval '${SHARE_HOURS} hours'
    group by j.person
  )
  select j.id
  from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run cross join device d
  left join used u on u.person = j.person
  where (select pg_try_advisory_xact_lock(hashtextextended($8, 2)))
    and not exists (select from ${SCHEMA}.take t where t.host = $8 and t.ended_at is null and t.measured_at is null)
    and j.queue = $1 and j.ended_at is null and j.cancelled_at is null and j.protocol = $2
    and s.version = $3
    and ${WAITS} and ${suits('j', 'd')}
  order by j.priority desc, (j.rounds > 0 or j.lost_at is not null) desc, coalesce(u.devices, 0), coalesce(u.seconds, 0), j.submitted_at, j.id
  limit 1
  for update of j skip locked`;

/**
 * The next job that is measured and not delivered, because its worker was lost in between.
 *
 * Parameters: protocol, version.
 */
export const NEXT_DELIVERY = `
  select j.id, j.queue, j.begun_on as device
  from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run
  where ${LEFT}
  order by j.measured_at
  limit 1
  for update of j skip locked`;

/**
 * What there is to do for a worker: whether a lease has lapsed, whether something measured is to be delivered, and for which of its idle
 * devices there may be a job. One question, whatever the number of devices; jobs for any device that ask for the same are looked at once, those
 * for a device are found by its name.
 *
 * Parameters: protocol, version, idle devices as JSON.
 */
export const LOOK = `
  with anywhere as materialized (
    select distinct j.queue, j.device, j.needs, j.identical, j.begun_on, j.begun_class
    from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run where j.device is null and ${OPEN}
  )
  select
    extract(epoch from pg_postmaster_start_time())::float8 as "serverStarted",
    exists (select from ${SCHEMA}.take t where t.ended_at is null and ${LAPSED}) as lapsed,
    exists (select from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run where ${LEFT}) as deliver,
    (select coalesce(jsonb_agg(d.name), '[]')
      from jsonb_to_recordset($3) as d(queue text, name text, profile text, host text, class text, labels jsonb)
      where not exists (
          select from ${SCHEMA}.take t where t.host = d.host and t.ended_at is null and t.measured_at is null)
        and (exists (select from anywhere j where j.queue = d.queue and ${suits('j', 'd')})
          or exists (
            select from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run
            where j.device in (d.name, d.profile) and j.queue = d.queue and ${OPEN} and ${suits('j', 'd')}))) as devices`;

/**
 * Whether a job waits that a device may have, whatever its machine does at the moment.
 *
 * Parameters: protocol, version, the device as JSON.
 */
export const ANY_JOB = `
  select exists (
    select from ${SCHEMA}.job j join ${SCHEMA}.submission s on s.run = j.run
    cross join jsonb_to_record($3) as d(queue text, name text, profile text, class text, labels jsonb)
    where j.queue = d.queue and ${OPEN} and ${suits('j', 'd')}) as waits`;

/**
 * Records that a worker has a job, and tells it what the job is.
 *
 * Parameters: job, worker, process, device, host, lease in seconds, class of the device, whether it is only to be delivered.
 */
export const TAKE = `
  with taken as (
    insert into ${SCHEMA}.take (job, worker, process, device, host, lease, rounds, measured_at)
    select id, $2, $3, $4, $5, make_interval(secs => $6), rounds, case when $8 then now() end from ${SCHEMA}.job where id = $1
    returning token
  ), begun as (
    update ${SCHEMA}.job set begun_on = coalesce(begun_on, $4), begun_class = coalesce(begun_class, $7) where id = $1
    returning begun_on
  )
  select taken.token, j.id, j.queue, j.place, begun.begun_on as device, j.identical, s.suite, s.person, s.command, s.plan, s.plugins,
    j.rounds, j.failed_cells as "failedCells",
    jsonb_build_object('id', s.run, 'uid', s.uid, 'places', s.places, 'repository', s.repository,
      'startedAt', to_char(s.submitted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as run,
    (select b.worker from ${SCHEMA}.take b where b.job = j.id order by b.taken_at desc limit 1) as before
  from taken cross join begun cross join ${SCHEMA}.job j
  join ${SCHEMA}.submission s on s.run = j.run
  where j.id = $1`;
