import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { wordsOf } from '../cli/parsed.js';
import { edgeflexProcess, start, type Outcome } from '../cli/support.js';
import { commitFiles, git, pruningSuite } from '../support/checkout.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();
const page = readFileSync(join(packageRoot(), 'docs', 'tutorials', 'guard-in-ci.md'), 'utf8');

/** The calls of the command in the tutorial. */
const calls = [...page.matchAll(/^npx edgeflex (.*)$/gm)].map(([, line]) => wordsOf(line!));

const checkout = (): string => folder('work');

/** A commit of a suite by the name of the tutorial's, on the built-in model, with so much of its MLPs pruned; and of a tool to build. */
async function commit(message: string, ratio: number, builds = true): Promise<string> {
  return commitFiles(checkout(), message, {
    ...pruningSuite('suites/quickstart.yaml', 'quickstart', 'int8', ratio),
    'package.json': JSON.stringify({
      name: 'x',
      scripts: { build: builds ? 'true' : 'echo broken && false' },
    }),
    '.gitignore': 'results/\nreports/\nsite/\n',
    'message.txt': message,
  });
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
  git(checkout(), 'init', '--quiet', '--initial-branch', 'main');
  await commit('one', 0.5);
  git(checkout(), 'tag', 'v1.0');
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
  git(checkout(), 'switch', '--quiet', '--create', 'smaller');
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
  expect(git(checkout(), 'worktree', 'list').split('\n')).toHaveLength(1);
  expect(git(checkout(), 'status', '--porcelain')).toBe('');
  expect(temporary()).toEqual([]);
}, 300_000);
