/*
 * Parts of queries that several views have in common. They say in SQL what `analysis/` says in TypeScript; test/store/views.test.ts holds
 * the two against each other.
 */

/** The 97.5 % quantile of the normal distribution. */
const NORMAL = 1.959963984540054;

/** The 97.5 % quantiles of Student's distribution with 1, 2, 3 … degrees of freedom. */
const STUDENT = [
  12.706204736172367, 4.302652729749752, 3.1824463052844294, 2.776445105198036, 2.570581835635494,
  2.4469118511451597, 2.3646242515924314, 2.306004135204603, 2.2621571627978483, 2.2281388519868415,
  2.200985160091477, 2.1788128296675495, 2.1603686564621967, 2.1447866879179855, 2.131449545559917,
  2.1199052992205907, 2.109815577833615, 2.1009220402402207, 2.093024054408488, 2.0859634472662947,
  2.0796138447285557, 2.0738730679031505, 2.0686576104189953, 2.0638985616287755, 2.0595385527531107,
  2.0555294386422247, 2.05183051647964, 2.0484071417949963, 2.0452296421326537, 2.042272456300452,
];

/**
 * The 97.5 % quantile of Student's distribution: from a table, and beyond it by Cornish and Fisher's expansion to the fourth order
 * (Abramowitz & Stegun, 26.7.5), which is off by less than 10⁻⁷ there.
 *
 * @param freedom - degrees of freedom, in SQL
 */
