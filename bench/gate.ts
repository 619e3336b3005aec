import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from 'simple-statistics';
import { packageRoot } from '../src/base/paths.js';
import { withTemporaryFolder } from '../src/base/temporary.js';
import { compare, type RunComparison } from '../src/library/compare.js';
import { gate } from '../src/library/gate.js';
import { run } from '../src/library/run.js';

/** So often a commit is compared with itself, in each way. */
const PAIRS = Number(process.env['PAIRS'] ?? 12);
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);

/** What is asked of a commit that changes nothing. */
const GATES = 'latency:2%,memory:2%,accuracy:0.3pt';

/** What one comparison of a commit with itself gave. */
interface Alike {
  readonly broken: number;
  /** Latencies that were called slower or faster. */
  readonly false: number;
  readonly compared: number;
  readonly undecided: number;
  /** Half width of the interval of each latency. */
  readonly halves: readonly number[];
  readonly inTurn: boolean;
}

/**
 * A commit against itself (A/A): how often `gate` finds a difference where there is none, and how narrow its intervals are beside those
 * of two runs one after the other. On this machine as it is, both ways by turns.
 */
export async function gateBench(): Promise<void> {
  await withTemporaryFolder('gate-bench', async (folder) => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      await commitSuite(folder);
      const ways: Readonly<Record<string, { ask: () => Promise<RunComparison>; found: Alike[] }>> = {
        'in turn': { ask: inTurn, found: [] },
        'one after the other': { ask: oneAfterTheOther, found: [] },
      };
      for (let pair = 0; pair < PAIRS; pair++)
        for (const [name, { ask, found }] of Object.entries(ways)) {
          const one = alike(await ask());
          found.push(one);
          console.log(`  ${String(pair + 1).padStart(2)}  ${name}: ${words([one])}`);
        }
      for (const [name, { found }] of Object.entries(ways)) console.log(`  ${name}: ${words(found)}`);
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
  for (const words of [
    ['init', '--quiet'],
    ['add', '--all'],
    [...who, 'commit', '--quiet', '--message', 'A'],
  ])
    execFileSync('git', ['-C', folder, ...words]);
}

async function inTurn(): Promise<RunComparison> {
  return gate('results', 'alike.yaml', { base: 'HEAD', head: 'HEAD', gates: GATES });
}

async function oneAfterTheOther(): Promise<RunComparison> {
  const { id: reference } = await run('results', 'alike.yaml');
  const { id } = await run('results', 'alike.yaml');
  return compare('results', reference, { run: id, gates: GATES });
}

function alike({ document, broken }: RunComparison): Alike {
  const latencies = document.compared.filter(({ metric }) => metric === 'latency');
  return {
    broken: broken.length,
    false: latencies.filter(({ verdict }) => verdict === 'faster' || verdict === 'slower').length,
    compared: latencies.length,
    undecided: document.uncompared.filter(({ metrics }) => metrics.includes('latency')).length,
    halves: latencies.map(({ change }) => (change.high - change.low) / 2),
    inTurn: document.inTurn.length > 0,
  };
}

function words(found: readonly Alike[]): string {
  const sum = (of: (one: Alike) => number): number => found.reduce((all, one) => all + of(one), 0);
  const halves = found.flatMap((one) => one.halves);
  const width = halves.length === 0 ? '–' : `±${(100 * median([...halves])).toFixed(2)} %`;
  return `${sum((one) => one.broken)} gates broken, ${sum((one) => one.false)} of ${sum((one) => one.compared)} latencies called different, ${sum((one) => one.undecided)} not decided, half width ${width} (median), recognised as in turn ${sum((one) => Number(one.inTurn))} of ${found.length}`;
}
