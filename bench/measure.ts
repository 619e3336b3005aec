import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { mean, median, sampleStandardDeviation } from 'simple-statistics';
import { analyse, judgementOf } from '../src/analysis/analysis.js';
import { packageRoot } from '../src/base/paths.js';
import { withTemporaryFolder } from '../src/base/temporary.js';
import { fp32 } from '../src/compress/recipe.js';
import { executeSuite } from '../src/run/execute.js';
import { locateData } from '../src/run/locate-data.js';
import { openStore } from '../src/store/open.js';
import { findRun, loadRun } from '../src/store/read.js';
import type { Suite } from '../src/suite/read.js';

/** Of each number of busy neighbours: so many runs, in each of which fp32 has so many doubles, timed in so many rounds. */
const RUNS = Number(process.env['RUNS'] ?? 5);
const DOUBLES = Number(process.env['DOUBLES'] ?? 4);
const ROUNDS = Number(process.env['ROUNDS'] ?? 10);

/** Processes beside it that do nothing but keep a processor busy. */
const NEIGHBOURS = (process.env['NEIGHBOURS'] ?? '0,1,2').split(',').map(Number);

/**
 * What EdgeFlex makes of a model against itself, through runs and analysis as they are: how often it calls one of two that are the
 * same faster, how often it does not decide, how narrow its intervals are, and how steady processor time is beside time; on this
 * machine as it is, beside one busy process and beside two.
 */
export async function measure(): Promise<void> {
  console.log(
    '  busy  pairs  decided  false verdicts  half width, median  repeats  sd of speed  sd of CPU saving',
  );
  for (const neighbours of NEIGHBOURS) {
    const busy = Array.from({ length: neighbours }, spin);
    try {
      const pairs: Pair[] = [];
      for (let run = 0; run < RUNS; run++) pairs.push(...(await measured(run)));
      console.log(row(neighbours, pairs));
    } finally {
      for (const each of busy) each.kill('SIGKILL');
    }
  }
}

/** A double of fp32 against fp32. */
interface Pair {
  readonly verdict: string | undefined;
  readonly speedup: number | undefined;
  readonly half: number | undefined;
  readonly cpu: number | undefined;
  readonly repeats: number;
}

function spin(): ChildProcess {
  return spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
}

async function measured(number: number): Promise<Pair[]> {
  return withTemporaryFolder('measure', async (folder) => {
    const db = await openStore(join(folder, 'edgeflex.db'));
    try {
      const suite = doublesOf(number);
      const { id } = await executeSuite(suite, {
        ...{ db, data: await locateData(suite.data.name, suite.data.path, undefined) },
        ...{ command: 'bench', resume: false, emit: () => undefined, signal: new AbortController().signal },
      });
      const run = await loadRun(db, await findRun(db, id));
      const analysis = analyse(run);
      return analysis.figures
        .filter(({ isBaseline }) => !isBaseline)
        .flatMap((figures) =>
          figures.latencies.map(({ batch, speedup, cpuSaving }) => ({
            verdict: judgementOf(figures, 'latency', batch)?.verdict,
            speedup: speedup?.value,
            half: speedup && Math.sqrt(speedup.high / speedup.low) - 1,
            cpu: cpuSaving?.value,
            repeats: run.cells
              .filter(({ variant }) => variant === figures.variant)
              .reduce(
                (sum, { rounds }) =>
                  sum + rounds.reduce((all, { row: { repeats } }) => all + (repeats ?? 0), 0),
                0,
              ),
          })),
        );
    } finally {
      await db.destroy();
    }
  });
}

function doublesOf(number: number): Suite {
  const root = packageRoot();
  const double = (name: string) => ({ recipe: { ...fp32, name }, published: undefined });
  const recipes = ['fp32', ...Array.from({ length: DOUBLES }, (_, index) => `again-${index + 1}`)].map(
    double,
  );
  return {
    ...{
      name: 'measure',
      description: '',
      path: resolve('measure.yaml'),
      seed: number + 1,
      gates: [],
      recipes,
    },
    data: { name: 'shapes10', path: join(root, 'suites', 'data', 'shapes10') },
    models: [{ kind: 'path', name: 'micro', path: join(root, 'suites', 'models', 'vit-micro-shapes10') }],
    devices: [join(root, 'devices', 'local-cpu.yaml')],
    accuracy: { batch: 64, images: 64 },
    performance: { batches: [8], tier: 'rapid', rounds: ROUNDS },
  };
}

function row(neighbours: number, pairs: readonly Pair[]): string {
  const decided = pairs.filter(({ verdict }) => verdict !== undefined);
  const wrong = decided.filter(({ verdict }) => verdict !== 'not distinguishable').length;
  const of = (figure: (pair: Pair) => number | undefined): number[] =>
    pairs.flatMap((pair) => figure(pair) ?? []);
  const halves = of(({ half }) => half);
  const spread = (values: readonly number[]): string =>
    values.length < 2 ? '–' : `${(100 * sampleStandardDeviation([...values])).toFixed(1)} %`;
  return [
    `  ${neighbours}`.padEnd(8),
    String(pairs.length).padEnd(7),
    String(decided.length).padEnd(9),
    String(wrong).padEnd(16),
    (halves.length === 0 ? '–' : `± ${(100 * median(halves)).toFixed(1)} %`).padEnd(20),
    mean(pairs.map(({ repeats }) => repeats))
      .toFixed(1)
      .padEnd(9),
    spread(of(({ speedup }) => speedup)).padEnd(13),
    spread(of(({ cpu }) => cpu)),
  ].join('');
}
