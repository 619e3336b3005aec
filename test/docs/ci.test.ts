import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { readAction } from '../action/runner.js';
import { edgeflex } from '../cli/support.js';

const docs = join(packageRoot(), 'docs');

const stepSchema = z.object({
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
});
const workflowSchema = z.object({
  env: z.record(z.string(), z.string()).optional(),
  jobs: z.record(z.string(), z.object({ steps: z.array(stepSchema) })),
});
const gitlabSchema = z.object({
  '.edgeflex': z.object({
    variables: z.record(z.string(), z.union([z.string(), z.number()])),
    script: z.array(z.string()),
    after_script: z.array(z.string()),
  }),
});

const exampleOf = (name: string): unknown => parse(readFileSync(join(docs, 'examples', name), 'utf8'));
const pullRequest = workflowSchema.parse(exampleOf('edgeflex-pull-request.yml'));
const history = workflowSchema.parse(exampleOf('edgeflex-history.yml'));
const { '.edgeflex': gitlab } = gitlabSchema.parse(exampleOf('edgeflex.gitlab-ci.yml'));
const action = await readAction(join(packageRoot(), 'action.yml'));
const scripts = [
  ...Object.values(history.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? [])),
  ...[...gitlab.script, ...gitlab.after_script],
];
const page = readFileSync(join(docs, 'ci.md'), 'utf8');

/** Every call of the command in a text: its words, without what the shell makes of them. */
function callsIn(text: string): string[][] {
  return [...text.replace(/\\\n/g, ' ').matchAll(/(?:npx )edgeflex ([^\n|)#`]*)/g)].map(([, words]) =>
    words!.trim().split(/\s+/),
  );
}

const calls = [...scripts, page].flatMap(callsIn);

/** What a command's help says, by its name. */
const helps = new Map<string, Promise<string>>();
function helpOf(command: string): Promise<string> {
  const known = helps.get(command) ?? edgeflex([...command.split(' '), '--help'], {}).then(({ out }) => out);
  helps.set(command, known);
  return known;
}

describe('the workflow for pull requests', () => {
  it('uses the action with inputs that it has, on a whole history', () => {
    const steps = Object.values(pullRequest.jobs).flatMap((job) => job.steps);
    const own = steps.find(({ uses }) => uses?.includes('/edgeflex@'));
    for (const name of Object.keys(own!.with!)) expect(Object.keys(action.inputs)).toContain(name);
    expect(own!.with!['suite']).toBe('suites/quickstart.yaml');
    expect(steps.find(({ uses }) => uses?.startsWith('actions/checkout'))!.with!['fetch-depth']).toBe(0);
  });

  it('is explained with every input of the action', () => {
    for (const name of Object.keys(action.inputs)) expect(page).toContain(`\`${name}\``);
  });
});

describe('the workflow for the main branch', () => {
  it('names a suite that there is', () => {
    const suite = z
      .object({ name: z.string() })
      .parse(parse(readFileSync(join(packageRoot(), history.env!['SUITE']!), 'utf8')));
    expect(suite.name).toBe(history.env!['SUITE_NAME']);
  });

  it('runs, makes main the baseline, and looks at the history; that of GitLab judges and comments', () => {
    const names = scripts.flatMap(callsIn).map((words) => words[0]);
    for (const name of ['run', 'baseline', 'runs', 'history', 'gate', 'comment'])
      expect(names).toContain(name);
  });
});

describe('commands in the documentation', () => {
  it('are found', () => {
    expect(calls.length).toBeGreaterThan(12);
  });

  it.each(calls.map((words) => [words.join(' '), words] as const))(
    'are commands of edgeflex, with flags that it has: %s',
    async (_, [first, ...rest]) => {
      const parent = await helpOf(first!);
      expect(parent).toMatch(new RegExp(`^Usage: edgeflex ${first!}\\b`));
      const isChild =
        rest[0] !== undefined &&
        new RegExp(`^ {2}${rest[0]}\\b`, 'm').test(parent.split('Commands:')[1] ?? '');
      const help = isChild ? await helpOf(`${first!} ${rest[0]!}`) : parent;
      const options = help.slice(help.indexOf('Options:'));
      for (const flag of rest.filter((word) => /^--?[a-z]/.test(word)))
        expect(options, flag).toMatch(new RegExp(`^ {2}(-\\w, )?${flag}\\b|^ {2}${flag},`, 'm'));
    },
    30_000,
  );
});
