import { flag, orNull, real, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { judged, NAMED_SO, seen } from './fragments.js';
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
  sql: (parts) => `with ${seen(parts)}, ${judged(parts)}
    select ${NAMED_SO}, o.round_id, o.round, o.other_cores, o.moved, o.slow_share, o.throttled, o.disturbed,
      o.decided, o.counts
    from judged o where o.is_timed = 1 order by o.round_id`,
};