function student(freedom: string): string {
  const z = NORMAL;
  const terms = [
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  const one = `nullif(${freedom}, 0)`;
  const [a, b, c, d] = terms.map(String);
  const beyond = `${z} + (${a} + (${b} + (${c} + ${d} / ${one}) / ${one}) / ${one}) / ${one}`;
  const known = STUDENT.map((quantile, index) => `when ${index + 1} then ${quantile}`).join(' ');
  return `case ${freedom} ${known} else ${beyond} end`;
}

/**
 * A common table expression with the geometric mean of some values of each cell and Student's 95 % interval, as `geometricMean` of
 * `stats/` takes it: columns `cell_id`, `n`, `value`, `low`, `high`. A cell of which a value is not above 0 has no row.
 *
 * @param name - of the expression
 * @param values - a query for `cell_id` and `value`
 */
export function geometric(name: string, values: string): string {
  const half = `coalesce((${student('(count(*) - 1)')}) * sqrt(sum(d * d) / nullif(count(*) - 1, 0) / count(*)), 0)`;
  return `${name} as (
    select cell_id, count(*) as n, exp(avg(x)) as value, exp(avg(x) - ${half}) as low, exp(avg(x) + ${half}) as high
    from (
      select cell_id, value, x, x - avg(x) over (partition by cell_id) as d
      from (select cell_id, value, case when value > 0 then ln(value) end as x from (${values}) given) logs
    ) deviations
    group by cell_id
    having min(value) > 0
  )`;
}

/**
 * The ends of Wilson's 95 % interval of a share, as `wilson` of `stats/` takes it.
 *
 * @param successes - in SQL
 * @param trials - in SQL, at least 1
 */
export function wilson(successes: string, trials: string): { readonly low: string; readonly high: string } {
  const z = NORMAL;
  const [n, p] = [
    `cast(${trials} as double precision)`,
    `(${successes} / cast(${trials} as double precision))`,
  ];
  const centre = `(${p} + ${z ** 2} / (2 * ${n}))`;
  const half = `${z} * sqrt(${p} * (1 - ${p}) / ${n} + ${z ** 2} / (4 * ${n} * ${n}))`;
  const whole = `(1 + ${z ** 2} / ${n})`;
  return {
    // At 0 and 1 rounding must not part the share from its interval.
    low: `case when ${successes} = 0 then 0.0 else (${centre} - ${half}) / ${whole} end`,
    high: `case when ${successes} = ${trials} then 1.0 else (${centre} + ${half}) / ${whole} end`,
  };
}

/**
 * A common table expression with the median of the values of each group: columns of the group, `median` and `n`.
 *
 * @param name - of the expression
 * @param group - columns of the group, separated by commas
 * @param values - a query for the columns of the group and `value`
 */
export function medians(name: string, group: string, values: string): string {
  return `${name} as (
    select ${group}, avg(value) as median, max(n) as n
    from (
      select ${group}, value, row_number() over (partition by ${group} order by value) as place,
        count(*) over (partition by ${group}) as n
      from (${values}) given
    ) ranked
    where place in ((n + 1) / 2, (n + 2) / 2)
    group by ${group}
  )`;
}

/**
 * A common table expression with each done cell and the done cell of fp32 in the same scenario on the same device: `cell_id`,
 * `fp32_cell_id`. Cells of fp32 itself have no row.
 */
export const PAIRS = `pairs as materialized (
    select c.id as cell_id, b.id as fp32_cell_id
    from cells c
    join variants v on v.id = c.variant_id
    join variants w on w.run_id = v.run_id and w.model = v.model and w.recipe = 'fp32'
    join cells b on b.variant_id = w.id and b.device_id = c.device_id and b.kind = c.kind and b.batch = c.batch
    where v.recipe <> 'fp32' and c.status = 'done' and b.status = 'done'
  )`;

/** What names a cell, after `c` of `cells`: its run, device, model and recipe. */
export const NAMES = 'c.run_id, c.id as cell_id, d.name as device, v.model, v.recipe';

/** What `NAMES` needs beside `cells c`. */
export const NAMED = 'join variants v on v.id = c.variant_id join devices d on d.id = c.device_id';

/**
 * Common table expressions with the time of the queries of each round: `latencies` (`round_id`, `n`, `total`, `median`) and `spent`
 * (`round_id`, `load_ms`, `first_ms`, `cpu`). The median is looked for round by round: sorting few values many times takes less than
 * numbering all samples of all runs. Without `materialized` SQLite would look for it wherever it is named.
 */
export const TIMES = `sums as (select round_id, count(*) as n, sum(milliseconds) as total from samples group by round_id),
    latencies as materialized (
      select s.round_id, s.n, s.total,
        (
          select avg(value)
          from (
            select milliseconds as value, row_number() over (order by milliseconds) as place
            from samples own where own.round_id = s.round_id
          ) ranked
          where place in ((s.n + 1) / 2, (s.n + 2) / 2)
        ) as median
      from sums s
    ),
    spent as (
      select round_id,
        max(case when phase = 'load' then milliseconds end) as load_ms,
        max(case when phase = 'first' then milliseconds end) as first_ms,
        max(case when phase = 'steady' then cpu_milliseconds end) as cpu
      from phases group by round_id
    )`;

const peakOf = (phase: string, name: string): string =>
  `max(case when m.phase = '${phase}' and m.figure = ${name} then m.bytes end)`;

const onGpu = (phase: string, name: string): string =>
  `coalesce(max(case when n.family = 'renderers' and m.phase = '${phase}' and m.figure = '${name}' then m.bytes end), 0)`;

/**
 * Common table expressions with the memory of each round, `peaks`: `round_id`, `means`, `peak` above the base while loading and in the first
 * run, `base`. Null where one of them was not reported.
 */
export const PEAKS = `figures as (
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
        ${peakOf('prepare', 'n.resident')} + ${onGpu('prepare', 'gpuBuffers')} as base,
        ${peakOf('load', 'n.peak')} + ${onGpu('load', 'peakGpuBuffers')} as loading,
        ${peakOf('first', 'n.peak')} + ${onGpu('first', 'peakGpuBuffers')} as first
      from named n join memory m on m.round_id = n.round_id group by n.round_id
    ),
    peaks as (
      select round_id,
        case when base is not null and loading is not null and first is not null then means end as means,
        case when loading > first then loading when loading is not null then first end - base as peak,
        case when loading is not null and first is not null then base end as base
      from held
    )`;
