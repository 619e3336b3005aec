import { flag, moment, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { NAMED, NAMES, PEAKS, TIMES } from './fragments.js';
import type { View } from './view.js';

/** Rounds with a figure of each kind: what the figures of cells are taken from. */
export const roundsView: View = {
  name: 'v_rounds',
  question: 'What did each round measure?',
  columns: {
    ...cellColumns,
    kind: text('Kind of cell.'),
    batch: whole('Batch size.', 'images'),
    round_id: whole('The round: `rounds.id`.'),
    round: whole('Counts from 0.'),
    position: whole("Position in the run's order."),
    started_at: moment('When it was started.'),
    seconds: real('Total duration.', 's'),
    queries: whole('Number of timed queries.'),
    median_ms: orNull(real('Median latency; null without timed queries.', 'ms')),
    images_per_s: orNull(
      real('Images over the total time of the queries; null without timed queries.', 'images/s'),
    ),
    cpu_ms: orNull(real('CPU time per query, all threads; null if not reported.', 'ms')),
    load_ms: orNull(real('Time to load the model; null if not measured.', 'ms')),
    first_ms: orNull(real('Time of the first run; null if not measured.', 'ms')),
    memory_means: orNull(text('How memory was measured; null if it was not.')),
    peak_memory_bytes: orNull(
      whole(
        "Peak while loading and in the first run, above the runtime's base; null if not reported.",
        'bytes',
      ),
    ),
    base_memory_bytes: orNull(whole('Memory before the model was loaded; null if not reported.', 'bytes')),
    steady: orNull(flag('Whether the warm-up reached a steady state; null if nothing was timed.')),
    disturbed: orNull(flag('As in `v_disturbances`; null if nothing was timed.')),
    decided: orNull(flag('As in `v_disturbances`; null if nothing was timed.')),
    counts: orNull(flag('As in `v_disturbances`; null if nothing was timed.')),
  },
  sql: () => `with ${TIMES}, ${PEAKS}
    select ${NAMES}, c.kind, c.batch, r.id as round_id, r.round, r.position, r.started_at, r.seconds,
      coalesce(l.n, 0) as queries, l.median as median_ms,
      1000.0 * c.batch * l.n / nullif(l.total, 0) as images_per_s,
      case when p.cpu > 0 and l.n > 0 then p.cpu / l.n end as cpu_ms,
      p.load_ms, p.first_ms,
      h.means as memory_means, h.peak as peak_memory_bytes, h.base as base_memory_bytes,
      r.steady, o.disturbed, o.decided, o.counts
    from rounds r join cells c on c.id = r.cell_id ${NAMED}
    left join latencies l on l.round_id = r.id
    left join spent p on p.round_id = r.id
    left join peaks h on h.round_id = r.id
    left join v_disturbances o on o.round_id = r.id`,
};
