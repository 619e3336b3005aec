import pg from 'pg';

/** Something that was killed. */
export interface Kill {
  /** Milliseconds since 1970; of the database: when it was there again. */
  readonly at: number;
  /** Name of the worker, `database` or `network`. */
  readonly what: string;
}

/** What a campaign found out about the queue. */
export interface FleetFigures {
  readonly kills: { readonly workers: number; readonly database: number; readonly networks: number };
  readonly takes: Readonly<Record<string, number>>;
  /** From the last sign of life of a lost worker, or the last start of the database after it, to the take-up of its job, in seconds. */
  readonly takeUpSeconds: Quantiles;
  /** The same of those that were measured, and had only to be delivered. */
  readonly deliveryTakeUpSeconds: Quantiles;
  /** Those of them that took longer than the lease and five seconds. */
  readonly lateTakeUps: readonly string[];
  /** Seconds from taking jobs to ending them, and what of it the work took; of rounds those of jobs that were never lost. */
  readonly takenSeconds: number;
  readonly workSeconds: number;
  readonly roundSeconds: number;
  /** What the queue took, as a share of the work: opening the record, sending it, delivering it, ending the job. */
  readonly queueShare: number;
  /** From when a board was free to the next job of the same board, in seconds, where none was lost. */
  readonly gapSeconds: Quantiles;
}

/** Of how many, and where they lie. */
interface Quantiles {
  readonly count: number;
  readonly median: number | null;
  readonly p95: number | null;
  readonly most: number | null;
}

/** How much longer than its lease a job may take to be taken up, in seconds. */
const SLACK = 5;

/**
 * Reads from the queue how the campaign went.
 *
 * @param url - of its database
 * @param kills - what was killed
 * @param lease - of the workers, in seconds
 * @param log - what all workers have said
 */
export async function figuresOf(
  url: string,
  kills: readonly Kill[],
  lease: number,
  log: string,
): Promise<FleetFigures> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const rows = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> =>
      (await client.query<Row>(text)).rows;
    const outcomes = await rows<{ outcome: string; count: number }>(
      'select outcome, count(*)::integer as count from edgeflex_queue.take group by outcome',
    );
    const restarts = kills.filter(({ what }) => what === 'database').map(({ at }) => at);
    const takeUps = (
      await rows<{ lost: Date; taken: Date; measured: boolean; what: string }>(
        `select t.beat_at as lost, n.taken_at as taken, t.measured_at is not null as measured,
           t.job || ' of ' || t.device || ' from ' || t.worker || case when t.measured_at is null then '' else ' (measured)' end as what
         from edgeflex_queue.take t
         cross join lateral (
           select * from edgeflex_queue.take n where n.job = t.job and n.taken_at > t.taken_at order by taken_at limit 1) n
         where t.outcome = 'lost'`,
      )
    ).map(({ lost, taken, measured, what }) => {
      const since = restarts.filter((at) => at > lost.getTime() && at < taken.getTime());
      const seconds = (taken.getTime() - Math.max(lost.getTime(), ...since)) / 1000;
      return { seconds, measured, what: `${what}: ${seconds} s, at ${taken.toISOString()}` };
    });
    const late = takeUps.filter(({ seconds }) => seconds > lease + SLACK);
    const [sums] = await rows<{ seconds: number }>(
      `with done as (
         select t.device, j.run
         from edgeflex_queue.take t join edgeflex_queue.job j on j.id = t.job
         where t.outcome = 'done' and not exists (select from edgeflex_queue.take o where o.job = t.job and o.token <> t.token))
       select sum(r.seconds)::float8 as seconds
       from done d
       join lateral (
         select sum(r.seconds) as seconds from edgeflex.rounds r
         join edgeflex.cells c on c.id = r.cell_id
         join edgeflex.devices v on v.id = c.device_id
         where c.run_id = d.run and v.name = d.device) r on true`,
    );
    const gaps = await rows<{ seconds: number }>(
      `select extract(epoch from n.taken_at - coalesce(t.measured_at, t.ended_at))::float8 as seconds
       from edgeflex_queue.take t
       cross join lateral (
         select taken_at from edgeflex_queue.take n where n.device = t.device and n.taken_at > coalesce(t.measured_at, t.ended_at) order by taken_at limit 1) n
       where t.outcome = 'done'`,
    );
    const done = [...log.matchAll(/ done in ([\d.]+) s, ([\d.]+) s of them for the queue/g)];
    const takenSeconds = sum(done.map(([, seconds]) => Number(seconds)));
    const queueSeconds = sum(done.map(([, , seconds]) => Number(seconds)));
    return {
      kills: {
        workers: kills.filter(({ what }) => what !== 'database' && what !== 'network').length,
        database: kills.filter(({ what }) => what === 'database').length,
        networks: kills.filter(({ what }) => what === 'network').length,
      },
      takes: Object.fromEntries(outcomes.map(({ outcome, count }) => [outcome, count])),
      takeUpSeconds: quantiles(takeUps.filter(({ measured }) => !measured).map(({ seconds }) => seconds)),
      deliveryTakeUpSeconds: quantiles(
        takeUps.filter(({ measured }) => measured).map(({ seconds }) => seconds),
      ),
      lateTakeUps: late.map(({ what }) => what),
      ...{ takenSeconds, workSeconds: takenSeconds - queueSeconds, roundSeconds: sums?.seconds ?? 0 },
      queueShare: queueSeconds / (takenSeconds - queueSeconds),
      gapSeconds: quantiles(gaps.map((each) => each.seconds)),
    };
  } finally {
    await client.end();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number | null =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
  return { count: sorted.length, median: at(0.5), p95: at(0.95), most: sorted.at(-1) ?? null };
}
