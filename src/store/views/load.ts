import { orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { NAMED, NAMES } from './fragments.js';
import type { View } from './view.js';

/** What happened at each rate that was tried: `stats/load.ts` in SQL. */
export const trialsView: View = {
  name: 'v_trials',
  question: 'What are the response times at each rate tried under load?',
  columns: {
    ...cellColumns,
    kind: text('`server`: queries arrive at random times. `offline`: all are available from the start.'),
    batch: whole('Batch size.', 'images'),
    bound_ms: orNull(real('Bound of the p99; null for `offline`.', 'ms')),
    round: whole('Counts from 0.'),
    trial: whole('Counts from 0.'),
    rate: orNull(real('Arrival rate; null for `offline`.', 'queries/s')),
    planned: whole('Queries planned.'),
    served: whole('Queries served.'),
    service_ms: orNull(real('Mean service time; null if no query was served.', 'ms')),
    response_p99_ms: orNull(
      real(
        'p99 of the response time, median-unbiased; null for `offline`, and if queries are missing.',
        'ms',
      ),
    ),
    busy_share: orNull(real('Utilisation: arrival rate times mean service time; null for `offline`.')),
    images_per_s: orNull(real('Throughput until the last query ends; null for `server`.', 'images/s')),
  },
  sql: () => `with ranked as (
    select round_id, trial, ended - scheduled as response, ended - started as service, ended,
      row_number() over (partition by round_id, trial order by ended - scheduled) as place,
      count(*) over (partition by round_id, trial) as n
    from served
  ),
  wanted as (
    select ranked.*,
      case when (n + 1.0 / 3) * 0.99 + 1.0 / 3 < n then (n + 1.0 / 3) * 0.99 + 1.0 / 3 else n end as wanted_place
    from ranked
  ),
  sums as (
    select round_id, trial, count(*) as served, avg(service) as service, max(ended) as last,
      sum(case
        when place = floor(wanted_place) then response * (1 - (wanted_place - floor(wanted_place)))
        when place = floor(wanted_place) + 1 then response * (wanted_place - floor(wanted_place))
        else 0
      end) as tail
    from wanted group by round_id, trial
  )
  select ${NAMES}, c.kind, c.batch, c.bound_ms, r.round, t.trial, t.rate, t.planned,
    coalesce(s.served, 0) as served, s.service as service_ms,
    case when t.rate is not null and s.served >= t.planned then s.tail end as response_p99_ms,
    t.rate / 1000 * s.service as busy_share,
    case when t.rate is null then 1000.0 * c.batch * s.served / nullif(s.last, 0) end as images_per_s
  from trials t join rounds r on r.id = t.round_id join cells c on c.id = r.cell_id ${NAMED}
  left join sums s on s.round_id = t.round_id and s.trial = t.trial`,
};
