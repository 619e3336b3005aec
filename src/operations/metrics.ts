import type * as Library from 'prom-client';
import { optional } from '../base/optional.js';
import type { JobQueue } from '../queue/queue.js';
import { SCHEMA } from '../queue/schema.js';

/** Seconds that jobs take, from seconds to a night. */
const JOB_BUCKETS = [5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200];

/** Seconds that the database takes to answer. */
const STORE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** What is measured of a fleet, in Prometheus' format. */
export interface Metrics {
  /** Told of each job that a worker has left. */
  jobLeft(how: string, seconds: number): void;
  /** Everything, as a scraper gets it. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** A gauge that is asked for when somebody scrapes. */
interface Asked {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Gives rows with the labels and `value`. */
  readonly sql: string;
}

const asked: readonly Asked[] = [
  {
    name: 'edgeflex_queue_jobs',
    help: 'Jobs that have not ended, by queue and state.',
    labels: ['queue', 'state'],
    sql: `select q.queue, s.state, count(j.id)::float8 as value
      from (values ('measure'), ('compress')) q(queue) cross join (values ('waiting'), ('running')) s(state)
      left join (select o.id, o.queue, case when t.token is null then 'waiting' else 'running' end as state
        from ${SCHEMA}.job o left join ${SCHEMA}.take t on t.job = o.id and t.ended_at is null
        where o.ended_at is null) j on j.queue = q.queue and j.state = s.state
      group by 1, 2`,
  },
  {
    name: 'edgeflex_queue_oldest_waiting_seconds',
    help: 'Age of the oldest job that nobody works on.',
    labels: ['queue'],
    sql: `select queue, extract(epoch from now() - min(submitted_at))::float8 as value from ${SCHEMA}.job j
      where ended_at is null and not exists (select from ${SCHEMA}.take t where t.job = j.id and t.ended_at is null)
      group by 1`,
  },
  {
    name: 'edgeflex_recent_job_seconds',
    help: 'How long work on jobs took that ended within the last hour, by quantile.',
    labels: ['quantile'],
    sql: `select quantile::text, percentile_cont(quantile) within group (order by extract(epoch from ended_at - taken_at))::float8 as value
      from ${SCHEMA}.take cross join (values (0.5), (0.9), (1.0)) q(quantile)
      where ended_at > now() - interval '1 hour' and taken_at > now() - interval '2 days' group by quantile`,
  },
  {
    name: 'edgeflex_device_heartbeat_age_seconds',
    help: 'How long ago the worker of a device last gave a sign of life.',
    labels: ['device', 'worker'],
    sql: `select d.name as device, d.worker, extract(epoch from now() - w.beat_at)::float8 as value
      from ${SCHEMA}.device d join ${SCHEMA}.worker w on w.name = d.worker`,
  },
  {
    name: 'edgeflex_device_ready',
    help: '1 where a device can be used, 0 where it cannot be reached.',
    labels: ['device', 'worker'],
    sql: `select name as device, worker, (state = 'ready')::integer::float8 as value from ${SCHEMA}.device`,
  },
  {
    name: 'edgeflex_rounds_measured',
    help: 'Rounds that the queue has of jobs submitted within the last 7 days.',
    labels: [],
    sql: `select coalesce(sum(rounds), 0)::float8 as value from ${SCHEMA}.job where submitted_at > now() - interval '7 days'`,
  },
  {
    name: 'edgeflex_schedule_times',
    help: 'Times of schedules, by what became of them.',
    labels: ['schedule', 'outcome'],
    sql: `select schedule, outcome, sum(times)::float8 as value from ${SCHEMA}.schedule_time group by 1, 2`,
  },
  {
    name: 'edgeflex_alerts_open',
    help: 'Regressions that have been told and are not resolved.',
    labels: ['schedule'],
    sql: `select s.name as schedule, count(a.id)::float8 as value
      from ${SCHEMA}.schedule s left join ${SCHEMA}.alert a on a.schedule = s.name and a.resolved_at is null group by 1`,
  },
  {
    name: 'edgeflex_messages_undelivered',
    help: 'Messages that wait to be sent, or were given up.',
    labels: ['channel'],
    sql: `select channel, count(*)::float8 as value from ${SCHEMA}.notification where delivered_at is null group by 1`,
  },
];

/**
 * Metrics of a queue, of all of its workers, and of the process itself. What concerns the whole fleet is asked for when somebody scrapes, and
 * is the same wherever it is asked.
 *
 * @param queue - open
 * @throws InputError when prom-client is not installed
 */
export async function openMetrics(queue: JobQueue): Promise<Metrics> {
  const library = await loadLibrary();
  const registry = new library.Registry();
  library.collectDefaultMetrics({ register: registry, prefix: 'edgeflex_' });
  const registers = [registry];
  const jobs = new library.Histogram({
    ...{
      name: 'edgeflex_job_duration_seconds',
      help: 'How long this process worked on jobs, by how they ended.',
    },
    ...{ labelNames: ['how'], buckets: JOB_BUCKETS, registers },
  });
  const store = new library.Histogram({
    ...{
      name: 'edgeflex_store_latency_seconds',
      help: 'How long the database took to answer a trivial query, at each scrape.',
    },
    ...{ buckets: STORE_BUCKETS, registers },
  });
  const up = new library.Gauge({
    ...{ name: 'edgeflex_store_up', help: '1 where the database answered at this scrape.', registers },
  });
  const gauges = asked.map((each) => ({
    ...each,
    gauge: new library.Gauge({ ...{ name: each.name, help: each.help, labelNames: each.labels, registers } }),
  }));
  return {
    jobLeft: (how, seconds) => {
      jobs.observe({ how }, seconds);
    },
    text: async () => {
      // What is not known at the moment is left out, not told as it was.
      for (const { gauge } of gauges) gauge.reset();
      try {
        const begun = performance.now();
        await queue.connection.query('select 1');
        store.observe((performance.now() - begun) / 1000);
        for (const { gauge, labels, sql } of gauges) {
          const { rows } = await queue.connection.query<Record<string, string | number>>(sql);
          for (const row of rows)
            gauge.set(
              Object.fromEntries(labels.map((label) => [label, row[label] ?? ''])),
              Number(row['value']),
            );
        }
        up.set(1);
      } catch {
        up.set(0);
      }
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

async function loadLibrary(): Promise<
  Pick<typeof Library, 'Registry' | 'Histogram' | 'Gauge' | 'collectDefaultMetrics'>
> {
  const part = { packages: ['prom-client'], source: 'metrics', what: 'the writer of Prometheus’ format' };
  return (await optional(part, () => import('prom-client'))).default;
}
