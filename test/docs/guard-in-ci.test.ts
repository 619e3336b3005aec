import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { wordsOf } from '../cli/parsed.js';
import { edgeflexProcess, start, type Outcome } from '../cli/support.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, shapesDirectory } from '../support/micro.js';

const folder = useFolder();
const page = readFileSync(join(packageRoot(), 'docs', 'tutorials', 'guard-in-ci.md'), 'utf8');

/** The calls of the command in the tutorial. */
const calls = [...page.matchAll(/^npx edgeflex (.*)$/gm)].map(([, line]) => wordsOf(line!));

function git(...args: string[]): string {
  return execFileSync('git', ['-C', folder('work'), ...args], {
    encoding: 'utf8',
    env: {
      ...{ ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
      ...{ GIT_AUTHOR_NAME: 'A Tester', GIT_AUTHOR_EMAIL: 'tester@example.org' },
      ...{ GIT_COMMITTER_NAME: 'A Tester', GIT_COMMITTER_EMAIL: 'tester@example.org' },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** A commit of a suite by the name of the tutorial's, on the built-in model, with so much of its MLPs pruned; and of a tool to build. */
async function commit(message: string, ratio: number, builds = true): Promise<string> {
  const suite = {
    ...{ name: 'quickstart', data: { name: 'shapes10', path: shapesDirectory } },
    ...{ models: [{ path: microDirectory }], recipes: ['./int8.yaml'] },
    ...{ devices: [join(packageRoot(), 'devices', 'local-cpu.yaml')], accuracy: { images: 16, batch: 16 } },
    performance: { batches: [1], tier: 'smoke', rounds: 2 },
  };
  const files: Readonly<Record<string, string>> = {
    'suites/quickstart.yaml': JSON.stringify(suite),
    'suites/int8.yaml': JSON.stringify({ name: 'int8', stages: [{ prune: { ratio, images: 16 } }] }),
    'package.json': JSON.stringify({
      name: 'x',
      scripts: { build: builds ? 'true' : 'echo broken && false' },
    }),
    '.gitignore': 'results/\nreports/\nsite/\n',
    'message.txt': message,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(folder('work', name)), { recursive: true });
    await writeFile(folder('work', name), text);
  }
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
  return git('rev-parse', 'HEAD');
}

/** Gives a command of the tutorial as it stands there, in the checkout, but for what a word is exchanged for. */
async function given(
  name: string,
  exchange: Readonly<Record<string, string>> = {},
  ...more: string[]
): Promise<Outcome> {
  const words = calls.find(([first]) => first === name)!.map((word) => exchange[word] ?? word);
  return edgeflexProcess([...words, ...more], environment(), folder('work'));
}

/** With temporary files of its own. */
function environment(): NodeJS.ProcessEnv {
  return { EDGEFLEX_CACHE: folder('cache'), TMPDIR: folder('tmp') };
}

/** What this command leaves among the temporary files while it works. */
function temporary(): string[] {
  return readdirSync(folder('tmp')).filter((name) => /^edgeflex-(worktree|turns)-/.test(name));
}

const foundSchema = z.object({
  first: z.object({ commits: z.array(z.string()), probability: z.number() }),
  found: z.boolean(),
  commits: z.array(
    z.object({ commit: z.string(), skipped: z.string().nullable(), tests: z.array(z.unknown()) }),
  ),
});

it('its commands judge a branch, find the commit that made the file larger, and publish the history', async () => {
  await mkdir(folder('work'));
  git('init', '--quiet', '--initial-branch', 'main');
  await commit('one', 0.5);
  git('tag', 'v1.0');
  await commit('two', 0.5);
  const broken = await commit('does not build', 0.5, false);
  const guilty = await commit('a larger model', 0.25);
  const after = await commit('five', 0.25);
  await mkdir(folder('tmp'));

  const found = await given(
    'bisect',
    { 'latency@int8:3%': 'file:1%', 'npm ci': 'npm run --silent build' },
    '--json',
  );
  expect(found.code, found.err).toBe(0);
  const { first, commits, found: isFound } = foundSchema.parse(JSON.parse(found.out));
  // Between a commit that cannot be built and the next one nothing can tell.
  expect([first.commits, isFound]).toEqual([[broken, guilty], true]);
  expect(first.probability).toBeGreaterThan(0.95);
  expect(commits.map(({ skipped, tests }) => [skipped !== null, tests.length > 0])).toEqual([
    ...[[false, true] as const, [true, false] as const, [false, true] as const, [false, true] as const],
  ]);
  expect(commits.at(-1)!.commit).toBe(after);
  expect(found.err).toContain('broken');

  // On a branch that takes back what was done.
  git('switch', '--quiet', '--create', 'smaller');
  await commit('small again', 0.5);
  const judged = await given('gate', { 'latency:5%,memory:5%,accuracy:0.3pt': 'file:1%' });
  expect(judged.code, judged.err).toBe(0);
  expect(judged.out).toMatch(/int8 .*file size.* smaller/s);

  const history = await given('history', {}, '--json', '--branch', 'main');
  expect(history.code, history.err).toBe(0);
  expect(JSON.parse(history.out)).toMatchObject({
    branch: 'main',
    otherBranches: [{ branch: 'smaller', runs: 1 }],
  });

  const published = await given('site');
  expect(published.code, published.err).toBe(0);
  expect(existsSync(folder('work', 'site', 'index.html'))).toBe(true);

  // Stopped in the middle.
  const words = ['gate', 'suites/quickstart.yaml', '--base', 'main'];
  const stopped = start(words, environment(), folder('work'));
  await stopped.said('base │ run');
  stopped.child.kill('SIGINT');
  expect((await stopped.ended).code).toBe(exitCodes.interrupted);

  // The user's own work tree is as it was, and nothing is left of the others.
  expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  expect(git('status', '--porcelain')).toBe('');
  expect(temporary()).toEqual([]);
}, 300_000);
