import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { edgeflex } from '../cli/support.js';

const docs = join(packageRoot(), 'docs');

const workflowSchema = z.object({
  env: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.object({
      steps: z.array(
        z.object({ uses: z.string().optional(), run: z.string().optional(), if: z.string().optional() }),
      ),
    }),
  ),
});
const workflow = workflowSchema.parse(
  parse(readFileSync(join(docs, 'examples', 'edgeflex-pull-request.yml'), 'utf8')),
);
const scripts = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
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
  it('names a suite that there is', () => {
    const suite = z
      .object({ name: z.string() })
      .parse(parse(readFileSync(join(packageRoot(), workflow.env['SUITE']!), 'utf8')));
    expect(suite.name).toBe(workflow.env['SUITE_NAME']);
  });

  it('runs, compares, and makes main the baseline', () => {
    const names = scripts.flatMap(callsIn).map((words) => words[0]);
    for (const name of ['run', 'compare', 'baseline', 'runs', 'history']) expect(names).toContain(name);
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
