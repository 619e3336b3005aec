import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../src/base/sqlite.js';
import { median } from 'simple-statistics';
import { packageRoot } from '../src/base/paths.js';

const REPEATS = 5;

/**
 * How long it takes from the command to the first prediction and to the first timed query, with artifacts in the cache, and
 * what of it is the start of Node alone.
 */
export async function firstSample(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-bench-'));
  try {
    const suite = join(folder, 'suite.yaml');
    await writeFile(suite, suiteText());
    await run(folder, suite, 'warm');
    const measured = [];
    for (let repeat = 0; repeat < REPEATS; repeat++) measured.push(await run(folder, suite, String(repeat)));
    const show = (what: string, seconds: readonly number[]): void =>
      console.log(
        `  ${what.padEnd(44)} ${median([...seconds])
          .toFixed(2)
          .padStart(8)} s`,
      );
    show('Node alone', [await bareNode(), await bareNode(), await bareNode()]);
    show(
      'command to the start of the first agent',
      measured.map(({ agent }) => agent),
    );
    show(
      'command to the first prediction',
      measured.map(({ prediction }) => prediction),
    );
    show(
      'command to the first timed query',
      measured.map(({ query }) => query),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function suiteText(): string {
  const root = packageRoot();
  return [
    'name: first-sample',
    `data: { name: shapes10, path: ${root}/suites/data/shapes10 }`,
    `models: [{ path: ${root}/suites/models/vit-micro-shapes10 }]`,
    `devices: [${root}/devices/local-cpu.yaml]`,
    'accuracy: { batch: 1, images: 1 }',
    'performance: { batches: [1], tier: rapid, rounds: 1 }',
  ].join('\n');
}

interface Seconds {
  readonly agent: number;
  readonly prediction: number;
  readonly query: number;
}

/** Runs the suite and reads from the store when what happened. */
async function run(folder: string, suite: string, name: string): Promise<Seconds> {
  const results = join(folder, name);
  const begin = Date.now();
  await command(
    [
      ...[join(packageRoot(), 'bin', 'edgeflex.js'), 'run', suite],
      ...['--results', results, '--reports', join(folder, 'reports')],
    ],
    { ...process.env, EDGEFLEX_CACHE: join(folder, 'cache') },
  );
  const db = new Database(join(results, 'edgeflex.db'), { readonly: true });
  const first = (kind: string): { start: number; before: number } => {
    const row = db
      .prepare(
        `select started_at as start,
           (select sum(milliseconds) from phases where round_id = rounds.id and phase <> 'steady') as before
         from rounds join cells on cells.id = cell_id where kind = ? order by position limit 1`,
      )
      .get(kind) as { start: string; before: number };
    return { start: (Date.parse(row.start) - begin) / 1000, before: row.before / 1000 };
  };
  const [accuracy, performance] = [first('accuracy'), first('performance')];
  db.close();
  return {
    agent: accuracy.start,
    prediction: accuracy.start + accuracy.before,
    query: performance.start + performance.before,
  };
}

async function bareNode(): Promise<number> {
  const begin = Date.now();
  await command(['-e', '0'], process.env);
  return (Date.now() - begin) / 1000;
}

function command(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'ignore'] }).on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${args.join(' ')} ended with code ${code ?? 'unknown'}`));
    });
  });
}
