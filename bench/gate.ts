import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from 'simple-statistics';
import { packageRoot } from '../src/base/paths.js';
import { withTemporaryFolder } from '../src/base/temporary.js';
import { compare, type RunComparison } from '../src/library/compare.js';
import { gate } from '../src/library/gate.js';
import { pairedRatio, unpairedRatio, type RatioEstimate } from '../src/stats/ratio.js';
import type { StoredRun } from '../src/store/read.js';

const PAIRS = Number(process.env['PAIRS'] ?? 12);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);

/** What is asked of a commit that changes nothing. */
const GATES = 'latency:2%,memory:2%,accuracy:0.3pt';

/**
 * A commit against itself (A/A): how often `gate` finds a difference where there is none, and how narrow intervals are of two runs in turn
 * beside two that were measured one after the other, which are the head of one gate and the base of the next. On this machine as it is.
 */
export async function gateBench(): Promise<void> {
  await withTemporaryFolder('gate-bench', async (folder) => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      await commitSuite(folder);
      const [turns, apart, pooled, separate]: Outcome[][] = [[], [], [], []];
      let last: string | undefined;
      for (let pair = 1; pair <= PAIRS; pair++) {
        const now = await gate('results', 'alike.yaml', { base: 'HEAD', head: 'HEAD', gates: GATES });
        const { reference, run } = now.document;
        turns?.push(judged(now));
        pooled?.push(raw(now, paired));
        console.log(`  ${String(pair).padStart(2)}  in turn: ${words([judged(now)])}`);
        if (last !== undefined) {
          const next = await compare('results', last, { run: reference.id, gates: GATES });
          apart?.push(judged(next));
          separate?.push(raw(next, unpaired));
          console.log(`      one after the other: ${words([judged(next)])}`);
        }
        last = run.id;
      }
      console.log(`  in turn: ${words(turns ?? [])}`);
      console.log(`  one after the other: ${words(apart ?? [])}`);
      console.log(`  in turn, disturbed rounds as well: ${words(pooled ?? [])}`);
      console.log(`  one after the other, disturbed rounds as well: ${words(separate ?? [])}`);
    } finally {
      process.chdir(before);
    }
  });
}

/** A repository with one commit: a suite on the built-in model. */
async function commitSuite(folder: string): Promise<void> {
  const suites = join(packageRoot(), 'suites');
  const suite = {
    ...{ name: 'alike', data: { name: 'shapes10', path: join(suites, 'data', 'shapes10') } },
    ...{ models: [{ path: join(suites, 'models', 'vit-micro-shapes10') }] },
    ...{ recipes: [join(suites, 'recipes', 'int8.yaml')] },
    ...{ devices: [join(packageRoot(), 'devices', 'local-cpu.yaml')], accuracy: { images: 256, batch: 64 } },
    performance: { batches: [8], tier: 'rapid', rounds: ROUNDS },
  };
  await writeFile(join(folder, 'alike.yaml'), JSON.stringify(suite));
  await writeFile(join(folder, '.gitignore'), 'results/\nreports/\n');
  const who = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org'];
  for (const each of [
    ['init', '--quiet'],
    ['add', '--all'],
    [...who, 'commit', '--quiet', '--message', 'A'],
  ])
    execFileSync('git', ['-C', folder, ...each]);
}

/** What a commit's comparison with itself came to. */
interface Outcome {
  readonly broken: number;
  readonly different: number;
  readonly undecided: number;
  /** Half width of the interval of each latency. */
  readonly halves: readonly number[];
}

/** As EdgeFlex says it: what others disturbed is not decided. */
function judged({ document, broken }: RunComparison): Outcome {
  const latencies = document.compared.filter(({ metric }) => metric === 'latency');
  return {
    broken: broken.length,
    different: latencies.filter(({ verdict }) => verdict !== 'not distinguishable').length,
    undecided: document.uncompared.filter(({ metrics }) => metrics.includes('latency')).length,
    halves: latencies.map(({ change }) => (change.high - change.low) / 2),
  };
}

type Rounds = ReadonlyMap<number, readonly number[]>;
type Ratio = (own: Rounds, theirs: Rounds) => RatioEstimate | undefined;

const paired: Ratio = (own, theirs) => pairedRatio(own, theirs);
const unpaired: Ratio = (own, theirs) => unpairedRatio([...own.values()], [...theirs.values()]);

/** Of all rounds, also of those that others disturbed. */
function raw({ report }: RunComparison, ratio: Ratio): Outcome {
  const { reference, run } = report.comparison;
  const timed = ({ cells }: StoredRun): Map<string, Rounds> =>
    new Map(
      cells
        .filter(({ row }) => row.kind === 'performance')
        .map(({ variant, rounds }) => [
          variant.recipe,
          new Map(rounds.map(({ row, samples }) => [row.round, samples])),
        ]),
    );
  const theirs = timed(reference);
  const ratios = [...timed(run)].flatMap(
    ([recipe, own]) => ratio(own, theirs.get(recipe) ?? new Map()) ?? [],
  );
  return {
    ...{ broken: 0, undecided: 0, different: ratios.filter(({ p }) => p <= 0.05).length },
    halves: ratios.map(({ low, high }) => (high - low) / 2),
  };
}

function words(found: readonly Outcome[]): string {
  const sum = (of: (one: Outcome) => number): number => found.reduce((all, one) => all + of(one), 0);
  const halves = found.flatMap((one) => one.halves);
  const width = halves.length === 0 ? '–' : `±${(100 * median([...halves])).toFixed(2)} %`;
  return `${sum(({ broken }) => broken)} gates broken, ${sum(({ different }) => different)} of ${halves.length} latencies called different, ${sum(({ undecided }) => undecided)} not decided, half width ${width} (median)`;
}
