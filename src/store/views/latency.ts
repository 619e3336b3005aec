import { estimate, flag, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { geometric, NAMED, NAMES, PAIRS, TIMES } from './fragments.js';
import type { View } from './view.js';

/** How fast variants are: `latencyOf` of `analysis/` in SQL. */
export const latencyView: View = {
  name: 'v_latency',
  question: 'How fast is each variant, and how many times as fast as fp32?',
  note: "Finished cells of kind `performance`. Intervals are Student's over the rounds; with a single round they equal the value. Speed-ups pair rounds with the same number.",
  columns: {
    ...cellColumns,
    batch: whole('Batch size.', 'images'),
    tier: orNull(text('Measuring tier.')),
    rounds: whole('Rounds that count.'),
    disturbed_rounds: whole('Rounds disturbed by other processes.'),
    decided: flag('Whether enough rounds were undisturbed for a verdict.'),
    queries: whole('Timed queries in the rounds that count.'),
    ...estimate(
      'median_ms',
      'Median latency: geometric mean of the medians of the rounds; null if a round has a median of 0.',
      'ms',
    ),
    ...estimate(
      'images_per_s',
      'Throughput: geometric mean over the rounds; null if a round took no time.',
      'images/s',
    ),
    ...estimate('cpu_ms', 'CPU time per query: geometric mean over all rounds; null if not reported.', 'ms'),
    ...estimate(
      'speedup',
      'Latency of fp32 over that of the variant; null for fp32, with fewer than two pairs of rounds, and if either is not decided.',
    ),
    speedup_rounds: orNull(whole('Pairs of rounds behind the speed-up.')),
    load_ms: orNull(real('Time to load the model, mean over all rounds.', 'ms')),
    first_ms: orNull(real('Time of the first run, mean over all rounds.', 'ms')),
  },
  sql: () => `with ${PAIRS}, ${TIMES},
  timed as materialized (
    select r.cell_id, r.round, o.disturbed, o.decided, o.counts, l.n as queries, l.median as median_ms,
      1000.0 * c.batch * l.n / nullif(l.total, 0) as images_per_s,
      case when p.cpu > 0 then p.cpu / l.n end as cpu_ms,
      (r.core_latency_before + r.core_latency_after) / 2 as place
    from rounds r
    join cells c on c.id = r.cell_id and c.kind = 'performance' and c.status = 'done'
    join latencies l on l.round_id = r.id
    left join spent p on p.round_id = r.id
    left join v_disturbances o on o.round_id = r.id
  ),
  ${geometric('typical', 'select cell_id, median_ms as value from timed where counts = 1')},
  ${geometric('rate', 'select cell_id, coalesce(images_per_s, 0) as value from timed where counts = 1')},
  ${geometric('processor', 'select cell_id, cpu_ms as value from timed where cpu_ms is not null')},
  ${geometric(
    'faster',
    `select p.cell_id, b.median_ms / nullif(o.median_ms, 0) as value
      from pairs p
      join timed o on o.cell_id = p.cell_id
      join timed b on b.cell_id = p.fp32_cell_id and b.round = o.round
      where o.counts = 1 and b.counts = 1 and o.decided = 1 and b.decided = 1
        and (o.place is null or b.place is null or (o.place <= 1.8 * b.place and b.place <= 1.8 * o.place))`,
  )},
  counted as (
    select cell_id, sum(counts) as rounds, sum(disturbed) as disturbed, max(decided) as decided,
      sum(case when counts = 1 then queries else 0 end) as queries
    from timed group by cell_id
  ),
  begun as (
    select r.cell_id, avg(p.load_ms) as load_ms, avg(p.first_ms) as first_ms
    from rounds r join spent p on p.round_id = r.id group by r.cell_id
  )
  select ${NAMES}, c.batch, c.tier, n.rounds, n.disturbed as disturbed_rounds, n.decided, n.queries,
    t.value as median_ms, t.low as median_low_ms, t.high as median_high_ms,
    i.value as images_per_s, i.low as images_low_per_s, i.high as images_high_per_s,
    u.value as cpu_ms, u.low as cpu_low_ms, u.high as cpu_high_ms,
    f.value as speedup, f.low as speedup_low, f.high as speedup_high, f.n as speedup_rounds,
    s.load_ms, s.first_ms
  from counted n
  join cells c on c.id = n.cell_id ${NAMED}
  left join typical t on t.cell_id = n.cell_id
  left join rate i on i.cell_id = n.cell_id
  left join processor u on u.cell_id = n.cell_id
  left join faster f on f.cell_id = n.cell_id and f.n > 1
  left join begun s on s.cell_id = n.cell_id`,
};
