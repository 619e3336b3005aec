/** Where the queue's tables lie, beside pg-boss's. */
export const SCHEMA = 'edgeflex_queue';

/**
 * Changes of the queue's schema, in order. A released one is never edited: a further change is a further entry.
 *
 * A job is one place of a submission. A take is one worker's work on a job: open while it has no end, and then a lease that lasts as long as
 * it is renewed. The indices of open takes are what makes a job, and the machine that measures, one worker's at a time.
 *
 * A schedule's times are rows whose key makes each of them one worker's; of an alert one is open for each thing that is worse.
 */
export const CHANGES: readonly string[] = [
  `
  create table ${SCHEMA}.submission (
    run text primary key,
    uid uuid not null,
    suite text not null,
    person text not null,
    command text not null,
    version text not null,
    places integer not null,
    plan jsonb not null,
    plugins jsonb not null,
    repository jsonb,
    submitted_at timestamptz not null
  );
  create table ${SCHEMA}.job (
    id uuid primary key,
    run text not null references ${SCHEMA}.submission on delete cascade,
    place integer not null,
    queue text not null check (queue in ('measure', 'compress')),
    protocol integer not null,
    person text not null,
    priority integer not null,
    device text,
    needs jsonb not null,
    identical boolean not null,
    begun_on text,
    begun_class text,
    rounds integer not null default 0,
    spool_bytes bigint not null default 0,
    submitted_at timestamptz not null default now(),
    cancelled_at timestamptz,
    ended_at timestamptz,
    outcome text check (outcome in ('done', 'failed', 'cancelled')),
    failed_cells integer,
    reason text,
    unique (run, place)
  );
  create index job_open on ${SCHEMA}.job (queue, priority desc, submitted_at) where ended_at is null;
  create table ${SCHEMA}.take (
    token uuid primary key default gen_random_uuid(),
    job uuid not null references ${SCHEMA}.job on delete cascade,
    worker text not null,
    process uuid not null,
    device text not null,
    host text not null,
    lease interval not null,
    rounds integer not null,
    taken_at timestamptz not null default now(),
    beat_at timestamptz not null default now(),
    measured_at timestamptz,
    ended_at timestamptz,
    outcome text check (outcome in ('done', 'failed', 'cancelled', 'released', 'lost')),
    reason text
  );
  create unique index take_job on ${SCHEMA}.take (job) where ended_at is null;
  create unique index take_host on ${SCHEMA}.take (host) where ended_at is null and measured_at is null;
  create index take_of_job on ${SCHEMA}.take (job, taken_at);
  create index take_recent on ${SCHEMA}.take (taken_at);
  create table ${SCHEMA}.worker (
    name text primary key,
    process uuid not null,
    host text not null,
    version text not null,
    protocol integer not null,
    lease interval not null,
    started_at timestamptz not null default now(),
    beat_at timestamptz not null default now(),
    draining boolean not null default false,
    ended_at timestamptz
  );
  create table ${SCHEMA}.device (
    worker text not null references ${SCHEMA}.worker on delete cascade,
    name text not null,
    profile text not null,
    host text not null,
    class text not null,
    labels jsonb not null,
    state text not null check (state in ('ready', 'unreachable')),
    reason text,
    seen_at timestamptz not null default now(),
    primary key (worker, name)
  );
  create table ${SCHEMA}.block (
    job uuid not null references ${SCHEMA}.job on delete cascade,
    position integer not null,
    digest text not null,
    content bytea not null,
    primary key (job, position)
  );
  create function ${SCHEMA}.meets(needs jsonb, labels jsonb) returns boolean language sql immutable as $$
    select not exists (
      select from jsonb_to_recordset(needs) as need(label text, op text, value jsonb)
      where not coalesce(
        case
          when op = 'has' then labels ? label
          when op = 'is' then lower(labels ->> label) = lower(value #>> '{}')
          when jsonb_typeof(labels -> label) <> 'number' then false
          when op = '>=' then (labels ->> label)::numeric >= (value #>> '{}')::numeric
          when op = '<=' then (labels ->> label)::numeric <= (value #>> '{}')::numeric
        end, false))
  $$;
  `,
  // What is only to be delivered needs no device; what was lost comes before what was never begun.
  `
  alter table ${SCHEMA}.job add column measured_at timestamptz, add column lost_at timestamptz;
  create index job_device on ${SCHEMA}.job (device) where ended_at is null;
  create index job_measured on ${SCHEMA}.job (measured_at) where ended_at is null and measured_at is not null;
  create index take_open on ${SCHEMA}.take (beat_at) where ended_at is null;
  `,
  `
  create table ${SCHEMA}.schedule (
    name text primary key,
    cron text not null,
    timezone text not null,
    suite text not null,
    template jsonb not null,
    webhook text,
    email text,
    created_at timestamptz not null default now(),
    handled_at timestamptz not null default now()
  );
  create table ${SCHEMA}.schedule_time (
    schedule text not null references ${SCHEMA}.schedule on delete cascade,
    due_at timestamptz not null,
    outcome text not null check (outcome in ('submitted', 'missed', 'overlapping')),
    times integer not null default 1,
    run text,
    worker text,
    at timestamptz not null default now(),
    claimed_until timestamptz,
    checked_at timestamptz,
    fault text,
    primary key (schedule, due_at)
  );
  create index schedule_time_open on ${SCHEMA}.schedule_time (due_at) where run is not null and checked_at is null;
  create table ${SCHEMA}.alert (
    id uuid primary key default gen_random_uuid(),
    schedule text not null references ${SCHEMA}.schedule on delete cascade,
    key text not null,
    event jsonb not null,
    run text not null,
    opened_at timestamptz not null default now(),
    resolved_run text,
    resolved_at timestamptz
  );
  create unique index alert_open on ${SCHEMA}.alert (schedule, key) where resolved_at is null;
  create table ${SCHEMA}.notification (
    id uuid primary key default gen_random_uuid(),
    schedule text not null references ${SCHEMA}.schedule on delete cascade,
    run text not null,
    channel text not null check (channel in ('webhook', 'email')),
    target text not null,
    content jsonb not null,
    attempts integer not null default 0,
    next_at timestamptz not null default now(),
    delivered_at timestamptz,
    given_up_at timestamptz,
    error text,
    unique (schedule, run, channel)
  );
  create index notification_open on ${SCHEMA}.notification (next_at) where delivered_at is null and given_up_at is null;
  `,
  `
  alter table ${SCHEMA}.schedule add column baseline text;
  `,
];

/**
 * Whether a device may have a job, as a condition of SQL: it is the one that is asked for or meets what is, and where the job was begun,
 * it is the same one, or one like it where that is allowed.
 *
 * @param job - name of the job's row
 * @param device - name of a row with the device's `name`, `profile`, `class` and `labels`
 */
export function suits(job: string, device: string): string {
  return `(${job}.device is null or ${job}.device in (${device}.name, ${device}.profile))
    and ${SCHEMA}.meets(${job}.needs, ${device}.labels)
    and (${job}.begun_on is null or ${job}.begun_on = ${device}.name
      or (${job}.identical and ${job}.begun_class = ${device}.class))`;
}
