import { flag, orNull, real, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { medians, NAMED, NAMES } from './fragments.js';
import type { View } from './view.js';

/** What disturbed the timed rounds: `soundOf` of `protocol/` in SQL. */
export const disturbancesView: View = {
  name: 'v_disturbances',
  question: 'Which rounds were disturbed by other processes, and which rounds count?',
  columns: {
    ...cellColumns,
    round_id: whole('The round: `rounds.id`.'),
    round: whole('Counts from 0.'),
    other_cores: orNull(
      real('CPU time of other processes while queries were timed; null if not reported.', 'cores'),
    ),
    moved: orNull(flag('Whether the placement of the cores changed during the round; null if not measured.')),
    slow_share: orNull(
      real(
        'Share of the time in which the core was slower than usual; null with fewer than ten observations.',
      ),
    ),
    throttled: flag('Whether the processor was throttled.'),
    disturbed: flag('Whether any of these exceeds its limit.'),
    decided: flag('Whether enough rounds of the cell were undisturbed for a verdict on its latency.'),
    counts: flag(
      "Whether the cell's figures include it: undisturbed rounds, or all rounds if too few are undisturbed.",
    ),
  },
  sql: ({ numberIn, lengthIn, joinNumbers }) => {
    const seen = 'conditions_json';
    return `with timed as (
      select r.id as round_id, r.cell_id, r.round, r.core_latency_before, r.core_latency_after
      from rounds r
      where exists (select 1 from samples s where s.round_id = r.id)
        or exists (select 1 from trials t where t.round_id = r.id)
    ),
    spans as (
      select round_id, phase, ${numberIn(seen, 'at')} - coalesce(lag(${numberIn(seen, 'at')})
          over (partition by round_id order by sequence), 0) as span,
        ${numberIn(seen, 'otherLoad')} + coalesce(${numberIn(seen, 'stolen')}, 0) as cores
      from conditions
      where ${numberIn(seen, 'otherLoad')} is not null
    ),
    loads as (
      select round_id, sum(span * cores) / nullif(sum(span), 0) as cores
      from spans where phase = 'steady' group by round_id
    ),
    held as (
      select round_id, max(${lengthIn(seen, 'throttling')}) as reasons
      from conditions where phase = 'steady' group by round_id
    ),
    paces as (
      select t.cell_id, t.round_id, pace.value
      from timed t join conditions c on c.round_id = t.round_id
      ${joinNumbers('c.conditions_json', ['paces'], 'pace')}
      where c.phase = 'steady'
    ),
    ${medians('round_paces', 'cell_id, round_id', 'select cell_id, round_id, value from paces')},
    ${medians('usual', 'cell_id', 'select cell_id, median as value from round_paces')},
    slow as (
      select p.round_id, sum(case when p.value > 1.15 * u.median then 1.0 else 0.0 end) / count(*) as share,
        count(*) as looks
      from paces p join usual u on u.cell_id = p.cell_id group by p.round_id
    ),
    known as (
      select t.round_id, t.cell_id, t.round, loads.cores as other_cores,
        case
          when t.core_latency_before is null or t.core_latency_after is null then null
          when t.core_latency_before > 1.8 * t.core_latency_after
            or t.core_latency_after > 1.8 * t.core_latency_before then 1
          else 0
        end as moved,
        case when slow.looks >= 10 then slow.share end as slow_share,
        case when held.reasons > 0 then 1 else 0 end as throttled
      from timed t
      left join loads on loads.round_id = t.round_id
      left join held on held.round_id = t.round_id
      left join slow on slow.round_id = t.round_id
    ),
    judged as (
      select known.*,
        case when other_cores > 0.15 or moved = 1 or slow_share > 0.15 or throttled = 1 then 1 else 0 end as disturbed
      from known
    ),
    counted as (
      select judged.*, sum(disturbed) over (partition by cell_id) as bad, count(*) over (partition by cell_id) as n
      from judged
    )
    select ${NAMES}, o.round_id, o.round, o.other_cores, o.moved, o.slow_share, o.throttled, o.disturbed,
      case when o.bad = 0 or (o.n - o.bad) * 2 > o.n then 1 else 0 end as decided,
      case when o.disturbed = 0 or (o.n - o.bad) * 2 <= o.n then 1 else 0 end as counts
    from counted o join cells c on c.id = o.cell_id ${NAMED}`;
  },
};
