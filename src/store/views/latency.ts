import { estimate, flag, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { geometric, judged, NAMED, NAMES, seen } from './fragments.js';
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
  sql: (parts) => `with ${seen(parts)}, ${judged(parts)},
  begun as (
    select *, avg(load_ms) over (partition by cell_id) as mean_load_ms,
      avg(first_ms) over (partition by cell_id) as mean_first_ms
    from judged
  ),
  timed as (
    select *, 1000.0 * batch * queries / nullif(total_ms, 0) as images_per_s,
      (core_latency_before + core_latency_after) / 2 as cores
    from begun where kind = 'performance' and status = 'done' and queries is not null
  ),
  beside as (
    select *, ${['median_ms', 'counts', 'decided', 'cores']
      .map((column) => `max(case when recipe = 'fp32' then ${column} end) over same as fp32_${column}`)
      .join(', ')}
    from timed window same as (partition by run_id, device_id, model, batch, round)
  ),
  rounds_of as (
    select *,
      case when counts = 1 then median_ms end as typical,
      case when counts = 1 then coalesce(images_per_s, 0) end as rate,
      case when cpu_total_ms > 0 then cpu_total_ms / queries end as processor,
      case
        when recipe = 'fp32' or counts + fp32_counts + decided + fp32_decided < 4 then null
        when cores > 1.8 * fp32_cores or fp32_cores > 1.8 * cores then null
        else fp32_median_ms / nullif(median_ms, 0)
      end as faster
    from beside
  ),
  ${geometric(
    'figures',
    'rounds_of',
    ['typical', 'rate', 'processor', 'faster'],
    [
      'sum(counts) as rounds, sum(disturbed) as disturbed_rounds, max(decided) as decided',
      'sum(case when counts = 1 then queries else 0 end) as queries',
      'max(mean_load_ms) as load_ms, max(mean_first_ms) as first_ms',
    ],
  )}
  select ${NAMES}, c.batch, c.tier, n.rounds, n.disturbed_rounds, n.decided, n.queries,
    n.typical as median_ms, n.typical_low as median_low_ms, n.typical_high as median_high_ms,
    n.rate as images_per_s, n.rate_low as images_low_per_s, n.rate_high as images_high_per_s,
    n.processor as cpu_ms, n.processor_low as cpu_low_ms, n.processor_high as cpu_high_ms,
    ${['faster', 'faster_low', 'faster_high', 'faster_n']
      .map((column, index) => {
        const name = ['speedup', 'speedup_low', 'speedup_high', 'speedup_rounds'][index] ?? '';
        return `case when n.faster_n > 1 then n.${column} end as ${name}`;
      })
      .join(', ')},
    n.load_ms, n.first_ms
  from figures n join cells c on c.id = n.cell_id ${NAMED}`,
};
