import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { defined } from '../src/base/defined.js';
import { databaseIn, packageRoot } from '../src/base/paths.js';
import { API } from '../src/serve/api/contract.js';
import { openStore, type Db } from '../src/store/open.js';
import { isOnServer } from '../src/store/server.js';
import { storeCell } from '../test/support/rows.js';

/*
 * How fast `edgeflex serve` answers when much is stored: fills a folder or a database that is empty, asks everything that the page asks, one
 * question after the other, and then as many readers as are wished for, all at once. Prints a Markdown table.
 */

const { values: flags } = parseArgs({
  options: {
    place: { type: 'string', default: 'dist/bench/serve' },
    runs: { type: 'string', default: '10000' },
    // With 84 queries a round ten thousand runs have ten million.
    queries: { type: 'string', default: '84' },
    // Only this: how long a view takes over all runs.
    view: { type: 'string' },
    readers: { type: 'string', default: '50' },
    // Between an answer and a reader's next question, on average: 0 for as fast as it answers.
    pause: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
  },
});
const [runs, queries] = [Number(flags.runs), Number(flags.queries)];

/** Of each run. */
const VARIANTS = 6;
const ROUNDS = 2;
/** So often each page is asked for again. */
const AGAIN = 10;

/** Suites that the runs are of. */
const SUITES = 20;

/** Fills a store. Rows follow from their numbers, so that the database makes them by itself. */
async function fill(db: Db): Promise<void> {
  const count = await db
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .executeTakeFirst();
  if (defined(count, 'a count').n > 0) return;
  const onServer = isOnServer(db);
  const series = (n: number, name = 'i'): string =>
    `(with recursive s(${name}) as (select 1 union all select ${name} + 1 from s where ${name} < ${n}) select ${name} from s)`;
  const text = (prefix: string, number: string): string => `'${prefix}' || cast(${number} as text)`;
  // Three an hour: a bit more than four months.
  const at = onServer
    ? `to_char(timestamp '2026-07-01' + interval '20 minutes' * i, 'YYYY-MM-DD"T"HH24:MI:SS".000Z"')`
    : `strftime('%Y-%m-%dT%H:%M:%S.000Z', '2026-07-01', (20 * i) || ' minutes')`;
  const id = (number: string): string => text('run-', `(100000 + ${number})`);
  await db.transaction().execute(async (transaction) => {
    // What the columns hold of a real run.
    await storeCell(transaction, 'template');
    const run = async (statement: string): Promise<void> => {
      await sql.raw(statement).execute(transaction);
    };
    await run(`insert into runs (id, uid, suite, plan_hash, seed, command, version, started_at, ended_at, data_json, repository_json)
      select ${id('i')}, ${text('uid-', 'i')}, ${text('suite-', `i % ${SUITES}`)}, 'abc', 1, 'edgeflex run', '0.1.0', ${at}, ${at}, t.data_json,
        '{"commit":"c' || cast(i as text) || '","committedAt":"' || ${at} || '","branch":"main","dirty":false}'
      from ${series(runs)} n, runs t where t.id = 'template'`);
    await run(`insert into devices (id, run_id, name, profile_json, environment_json, threads)
      select 100 + i, ${id('i')}, ${text('board-', 'i % 10')}, '{}', t.environment_json, 2
      from ${series(runs)} n, devices t where t.run_id = 'template'`);
    await run(`insert into variants (id, run_id, position, model, recipe, description, synthetic, artifact, file_bytes, parameters, stages_json)
      select 100 + (i - 1) * ${VARIANTS} + v, ${id('i')}, v - 1, ${text('model-', 'i % 10')},
        case v when 1 then 'fp32' else ${text('recipe-', 'v')} end, '', 0, 'key', 1000, 250, '[]'
      from ${series(runs)} n, ${series(VARIANTS, 'v')} m`);
    await run(`insert into cells (id, run_id, variant_id, device_id, kind, batch, tier, rounds, status)
      select id, run_id, id, 100 + (id - 101) / ${VARIANTS} + 1, 'performance', 8, 'quick', ${ROUNDS},
        case when id % 1000 = 0 then 'failed' else 'done' end
      from variants where run_id <> 'template'`);
    const steady = `insert into rounds (id, cell_id, round, position, started_at, seconds, runtime_json, session_json, platform, warmup_queries, steady, memory_means)
      select (c.id - 1) * ${ROUNDS} + r, c.id, r - 1, 0, o.started_at, 1,
        '{"name":"onnxruntime-node","version":"1.30.0","provider":"CPUExecutionProvider"}', '{"threads":2}', 'linux-x64', 9, 1, 'vmhwm-of-phase'
      from cells c join runs o on o.id = c.run_id, ${series(ROUNDS, 'r')} m where c.run_id <> 'template'`;
    await run(steady);
    // What an agent reports beside: times and memory by phase, what the device was like.
    for (const [phase, spent, processor] of [
      ...[['load', 120, 'null'] as const, ['first', 15, 'null'] as const],
      ['steady', 900, '1700'] as const,
    ])
      await run(`insert into phases (round_id, phase, milliseconds, cpu_milliseconds)
        select o.id, '${phase}', ${spent}, ${processor} from rounds o join cells c on c.id = o.cell_id where c.run_id <> 'template'`);
    for (const [phase, figure, bytes] of [
      ...[['prepare', 'resident', 5e7] as const, ['load', 'peakResident', 9e7] as const],
      ['first', 'peakResident', 1e8] as const,
    ])
      await run(`insert into memory (round_id, phase, figure, bytes)
        select o.id, '${phase}', '${figure}', ${bytes} + o.id % 1000 from rounds o join cells c on c.id = o.cell_id where c.run_id <> 'template'`);
    for (const [sequence, phase, conditions] of [
      [0, 'load', { at: 200, otherLoad: 0.01 }],
      [
        1,
        'steady',
        { at: 1100, otherLoad: 0.02, paces: Array.from({ length: 24 }, (_, i) => 100 + (i % 5)) },
      ],
    ] as const)
      await run(`insert into conditions (round_id, sequence, phase, conditions_json)
        select o.id, ${sequence}, '${phase}', '${JSON.stringify(conditions)}'
        from rounds o join cells c on c.id = o.cell_id where c.run_id <> 'template'`);
    const milliseconds = `(10 + (o.id * 7919 + q * 104729) % 1000 / 1000.0)`;
    const cells = `from rounds o`;
    if (!onServer) {
      await run(
        `insert into samples select o.id, q - 1, ${milliseconds} ${cells}, ${series(queries, 'q')} m`,
      );
    } else {
      for (let month = 7; month <= 12; month++)
        await run(`select make_month('2026-${String(month).padStart(2, '0')}-01')`);
      await run(`insert into raw_samples (month, round_id, milliseconds)
        select date_trunc('month', o.started_at::timestamp)::date, o.id, array_agg(${milliseconds}::double precision order by q)
        ${cells}, ${series(queries, 'q')} m group by o.id, o.started_at`);
      // Ids that were given are not given again.
      for (const table of ['devices', 'variants', 'cells', 'rounds'])
        await run(
          `select setval(pg_get_serial_sequence('edgeflex.${table}', 'id'), (select max(id) from ${table}))`,
        );
    }
    await run(`delete from runs where id = 'template'`);
  });
  await sql.raw('analyze').execute(db);
}

