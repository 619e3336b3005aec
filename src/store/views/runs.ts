import { flag, moment, orNull, real, text, whole } from '../description.js';
import type { View } from './view.js';

/** Runs and how far each is. */
export const runsView: View = {
  name: 'v_runs',
  question: 'Which runs are there, of which commit, and how far is each?',
  columns: {
    run_id: text('The run.'),
    suite: text('Name of the suite.'),
    version: text('Version of EdgeFlex.'),
    started_at: moment('When it was started.'),
    ended_at: orNull(moment('When it ended; null before.')),
    state: text('`unfinished` (also while it is running), `complete`, `partly failed` or `failed`.'),
    git_commit: orNull(text('Commit of the working copy; null if unknown.')),
    git_branch: orNull(text('Branch; null if unknown or detached.')),
    git_dirty: orNull(flag('Whether tracked files had uncommitted changes.')),
    committed_at: orNull(moment('Time of the commit.')),
    images: text('Name of the data set.'),
    test_images: whole('Number of test images.'),
    devices: whole('Number of devices.'),
    variants: whole('Number of variants.'),
    cells: whole('Number of cells.'),
    done: whole('Cells measured.'),
    failed: whole('Cells failed.'),
    unsupported: whole('Cells their device cannot run.'),
    pending: whole('Cells not measured yet.'),
    measured_s: orNull(real('Total duration of all rounds; null before the first.', 's')),
  },
  sql: ({ textIn, numberIn, flagIn }) => {
    const count = (status: string): string =>
      `(select count(*) from cells c where c.run_id = r.id and c.status = '${status}')`;
    return `select r.id as run_id, r.suite, r.version, r.started_at, r.ended_at,
      case
        when r.ended_at is null then 'unfinished'
        when ${count('done')} = 0 then 'failed'
        when ${count('failed')} > 0 then 'partly failed'
        else 'complete'
      end as state,
      ${textIn('r.repository_json', 'commit')} as git_commit,
      ${textIn('r.repository_json', 'branch')} as git_branch,
      ${flagIn('r.repository_json', 'dirty')} as git_dirty,
      ${textIn('r.repository_json', 'committedAt')} as committed_at,
      ${textIn('r.data_json', 'name')} as images,
      ${numberIn('r.data_json', 'testImages')} as test_images,
      (select count(*) from devices d where d.run_id = r.id) as devices,
      (select count(*) from variants v where v.run_id = r.id) as variants,
      (select count(*) from cells c where c.run_id = r.id) as cells,
      ${count('done')} as done, ${count('failed')} as failed,
      ${count('unsupported')} as unsupported, ${count('pending')} as pending,
      (select sum(o.seconds) from rounds o join cells c on c.id = o.cell_id where c.run_id = r.id) as measured_s
    from runs r`;
  },
};

/** Devices and what they were. */
export const devicesView: View = {
  name: 'v_devices',
  question: 'Which hardware and software was it measured on?',
  columns: {
    run_id: text('The run.'),
    device: text('Name of the device.'),
    kind: orNull(text('Kind of device: `local`, `ssh`, `browser` …')),
    processor: orNull(text('Processor model.')),
    logical_cores: orNull(whole('Logical cores; null if unknown.')),
    memory_bytes: orNull(whole('Installed memory; null if unknown.', 'bytes')),
    distribution: orNull(text('Operating system or distribution.')),
    release: orNull(text('Version of the operating system.')),
    architecture: orNull(text('`x64`, `arm64` …')),
    virtual: orNull(flag('Whether it is a virtual machine or a container.')),
    threads: whole('Threads of the runtime.'),
    emulated: flag(
      'Whether it is an emulator or a software GPU: its timings say nothing about the hardware.',
    ),
  },
  sql: ({ textIn, numberIn, flagIn }) => {
    const environment = 'd.environment_json';
    const marks = [
      flagIn('d.profile_json', 'emulated'),
      flagIn(environment, 'emulated'),
      flagIn(environment, 'gpu', 'software'),
    ];
    return `select d.run_id, d.name as device, ${textIn('d.profile_json', 'kind')} as kind,
      ${textIn(environment, 'cpu', 'model')} as processor,
      nullif(${numberIn(environment, 'cpu', 'logicalCores')}, 0) as logical_cores,
      nullif(${numberIn(environment, 'memoryBytes')}, 0) as memory_bytes,
      ${textIn(environment, 'os', 'distribution')} as distribution,
      ${textIn(environment, 'os', 'release')} as release,
      ${textIn(environment, 'os', 'arch')} as architecture,
      ${flagIn(environment, 'virtual')} as virtual,
      d.threads,
      case when ${marks.map((mark) => `coalesce(${mark}, 0) = 1`).join(' or ')} then 1 else 0 end as emulated
    from devices d`;
  },
};

/**
 * Common table expressions with the sizes of each variant on each device, `sizes`: the columns of `v_variants`, and `variant_id` and
 * `device_id`.
 */
export const SIZES = `first_cells as (
    select c.run_id, c.variant_id, c.device_id, d.name as device, v.model, v.recipe, v.synthetic,
      case when v.artifact <> '' then coalesce(c.file_bytes, v.file_bytes) end as file_bytes,
      case when v.artifact <> '' then v.parameters end as parameters,
      row_number() over (partition by c.variant_id, c.device_id order by c.id) as place
    from cells c join variants v on v.id = c.variant_id join devices d on d.id = c.device_id
  ),
  sizes as materialized (
    select s.*,
      cast(file_bytes as double precision)
        / max(case when recipe = 'fp32' then file_bytes end) over same as file_ratio,
      cast(parameters as double precision)
        / max(case when recipe = 'fp32' then parameters end) over same as parameter_ratio
    from first_cells s where place = 1 window same as (partition by run_id, device_id, model)
  )`;

/** Variants and how large they are. */
export const variantsView: View = {
  name: 'v_variants',
  question: 'How large is each variant, and how much smaller than fp32?',
  columns: {
    run_id: text('The run.'),
    device: text('Device; forms can differ between devices.'),
    model: text('Name of the model.'),
    recipe: text('Name of the recipe.'),
    synthetic: flag('Whether the weights are random, from a seed.'),
    file_bytes: orNull(whole('Size of the files the device runs; null if building failed.', 'bytes')),
    file_ratio: orNull(real('Ratio to fp32; null if either is unknown.')),
    parameters: orNull(whole('Number of parameters; null if building failed.')),
    parameter_ratio: orNull(real('Ratio to fp32; null if either is unknown.')),
  },
  sql: () => `with ${SIZES}
  select s.run_id, s.device, s.model, s.recipe, s.synthetic, s.file_bytes, s.file_ratio, s.parameters, s.parameter_ratio
  from sizes s`,
};
