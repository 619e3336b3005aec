import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/base/paths.js';
import { seededRandom } from '../../src/base/random.js';
import { PostgresServer } from '../../test/support/postgres/server.js';
import { checkResults } from './check.js';
import { figuresOf, type Kill } from './figures.js';
import { command, FleetWorker } from './processes.js';

/*
 * A campaign against the queue: workers drive simulated boards through real suites while they and the database are killed at random.
 * In the end every cell must be there once, and none be missing. Each board is driven by two workers, so that one may take up what the
 * other one loses.
 */

const { values: flags } = parseArgs({
  options: {
    workers: { type: 'string', default: '20' },
    boards: { type: 'string', default: '100' },
    cells: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '5' },
    lease: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    calm: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const wished = {
  ...{ workers: Number(flags.workers), boards: Number(flags.boards), cells: Number(flags.cells) },
  ...{ seconds: Number(flags.seconds), lease: Number(flags.lease), seed: Number(flags.seed) },
};

/** Batch sizes that are timed: with accuracy and kernels ten cells for each board of a run. */
const BATCHES = [1, 2, 3, 4, 5, 6, 7, 8];
const CELLS_PER_JOB = BATCHES.length + 2;

/** How often something is killed, in seconds on average, and how long it stays away at most. */
const KILL_SECONDS = { worker: 6, database: 45, away: 12 };

/** After so many seconds a worker drives its boards. */
const READY_SECONDS = 8;

const PEOPLE = ['ada', 'bob', 'cyd'];

async function campaign(folder: string): Promise<boolean> {
  const { workers, boards, cells, seconds, lease, seed } = wished;
  const random = seededRandom(seed);
  const names = Array.from({ length: boards }, (_, index) => `board-${String(index).padStart(4, '0')}`);
  await prepare(folder, names, seconds);
  const server = await PostgresServer.start();
  const env = { EDGEFLEX_DB: server.url(), EDGEFLEX_CACHE: join(folder, 'cache') };
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
      const own = names
        .filter((_, board) => board % pairs === pair)
        .map((name) => join('devices', `${name}.yaml`));
      fleet.push(new FleetWorker(folder, env, `worker-${index}`, own, lease));
    }
    const started = Date.now();
    for (const worker of fleet) worker.start();
    const kills: Kill[] = [];
    let over = false;
    const jobs = async (): Promise<readonly { readonly state: string }[]> =>
      JSON.parse(await command(folder, env, ['queue', 'list', '--all', '--json'])) as { state: string }[];
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
        if ((partner?.upSeconds ?? 0) < READY_SECONDS) continue;
        if (victim === undefined || !(await victim.kill())) continue;
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
      const now = await jobs().catch(() => undefined);
      if (now === undefined) continue;
      const done = now.filter(({ state }) => state !== 'waiting' && state !== 'running').length;
      console.error(
        `${Math.round((Date.now() - started) / 1000)} s: ${done} of ${now.length} jobs, ${kills.length} kills`,
      );
      if (done === now.length) break;
    }
    over = true;
    await havoc;
    const wall = (Date.now() - started) / 1000;
    await Promise.all(fleet.map((worker) => worker.kill()));
    const faults = await checkResults(server.url(), runs, { boards, cellsPerBoard: CELLS_PER_JOB });
    const logs = await Promise.all(fleet.map((worker) => worker.log()));
    const figures = await figuresOf(server.url(), kills, lease, logs.join('\n'));
    console.log(
      JSON.stringify(
        { ...wished, submissions, cells: submissions * boards * CELLS_PER_JOB, wall, ...figures, faults },
        null,
        2,
      ),
    );
    return faults.length === 0;
  } finally {
    await Promise.all(fleet.map((worker) => worker.kill()));
    await server.stop();
  }
}

/** A folder with a suite, a profile for each board, and the plug-in that they are of. */
async function prepare(folder: string, names: readonly string[], seconds: number): Promise<void> {
  await mkdir(join(folder, 'devices'));
  // Whoever works on the plug-in meanwhile changes nothing.
  const plugin = join(folder, 'simulated.mjs');
  await copyFile(join(packageRoot(), 'bench', 'fleet', 'simulated.mjs'), plugin);
  await writeFile(join(folder, 'edgeflex.config.yaml'), `plugins: [${JSON.stringify(plugin)}]\n`);
  await writeFile(
    join(folder, 'suite.yaml'),
    [
      'name: fleet',
      'data: shapes10',
      'models: [{ name: micro, path: vit-micro-shapes10 }]',
      `devices: [devices/${names[0] ?? ''}.yaml]`,
      'accuracy: { batch: 16, images: 40 }',
      `performance: { batches: [${BATCHES.join(', ')}], tier: smoke, rounds: 1 }`,
      '',
    ].join('\n'),
  );
  for (const name of names)
    await writeFile(
      join(folder, 'devices', `${name}.yaml`),
      `name: ${name}\nkind: x-simulated\nthreads: 1\noptions: { seconds: ${seconds} }\n`,
    );
}

const folder = await mkdtemp(join(tmpdir(), 'edgeflex-fleet-'));
try {
  process.exitCode = (await campaign(folder)) ? 0 : 1;
} finally {
  if (flags.keep) console.error(folder);
  else await rm(folder, { recursive: true, force: true });
}