/** A server in a process of its own. */
async function started(place: string): Promise<{ readonly url: string; readonly server: ChildProcess }> {
  const server = spawn(
    process.execPath,
    [
      ...[
        join(packageRoot(), 'bin', 'edgeflex.js'),
        'serve',
        '--port',
        '0',
        '--rate',
        '100000000',
        '--log-level',
        'warn',
      ],
      ...(place.startsWith('postgres') ? ['--db', place] : ['--results', place]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  for await (const line of createInterface(server.stdout)) {
    const url = /^Dashboard: (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return { url, server };
  }
  throw new Error('the server has ended');
}

/** Processor time of all threads of a process so far, in milliseconds; NaN where the system does not tell. */
async function processorTime(server: ChildProcess): Promise<number> {
  const tasks = `/proc/${server.pid}/task`;
  try {
    const times = (await readdir(tasks)).map(async (task) =>
      Number((await readFile(join(tasks, task, 'schedstat'), 'utf8')).split(' ')[0]),
    );
    return (await Promise.all(times)).reduce((sum, each) => sum + each, 0) / 1e6;
  } catch {
    return NaN;
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 1000 });

/** @returns milliseconds and the body */
async function ask(
  url: string,
  path: string,
  body?: object,
): Promise<{ readonly took: number; readonly text: string }> {
  const from = performance.now();
  const sent = request(`${url.slice(0, -1)}${API}${path}`, {
    ...{ agent, method: body === undefined ? 'GET' : 'POST' },
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
  return { took: performance.now() - from, text };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

const place = flags.place;
const filling = performance.now();
const db = await openStore(databaseIn(place));
await fill(db);
const filled = ((performance.now() - filling) / 1000).toFixed(0);
if (flags.view !== undefined) {
  for (let i = 0; i < 3; i++) {
    const from = performance.now();
    const { rows } = await sql`select * from ${sql.table(flags.view)}`.execute(db);
    console.log(`${flags.view}: ${rows.length} rows in ${(performance.now() - from).toFixed(0)} ms`);
  }
  await db.destroy();
  process.exit();
}
await db.destroy();
console.log(`filled in ${filled} s`);
const { url, server } = await started(place);
try {
  const { runs: newest } = JSON.parse((await ask(url, '/runs?suite=suite-3&limit=2')).text) as {
    runs: { id: string }[];
  };
  const [a, b] = newest.map(({ id }) => id);
  const middle = (await ask(url, '/runs?limit=200&sort=oldest')).text;
  const { next } = JSON.parse(middle) as { next: string };
  const { cells } = JSON.parse((await ask(url, `/runs/${a}`)).text) as {
    cells: { id: string }[];
  };
  const questions: readonly (readonly [path: string, body?: object])[] = [
    ['/session'],
    ['/runs'],
    [`/runs?sort=oldest&limit=200&cursor=${next}`],
    ['/runs?search=recipe-3'],
    ['/runs?search=nothing-at-all'],
    ['/runs?status=partly%20failed'],
    ['/runs?status=failed'],
    ['/runs?model=model-3&device=board-3'],
    ['/runs?branch=main&sort=suite'],
    [`/runs/${a}`],
    [`/runs/${a}/environment`],
    [`/runs/${a}/cells/${cells[0]?.id}/samples`],
    [`/runs/${a}/analysis`],
    [`/runs/${a}/report`],
    [`/compare?runs=${a},${b}&force=true`],
    ['/history?model=model-3&device=board-3&metric=latency'],
    ['/models'],
    ['/devices'],
    ['/procure', { batch: 8, limits: { latency: '30ms' } }],
  ];
  const alone = new Map<string, readonly number[]>();
  for (const [path, body] of questions) {
    const before = await processorTime(server);
    const first = await ask(url, path, body);
    const between = await processorTime(server);
    const again: number[] = [];
    for (let i = 0; i < AGAIN; i++) again.push((await ask(url, path, body)).took);
    const spent = ((await processorTime(server)) - between) / AGAIN;
    alone.set(path, [first.took, between - before, quantile(again, 0.5), Math.max(...again), spent]);
  }
  const [readers, pause, seconds] = [flags.readers, flags.pause, flags.seconds].map(Number) as [
    number,
    number,
    number,
  ];
  const until = performance.now() + seconds * 1000;
  const together = new Map<string, number[]>(questions.map(([path]) => [path, []]));
  await Promise.all(
    Array.from({ length: readers }, async (_, reader) => {
      for (let i = reader; performance.now() < until; i++) {
        // Readers do not ask in step.
        if (pause > 0) await sleep(2000 * pause * Math.random());
        const [path, body] = defined(questions[i % questions.length], 'a question');
        together.get(path)?.push((await ask(url, path, body)).took);
      }
    }),
  );
  console.log(
    `| page | first | processor | again: median | largest | processor | ${readers} readers: median | p99 |`,
  );
  console.log(`| --- |${' --: |'.repeat(7)}`);
  for (const [path, figures] of alone) {
    const busy = together.get(path) ?? [];
    const all = [...figures, quantile(busy, 0.5), quantile(busy, 0.99)];
    const name = path.replace(/(cursor=\w{4})\w+/, '$1…');
    console.log(`| \`${name}\` | ${all.map((each) => each.toFixed(0)).join(' | ')} |`);
  }
  const all = [...together.values()].flat();
  console.log(
    `Milliseconds. ${readers} readers, ${pause} s between questions: ${(all.length / seconds).toFixed(0)} answers/s, median ${quantile(all, 0.5).toFixed(0)}, p99 ${quantile(all, 0.99).toFixed(0)}`,
  );
} finally {
  server.kill('SIGINT');
  const [code] = (await once(server, 'exit')) as [number | null];
  console.log(`the server ended with ${code}`);
  agent.destroy();
}
