import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { packageRoot } from '../../src/base/paths.js';
import { seededRandom } from '../../src/base/random.js';
import { loadPlugins } from '../../src/plugins/load.js';
import { PostgresServer } from '../../test/support/postgres/server.js';
import { checkResults } from './check.js';
import { figuresOf, type Kill } from './figures.js';
import { Network } from './network.js';
import { overheadOf, type Overhead } from './overhead.js';
import { hotPaths } from './paths.js';
import { boardNames, CELLS_PER_JOB, prepareFleet, profileOf } from './prepare.js';
import { command, FleetWorker } from './processes.js';
import { processorSeconds } from './processor-time.js';

/*
 * A campaign against the queue: workers drive simulated boards through real suites while they and the database are killed at random.
 * In the end every cell must be there once, and none be missing. Each board is driven by two workers, so that one may take up what the
 * other one loses; of the two only one is killed or cut off at a time. Every worker is a process of its own, on Linux as root in a network
 * namespace of its own. With `overhead` or `paths` as first word: what the queue costs, or how long its hot paths take (`--devices`).
 */

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '20' },
    boards: { type: 'string', default: '100' },
    cells: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '5' },
    lease: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    calm: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    devices: { type: 'string' },
    'kill-every': { type: 'string', default: '6' },
  },
});
const wished = {
  ...{ workers: Number(flags.workers), boards: Number(flags.boards), cells: Number(flags.cells) },
  ...{ seconds: Number(flags.seconds), lease: Number(flags.lease), seed: Number(flags.seed) },
};

/** How often something is killed, in seconds on average, and how long it stays away at most. */
const KILL_SECONDS = { worker: Number(flags['kill-every']), database: 60, away: 12 };

/** Of so many kills of a worker one is a cut of its network. */
const CUTS = 0.3;

/** How long after its network was mended a worker may still find out, in seconds: no packet is sent again at once. */
const FOUND_SECONDS = 20;

const PEOPLE = ['ada', 'bob', 'cyd'];

