import { SCHEMA, suits } from './schema.js';

/** What people used in so long counts when their shares are compared. */
const SHARE_HOURS = 24;

/**
 * The next job for a device: of the highest priority; then one that was begun, so that its rounds lie no further apart than they must;
 * then of whoever has the fewest devices at work, and used the least time lately; then the oldest. What somebody else looks at in the same moment is passed over.
 *
 * Parameters: queue, protocol, version, name of the device, of its profile, class, labels.
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
  where j.queue = $1 and j.ended_at is null and j.cancelled_at is null and j.protocol = $2
    and s.version = $3
    and not exists (select from ${SCHEMA}.take t where t.job = j.id and t.ended_at is null)
    and (j.queue <> 'measure' or not exists (
      select from ${SCHEMA}.job c where c.run = j.run and c.queue = 'compress' and c.ended_at is null))
    and ${suits('j', 'd')}
  order by j.priority desc, j.rounds > 0 desc, coalesce(u.devices, 0), coalesce(u.seconds, 0), j.submitted_at, j.id
  limit 1
  for update of j skip locked`;

/** What a worker is told of the job that it has taken. Parameter: its lease. */
export const TAKEN_JOB = `
  select t.token, j.id, j.queue, j.place, j.begun_on as device, j.identical, s.suite, s.person, s.command, s.plan, s.plugins, j.rounds,
    jsonb_build_object('id', s.run, 'uid', s.uid, 'places', s.places, 'repository', s.repository,
      'startedAt', to_char(s.submitted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) as run,
    (select b.worker from ${SCHEMA}.take b where b.job = j.id and b.token <> t.token order by b.taken_at desc limit 1) as before
  from ${SCHEMA}.take t
  join ${SCHEMA}.job j on j.id = t.job
  join ${SCHEMA}.submission s on s.run = j.run
  where t.token = $1`;
