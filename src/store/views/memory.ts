import { estimate, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { geometric, NAMED, NAMES, PAIRS, PEAKS } from './fragments.js';
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
  sql: () => `with ${PAIRS},
  ${PEAKS},
  told as materialized (
    select r.cell_id, r.round, h.means as memory_means, h.peak as peak_memory_bytes, h.base as base_memory_bytes
    from peaks h join rounds r on r.id = h.round_id join cells c on c.id = r.cell_id
    where c.kind = 'performance' and c.status = 'done' and h.means is not null
      and c.id in (select t.cell_id from rounds t where exists (select 1 from samples s where s.round_id = t.id))
  ),
  ranges as (
    select cell_id, count(*) as n, min(memory_means) as means, avg(peak_memory_bytes) as mean,
      min(peak_memory_bytes) as least, max(peak_memory_bytes) as most
    from told group by cell_id having count(distinct memory_means) = 1
  ),
  ${geometric('peak', 'select cell_id, peak_memory_bytes as value from told')},
  ${geometric('base', 'select cell_id, base_memory_bytes as value from told')},
  ${geometric(
    'paired',
    `select p.cell_id,
        case when o.peak_memory_bytes > 0 and b.peak_memory_bytes > 0
          then o.peak_memory_bytes / cast(b.peak_memory_bytes as double precision) else 0 end as value
      from pairs p
      join ranges mine on mine.cell_id = p.cell_id
      join ranges theirs on theirs.cell_id = p.fp32_cell_id and theirs.means = mine.means
      join told o on o.cell_id = p.cell_id
      join told b on b.cell_id = p.fp32_cell_id and b.round = o.round
      where mine.least > 0 and theirs.least > 0`,
  )},
  alone as (
    select p.cell_id, mine.value / theirs.value as value
    from pairs p
    join ranges a on a.cell_id = p.cell_id
    join ranges b on b.cell_id = p.fp32_cell_id and b.means = a.means
    join peak mine on mine.cell_id = p.cell_id
    join peak theirs on theirs.cell_id = p.fp32_cell_id
  )
  select ${NAMES}, c.batch, g.n as rounds, g.means as memory_means,
    coalesce(k.value, g.mean) as peak_memory_bytes,
    coalesce(k.low, g.least) as peak_memory_low_bytes, coalesce(k.high, g.most) as peak_memory_high_bytes,
    g.most as most_memory_bytes, e.value as base_memory_bytes,
    coalesce(r.value, a.value) as memory_ratio,
    coalesce(r.low, a.value) as memory_ratio_low, coalesce(r.high, a.value) as memory_ratio_high
  from ranges g
  join cells c on c.id = g.cell_id ${NAMED}
  left join peak k on k.cell_id = g.cell_id
  left join base e on e.cell_id = g.cell_id
  left join paired r on r.cell_id = g.cell_id and r.n > 1
  left join alone a on a.cell_id = g.cell_id`,
};
