import { estimate, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { geometric, NAMED, NAMES, PEAKS } from './fragments.js';
import type { View } from './view.js';

/** How much memory variants take: `memoryOf` of `analysis/` in SQL. */
export const memoryView: View = {
  name: 'v_memory',
  question: 'How much memory does each variant take, and how much less than fp32?',
  note: 'Finished cells of kind `performance` whose memory was measured in the same way in all rounds.',
  columns: {
    ...cellColumns,
    batch: whole('Batch size.', 'images'),
    rounds: whole('Rounds with a memory figure.'),
    memory_means: text('How memory was measured; only figures measured in the same way are compared.'),
    ...estimate(
      'peak_memory_bytes',
      "Peak while loading and in the first run, above the runtime's base: geometric mean over the rounds with Student's interval; mean and range if a round is not above the base.",
      'bytes',
    ),
    most_memory_bytes: whole('Largest peak of a round, above the base.', 'bytes'),
    base_memory_bytes: orNull(
      real('Memory before the model was loaded: geometric mean over the rounds.', 'bytes'),
    ),
    ...estimate(
      'memory_ratio',
      'Peak over that of fp32, round by round; null for fp32, if a peak is not above the base, and if they were measured in different ways.',
    ),
  },
  sql: ({ hasSamples }) => `with ${PEAKS},
  told as materialized (
    select h.cell_id, h.round, h.means, h.peak, h.base, c.run_id, c.device_id, v.model, v.recipe, c.kind, c.batch,
      c.status, (select min(t.id) from rounds t where t.cell_id = c.id and ${hasSamples('t.id')}) as timed_round
    from peaks h join cells c on c.id = h.cell_id join variants v on v.id = c.variant_id
  ),
  done as (
    select *, min(peak) over cell as least, min(means) over cell as least_means, max(means) over cell as most_means
    from told
    where kind = 'performance' and status = 'done' and means is not null and timed_round is not null
    window cell as (partition by cell_id)
  ),
  beside as (
    select *, max(case when recipe = 'fp32' then means end) over same as fp32_means,
      min(case when recipe = 'fp32' then peak end) over same as fp32_least,
      max(case when recipe = 'fp32' then peak end) over same_round as fp32_peak
    from done where least_means = most_means
    window same as (partition by run_id, device_id, model, batch),
      same_round as (partition by run_id, device_id, model, batch, round)
  ),
  rounds_of as (
    select *,
      case
        when recipe <> 'fp32' and fp32_means = means and least > 0 and fp32_least > 0
          then peak / cast(fp32_peak as double precision)
      end as ratio
    from beside
  ),
  ${geometric(
    'figures',
    'rounds_of',
    ['peak', 'base', 'ratio'],
    [
      'min(run_id) as run_id, min(device_id) as device_id, min(model) as model, min(recipe) as recipe',
      'min(batch) as batch, count(*) as rounds, min(means) as means, max(fp32_means) as fp32_means',
      'avg(peak) as mean_peak, min(peak) as least_peak, max(peak) as most_peak',
    ],
  )},
  compared as (
    select *, case when recipe <> 'fp32' and fp32_means = means then peak end
      / max(case when recipe = 'fp32' then peak end) over (partition by run_id, device_id, model, batch) as alone
    from figures
  )
  select ${NAMES}, c.batch, g.rounds, g.means as memory_means,
    coalesce(g.peak, g.mean_peak) as peak_memory_bytes,
    coalesce(g.peak_low, g.least_peak) as peak_memory_low_bytes,
    coalesce(g.peak_high, g.most_peak) as peak_memory_high_bytes,
    g.most_peak as most_memory_bytes, g.base as base_memory_bytes,
    ${['ratio', 'ratio_low', 'ratio_high']
      .map((column) => `coalesce(case when g.ratio_n > 1 then g.${column} end, g.alone) as memory_${column}`)
      .join(', ')}
  from compared g join cells c on c.id = g.cell_id ${NAMED}`,
};