async function campaign(folder: string): Promise<boolean> {
  const { workers, boards, cells, seconds, lease, seed } = wished;
  const random = seededRandom(seed);
  const names = boardNames(boards);
  await prepareFleet(folder, names, seconds);
  const network = flags.calm ? undefined : await Network.make(workers);
  if (network === undefined) console.error('no network is cut: there are no namespaces');
  const server = await PostgresServer.start({ network, settings: ['max_connections=300'] });
  const begun = processorSeconds(process.pid);
  const env = {
    EDGEFLEX_DB: server.url('postgres', undefined, network?.host),
    EDGEFLEX_CACHE: join(folder, 'cache'),
  };
  const fleet: FleetWorker[] = [];
  try {
    const runs: string[] = [];
    const submissions = Math.max(1, Math.round(cells / (CELLS_PER_JOB * boards)));
    for (let index = 0; index < submissions; index++) {
      const person = PEOPLE[index % PEOPLE.length] ?? '';
      const devices = names.flatMap((name) => ['--device', name]);
      const said = await command(folder, env, [
        'submit',
        'suite.yaml',
        '--person',
        person,
        '--json',
        ...devices,
      ]);
      runs.push((JSON.parse(said) as { run: string }).run);
    }
    for (let index = 0; index < workers; index++) {
      // Two workers for the same boards.
      const pair = Math.floor(index / 2);
      const pairs = Math.ceil(workers / 2);
      const own = names.filter((_, board) => board % pairs === pair).map(profileOf);
      fleet.push(new FleetWorker(folder, env, `worker-${index}`, own, lease, network?.on(index) ?? []));
    }
    const started = Date.now();
    for (const worker of fleet) worker.start();
    const kills: Kill[] = [];
    let over = false;
    const chaos = async (): Promise<void> => {
      let database = Date.now() + 1000 * KILL_SECONDS.database * (0.5 + random.uniform());
      while (!over && !flags.calm) {
        await sleep(1000 * KILL_SECONDS.worker * 2 * random.uniform());
        if (Date.now() > database) {
          await server.kill();
          await sleep(1000 * KILL_SECONDS.away * random.uniform() * 0.5);
          await server.restart();
          kills.push({ at: Date.now(), what: 'database' });
          database = Date.now() + 1000 * KILL_SECONDS.database * (0.5 + random.uniform());
          continue;
        }
        const at = random.integer(fleet.length);
        const [victim, partner] = [fleet[at], fleet[at ^ 1]];
        // What nobody drives nobody can take up.
        if (victim === undefined || partner?.isReady !== true) continue;
        if (network !== undefined && victim.isReady && random.uniform() < CUTS) {
          kills.push({ at: Date.now(), what: 'network' });
          await network.cut(at);
          victim.cutOff(Infinity);
          const mend = async (): Promise<void> => {
            await sleep(1000 * (lease + KILL_SECONDS.away * random.uniform()));
            if (!over) await network.mend(at);
            victim.cutOff(Date.now() + 1000 * FOUND_SECONDS);
          };
          void mend();
          continue;
        }
        if (!(await victim.kill())) continue;
        kills.push({ at: Date.now(), what: victim.name });
        // Some come back on another machine, without what they had.
        const isElsewhere = random.uniform() < 0.5;
        const later = async (): Promise<void> => {
          await sleep(1000 * KILL_SECONDS.away * random.uniform());
          if (isElsewhere) await victim.forget();
          if (!over) victim.start();
        };
        void later();
      }
    };
    const havoc = chaos();
    for (;;) {
      await sleep(5000);
      const now = await endedJobs(server.url()).catch(() => undefined);
      if (now === undefined) continue;
      console.error(
        `${Math.round((Date.now() - started) / 1000)} s: ${now.ended} of ${now.all} jobs, ${kills.length} kills`,
      );
      if (now.ended === now.all) break;
    }
    over = true;
    await havoc;
    const wall = (Date.now() - started) / 1000;
    const processorTime = processorSeconds(process.pid) - begun;
    await Promise.all(fleet.map((worker) => worker.kill()));
    const faults = await checkResults(server.url(), runs, { boards, cellsPerBoard: CELLS_PER_JOB });
    const logs = await Promise.all(fleet.map((worker) => worker.log()));
    const figures = await figuresOf(server.url(), kills, lease, logs.join('\n'));
    console.log(
      JSON.stringify(
        {
          ...wished,
          submissions,
          cells: submissions * boards * CELLS_PER_JOB,
          wall,
          processorTime,
          ...figures,
          faults,
        },
        null,
        2,
      ),
    );
    return faults.length === 0;
  } finally {
    await Promise.all(fleet.map((worker) => worker.kill()));
    await server.stop();
    await network?.remove();
  }
}

/** How many jobs there are, and how many of them have ended. */
async function endedJobs(url: string): Promise<{ readonly all: number; readonly ended: number }> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly all: number; readonly ended: number }>(
      'select count(*)::integer as "all", count(ended_at)::integer as ended from edgeflex_queue.job',
    );
    return rows[0] ?? { all: 0, ended: 0 };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * What the queue costs, at 1, 10 and 100 devices, or how long its hot paths take.
 *
 * @param what - which of them
 */
async function measured(what: string, folder: string): Promise<unknown> {
  const server = await PostgresServer.start({
    settings: ['shared_preload_libraries=pg_stat_statements', 'synchronous_commit=on', 'fsync=on'],
  });
  try {
    if (what === 'paths') return await hotPaths(server, Number(flags.devices ?? '1000'));
    const admin = new pg.Client({ connectionString: server.url() });
    await admin.connect();
    await admin.query('create extension pg_stat_statements');
    await admin.end();
    process.env['EDGEFLEX_CACHE'] = join(folder, 'cache');
    await loadPlugins([join(packageRoot(), 'bench', 'fleet', 'simulated.mjs')], folder);
    const all: Overhead[] = [];
    for (const devices of (flags.devices ?? '1,10,100').split(',').map(Number))
      all.push(
        await overheadOf(
          join(folder, `of-${devices}`),
          server,
          devices,
          devices < 10 ? 6 : devices < 100 ? 2 : 1,
        ),
      );
    return all;
  } finally {
    await server.stop();
  }
}

const folder = await mkdtemp(join(tmpdir(), 'edgeflex-fleet-'));
try {
  const [what] = positionals;
  if (what === 'overhead' || what === 'paths')
    console.log(JSON.stringify(await measured(what, folder), null, 2));
  else process.exitCode = (await campaign(folder)) ? 0 : 1;
} finally {
  if (flags.keep) console.error(folder);
  else await rm(folder, { recursive: true, force: true });
}
