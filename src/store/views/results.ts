import { flag, moment, orNull, real, text, whole, type ColumnDescriptions } from '../description.js';
import { accuracyView } from './accuracy.js';
import { latencyView } from './latency.js';
import { memoryView } from './memory.js';
import { SIZES } from './runs.js';
import type { View } from './view.js';

/** Columns of other views, by name. */
function columnsOf(view: View, ...names: readonly string[]): ColumnDescriptions {
  return Object.fromEntries(
    Object.entries(view.columns)
      .filter(([name]) => names.includes(name))
      .map(([name, column]) => [name, orNull(column)]),
  );
}

const ofAccuracy = columnsOf(
  accuracyView,
  ...['top1', 'top1_low', 'top1_high', 'same_class', 'same_class_low', 'same_class_high', 'lost', 'gained'],
);
const ofLatency = columnsOf(
  latencyView,
  ...['rounds', 'decided', 'median_ms', 'median_low_ms', 'median_high_ms'],
  ...['images_per_s', 'images_low_per_s', 'images_high_per_s', 'speedup', 'speedup_low', 'speedup_high'],
);
const ofMemory = columnsOf(
  memoryView,
  ...['peak_memory_bytes', 'peak_memory_low_bytes', 'peak_memory_high_bytes'],
  ...['memory_ratio', 'memory_ratio_low', 'memory_ratio_high'],
);

const results: ColumnDescriptions = {
  run_id: text('The run.'),
  suite: text('Name of the suite.'),
  started_at: moment('When the run was started.'),
  device: text('Name of the device.'),
  model: text('Name of the model.'),
  recipe: text('Name of the recipe; `fp32` is the baseline.'),
  batch: orNull(whole('Batch size; null for variants that are not timed.', 'images')),
  status: orNull(text('Status of the timed cell; null for variants that are not timed.')),
  synthetic: flag('Whether the weights are random, from a seed.'),
  file_bytes: orNull(whole('As in `v_variants`.', 'bytes')),
  file_ratio: orNull(real('As in `v_variants`.')),
  parameters: orNull(whole('As in `v_variants`.')),
  ...ofAccuracy,
  ...ofLatency,
  ...ofMemory,
};

/** The main table of all runs. */
export const resultsView: View = {
  name: 'v_results',
  question: 'What are the accuracy, speed, memory and size of each variant on each device?',
  note: 'One row per variant, device and batch size: the main table of the reports, over all runs. Figures that do not depend on the batch size are repeated in every row.',
  columns: results,
  sql: () => {
    const of = (alias: string, columns: ColumnDescriptions): string =>
      Object.keys(columns)
        .map((name) => `${alias}.${name}`)
        .join(', ');
    return `with ${SIZES},
    planned as (
      select id, variant_id, device_id, kind, batch, status,
        max(case when kind = 'performance' then 1 else 0 end) over same as is_timed,
        max(case when kind = 'accuracy' and status = 'done' then id end) over same as scored_id,
        row_number() over (partition by variant_id, device_id order by id) as place
      from cells window same as (partition by variant_id, device_id)
    ),
    wanted as materialized (
      select variant_id, device_id, scored_id, case when kind = 'performance' then id end as cell_id,
        case when kind = 'performance' then batch end as batch, case when kind = 'performance' then status end as status
      from planned where kind = 'performance' or (is_timed = 0 and place = 1)
    ),
    accuracies as materialized (select * from v_accuracy),
    latencies as materialized (select * from v_latency),
    memories as materialized (select * from v_memory)
    select r.id as run_id, r.suite, r.started_at, d.name as device, v.model, v.recipe, w.batch, w.status, v.synthetic,
      s.file_bytes, s.file_ratio, s.parameters,
      ${of('a', ofAccuracy)}, ${of('l', ofLatency)}, ${of('m', ofMemory)}
    from wanted w
    join variants v on v.id = w.variant_id
    join devices d on d.id = w.device_id
    join runs r on r.id = v.run_id
    left join sizes s on s.variant_id = w.variant_id and s.device_id = w.device_id
    left join accuracies a on a.cell_id = w.scored_id
    left join latencies l on l.cell_id = w.cell_id
    left join memories m on m.cell_id = w.cell_id`;
  },
};

/** Results over commits. */
export const historyView: View = {
  name: 'v_history',
  question: 'How did results change from commit to commit?',
  note: 'Sort by `started_at`. `edgeflex history` detects the changes.',
  columns: {
    git_commit: orNull(text('Commit of the working copy; null if unknown.')),
    git_branch: orNull(text('Branch; null if unknown or detached.')),
    git_dirty: orNull(flag('Whether tracked files had uncommitted changes.')),
    committed_at: orNull(moment('Time of the commit.')),
    version: text('Version of EdgeFlex.'),
    ...results,
  },
  sql: () => `select g.git_commit, g.git_branch, g.git_dirty, g.committed_at, g.version,
      ${Object.keys(results)
        .map((name) => `x.${name}`)
        .join(', ')}
    from v_results x join v_runs g on g.run_id = x.run_id`,
};
