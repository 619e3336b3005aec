import { flag, moment, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { judged, NAMED_SO, PEAKS, seen } from './fragments.js';
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
  sql: (parts) => {
    const ofTimed = (column: string): string => `case when o.is_timed = 1 then o.${column} end as ${column}`;
    return `with ${seen(parts)}, ${judged(parts)}, ${PEAKS}
    select ${NAMED_SO}, o.kind, o.batch, o.round_id, o.round, r.position, r.started_at, r.seconds,
      coalesce(o.queries, 0) as queries, o.median_ms,
      1000.0 * o.batch * o.queries / nullif(o.total_ms, 0) as images_per_s,
      case when o.cpu_total_ms > 0 then o.cpu_total_ms / o.queries end as cpu_ms,
      o.load_ms, o.first_ms,
      h.means as memory_means, h.peak as peak_memory_bytes, h.base as base_memory_bytes,
      r.steady, ${['disturbed', 'decided', 'counts'].map(ofTimed).join(', ')}
    from judged o join rounds r on r.id = o.round_id
    left join peaks h on h.round_id = o.round_id order by o.round_id`;
  },
};
