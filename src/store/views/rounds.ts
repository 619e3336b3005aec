import { flag, moment, orNull, real, text, whole } from '../description.js';
import { cellColumns } from './cells.js';
import { medians, NAMED, NAMES } from './fragments.js';
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
  sql: () => {
    const figure = (phase: string, name: string): string =>
      `max(case when m.phase = '${phase}' and m.figure = ${name} then m.bytes end)`;
    const onGpu = (phase: string, name: string): string =>
      `coalesce(max(case when n.family = 'renderers' and m.phase = '${phase}' and m.figure = '${name}' then m.bytes end), 0)`;
    return `with ${medians('latencies', 'round_id', 'select round_id, milliseconds as value from samples')},
    sums as (select round_id, count(*) as n, sum(milliseconds) as total from samples group by round_id),
    spent as (
      select round_id,
        max(case when phase = 'load' then milliseconds end) as load_ms,
        max(case when phase = 'first' then milliseconds end) as first_ms,
        max(case when phase = 'steady' then cpu_milliseconds end) as cpu
      from phases group by round_id
    ),
    figures as (
      select round_id, max(case when figure = 'renderersPeakResident' then 1 else 0 end) as of_renderers,
        max(case when figure = 'peakResident' then 1 else 0 end) as of_process
      from memory group by round_id
    ),
    means as (
      select r.id as round_id,
        case
          when r.memory_means is not null then r.memory_means
          when f.of_renderers = 1 then 'renderers-of-phase'
          when coalesce(f.of_process, 0) = 0 then null
          when r.peak_is_of_phase = 1 then 'vmhwm-of-phase'
          when r.platform is null or r.platform like 'linux%' then 'vmhwm-of-process'
          when r.platform like 'win32%' then 'working-set-of-process'
          else 'rusage-of-process'
        end as means
      from rounds r left join figures f on f.round_id = r.id
    ),
    named as (
      select round_id, means,
        case when means like 'renderers%' then 'renderers' when means like 'cgroup%' then 'group' else 'process' end
          as family,
        case when means like 'renderers%' then 'renderersResident' when means like 'cgroup%' then 'groupCurrent'
          else 'resident' end as resident,
        case when means like 'renderers%' then 'renderersPeakResident' when means like 'cgroup%' then 'groupPeak'
          else 'peakResident' end as peak
      from means where means is not null
    ),
    held as (
      select n.round_id, max(n.means) as means,
        ${figure('prepare', 'n.resident')} + ${onGpu('prepare', 'gpuBuffers')} as base,
        ${figure('load', 'n.peak')} + ${onGpu('load', 'peakGpuBuffers')} as loading,
        ${figure('first', 'n.peak')} + ${onGpu('first', 'peakGpuBuffers')} as first
      from named n join memory m on m.round_id = n.round_id group by n.round_id
    )
    select ${NAMES}, c.kind, c.batch, r.id as round_id, r.round, r.position, r.started_at, r.seconds,
      coalesce(s.n, 0) as queries, l.median as median_ms,
      1000.0 * c.batch * s.n / nullif(s.total, 0) as images_per_s,
      case when p.cpu > 0 and s.n > 0 then p.cpu / s.n end as cpu_ms,
      p.load_ms, p.first_ms,
      case when h.base is not null and h.loading is not null and h.first is not null then h.means end as memory_means,
      case when h.loading > h.first then h.loading when h.loading is not null then h.first end - h.base
        as peak_memory_bytes,
      case when h.loading is not null and h.first is not null then h.base end as base_memory_bytes,
      r.steady, o.disturbed, o.decided, o.counts
    from rounds r join cells c on c.id = r.cell_id ${NAMED}
    left join latencies l on l.round_id = r.id
    left join sums s on s.round_id = r.id
    left join spent p on p.round_id = r.id
    left join held h on h.round_id = r.id
    left join v_disturbances o on o.round_id = r.id`;
  },
};
