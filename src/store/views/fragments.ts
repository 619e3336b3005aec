import type { SqlParts } from './parts.js';

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
 * Common table expressions with geometric means of some values of each cell and Student's 95 % intervals, as `geometricMean` of `stats/`
 * takes them: for a value `x` the columns `x`, `x_low`, `x_high` and `x_n`, how many there are. Null where one of them is not above 0,
 * and where there is none. All in one pass, since joining what a database cannot foresee the size of can take as long as all rows squared.
 *
 * @param name - of the last expression, which has `cell_id` and what is wanted beside it
 * @param source - of the values: a table with `cell_id`
 * @param values - columns
 * @param beside - aggregates that are wanted, too: `count(*) as rounds`
 */
export function geometric(
  name: string,
  source: string,
  values: readonly string[],
  beside: readonly string[],
): string {
  const each = (text: (value: string) => string): string => values.map(text).join(', ');
  const half = (x: string): string =>
    `coalesce((${student(`(${x}_n - 1)`)}) * sqrt(${x}_squares / nullif(${x}_n - 1, 0) / ${x}_n), 0)`;
  const end = (x: string, sign: string): string => `case when ${x}_least > 0 then exp(${x}_mean ${sign}) end`;
  return `${name}_logs as (
    select *, ${each((x) => `case when ${x} > 0 then ln(${x}) end as ${x}_log`)} from ${source}
  ),
  ${name}_deviations as (
    select *, ${each((x) => `${x}_log - avg(${x}_log) over (partition by cell_id) as ${x}_off`)} from ${name}_logs
  ),
  ${name}_sums as (
    select cell_id, ${beside.map((column) => `${column}, `).join('')}
      ${each((x) => `count(${x}) as ${x}_n, min(${x}) as ${x}_least, avg(${x}_log) as ${x}_mean, sum(${x}_off * ${x}_off) as ${x}_squares`)}
    from ${name}_deviations group by cell_id
  ),
  ${name} as materialized (
    select *, ${each((x) => `${end(x, '')} as ${x}, ${end(x, `- ${half(x)}`)} as ${x}_low, ${end(x, `+ ${half(x)}`)} as ${x}_high`)}
    from ${name}_sums
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

/** What names a cell, after columns of one of the expressions here. */
export const NAMED_SO = 'o.run_id, o.cell_id, o.device, o.model, o.recipe';

/**
 * Common table expressions with every round and its cell: `seen`, whose `is_timed` is 1 where queries were timed. It is joined before
 * anything is chosen from it: a server without statistics takes a choice for one of next to nothing, and then goes through the other side
 * of a join once for each row.
 *
 * @param parts - what the database says in a way of its own
 */
export function seen({ latencies }: SqlParts): string {
  const spent = (phase: string, column: string): string =>
    `(select max(p.${column}) from phases p where p.round_id = r.id and p.phase = '${phase}')`;
  return `latencies as materialized (${latencies}),
  seen as materialized (
    select r.id as round_id, r.cell_id, r.round, r.core_latency_before, r.core_latency_after,
      c.run_id, c.device_id, d.name as device, v.model, v.recipe, c.kind, c.batch, c.status,
      l.n as queries, l.total as total_ms, l.median as median_ms,
      case
        when l.n is not null or exists (select 1 from trials t where t.round_id = r.id) then 1
        else 0
      end as is_timed,
      ${spent('load', 'milliseconds')} as load_ms,
      ${spent('first', 'milliseconds')} as first_ms,
      ${spent('steady', 'cpu_milliseconds')} as cpu_total_ms
    from rounds r join cells c on c.id = r.cell_id ${NAMED}
    left join latencies l on l.round_id = r.id
  )`;
}

/**
 * Common table expressions with what disturbed rounds, after `seen`: `judged` has its columns and `other_cores`, `moved`, `slow_share`,
 * `throttled`, `disturbed`, `decided` and `counts`, which say something of rounds that are timed alone.
 *
 * @param parts - what the database says in a way of its own
 */
export function judged({ numberIn, lengthIn, joinNumbers }: SqlParts): string {
  const json = 'c.conditions_json';
  const at = numberIn(json, 'at');
  const other = numberIn(json, 'otherLoad');
  const paces = `conditions c ${joinNumbers(json, ['paces'], 'pace')}`;
  const steady = (round: string): string => `c.round_id = ${round} and c.phase = 'steady'`;
  /** The median of `column` over rows that are numbered by it in `place`, of `n`. */
  const middle = 'place in ((n + 1) / 2, (n + 2) / 2)';
  return `looked as materialized (
    select s.*,
      (
        select sum(span * cores) / nullif(sum(span), 0)
        from (
          select c.phase, ${at} - coalesce(lag(${at}) over (order by c.sequence), 0) as span,
            ${other} + coalesce(${numberIn(json, 'stolen')}, 0) as cores
          from conditions c where c.round_id = s.round_id and ${other} is not null
        ) spans
        where phase = 'steady'
      ) as other_cores,
      (select max(${lengthIn(json, 'throttling')}) from conditions c where ${steady('s.round_id')}) as reasons,
      (
        select avg(value)
        from (
          select pace.value, row_number() over (order by pace.value) as place, count(*) over () as n
          from ${paces} where ${steady('s.round_id')}
        ) ranked
        where ${middle}
      ) as pace
    from seen s
  ),
  placed as (
    select *, row_number() over (partition by cell_id, is_timed order by pace is null, pace) as place,
      count(pace) over (partition by cell_id, is_timed) as n
    from looked
  ),
  usual as (
    select *, avg(case when ${middle} then pace end) over (partition by cell_id, is_timed) as usual_pace from placed
  ),
  known as (
    select u.*,
      case
        when core_latency_before is null or core_latency_after is null then null
        when core_latency_before > 1.8 * core_latency_after or core_latency_after > 1.8 * core_latency_before then 1
        else 0
      end as moved,
      (
        select case when count(*) >= 10 then
          sum(case when pace.value > 1.15 * u.usual_pace then 1.0 else 0.0 end) / count(*) end
        from ${paces} where ${steady('u.round_id')}
      ) as slow_share,
      case when reasons > 0 then 1 else 0 end as throttled
    from usual u
  ),
  found as (
    select *,
      case when other_cores > 0.15 or moved = 1 or slow_share > 0.15 or throttled = 1 then 1 else 0 end as disturbed
    from known
  ),
  counted as (
    select *, sum(disturbed) over (partition by cell_id, is_timed) as bad,
      count(*) over (partition by cell_id, is_timed) as looked_at
    from found
  ),
  judged as materialized (
    select *,
      case when bad = 0 or (looked_at - bad) * 2 > looked_at then 1 else 0 end as decided,
      case when disturbed = 0 or (looked_at - bad) * 2 <= looked_at then 1 else 0 end as counts
    from counted
  )`;
}

/** How the figures of a family of processes are called: at rest, and the highest. */
const FAMILIES = {
  process: ['resident', 'peakResident'],
  renderers: ['renderersResident', 'renderersPeakResident'],
  group: ['groupCurrent', 'groupPeak'],
} as const;

const ofFamilies = (text: (resting: string, highest: string) => string): string =>
  `case family ${Object.entries(FAMILIES)
    .map(([family, [resting, highest]]) => `when '${family}' then ${text(resting, highest)}`)
    .join(' ')} end`;

const mostOf = (phase: string, figure: string): string => `${phase}_${figure}`;

const onGpu = (phase: string, figure: string): string =>
  `case when family = 'renderers' then coalesce(${mostOf(phase, figure)}, 0) else 0 end`;

/** What a round reported in a phase, by the name of its column. */
const REPORTED: readonly (readonly [phase: string, figure: string])[] = [
  ['prepare', 'gpuBuffers'],
  ['load', 'peakGpuBuffers'],
  ['first', 'peakGpuBuffers'],
  ...Object.values(FAMILIES).flatMap(([resting, highest]): [string, string][] => [
    ['prepare', resting],
    ['load', highest],
    ['first', highest],
  ]),
];

/**
 * Common table expressions with the memory of each round that reported some, `peaks`: `round_id`, `cell_id`, `round`, `means`, `peak`
 * above the base while loading and in the first run, `base`. Null where one of them was not reported.
 */
export const PEAKS = `reported as (
      select r.id as round_id, r.cell_id, r.round, r.memory_means, r.peak_is_of_phase, r.platform,
        max(case when m.figure = 'renderersPeakResident' then 1 else 0 end) as of_renderers,
        max(case when m.figure = 'peakResident' then 1 else 0 end) as of_process,
        ${REPORTED.map(
          ([phase, figure]) =>
            `max(case when m.phase = '${phase}' and m.figure = '${figure}' then m.bytes end) as ${mostOf(phase, figure)}`,
        ).join(', ')}
      from rounds r join memory m on m.round_id = r.id group by r.id
    ),
    meant as (
      select *,
        case
          when memory_means is not null then memory_means
          when of_renderers = 1 then 'renderers-of-phase'
          when of_process = 0 then null
          when peak_is_of_phase = 1 then 'vmhwm-of-phase'
          when platform is null or platform like 'linux%' then 'vmhwm-of-process'
          when platform like 'win32%' then 'working-set-of-process'
          else 'rusage-of-process'
        end as means
      from reported
    ),
    families as (
      select *,
        case when means like 'renderers%' then 'renderers' when means like 'cgroup%' then 'group'
          when means is not null then 'process' end as family
      from meant
    ),
    held as (
      select round_id, cell_id, round, means,
        ${ofFamilies((resting) => mostOf('prepare', resting))} + ${onGpu('prepare', 'gpuBuffers')} as base,
        ${ofFamilies((_, highest) => mostOf('load', highest))} + ${onGpu('load', 'peakGpuBuffers')} as loading,
        ${ofFamilies((_, highest) => mostOf('first', highest))} + ${onGpu('first', 'peakGpuBuffers')} as first
      from families
    ),
    peaks as materialized (
      select round_id, cell_id, round,
        case when base is not null and loading is not null and first is not null then means end as means,
        case when loading > first then loading when loading is not null then first end - base as peak,
        case when loading is not null and first is not null then base end as base
      from held
    )`;
