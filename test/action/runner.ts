import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** A step: of the shell, or of another action. */
const stepSchema = z
  .strictObject({
    id: z.string().optional(),
    name: z.string().optional(),
    if: z.string().optional(),
    uses: z.string().optional(),
    with: z.record(z.string(), z.string()).optional(),
    shell: z.literal('bash').optional(),
    env: z.record(z.string(), z.string()).optional(),
    run: z.string().optional(),
  })
  .refine(({ uses, run, shell }) => (uses === undefined) === (run !== undefined && shell !== undefined), {
    message: 'a step either uses an action or runs a script, and says by which shell',
  });

/** A composite action, as docs.github.com has it ("Metadata syntax for GitHub Actions"). */
const actionSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().min(1).max(125),
  author: z.string().optional(),
  branding: z.strictObject({ icon: z.string(), color: z.string() }).optional(),
  inputs: z.record(
    z.string().regex(/^[a-z][a-z-]*$/),
    z.strictObject({
      description: z.string().min(1),
      required: z.boolean().optional(),
      default: z.string().optional(),
    }),
  ),
  outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })).optional(),
  runs: z.strictObject({ using: z.literal('composite'), steps: z.array(stepSchema) }),
});

/** A composite action. */
export type Action = z.infer<typeof actionSchema>;
type Step = Action['runs']['steps'][number];

/**
 * Reads an action.
 *
 * @param path - of its `action.yml`
 */
export async function readAction(path: string): Promise<Action> {
  return actionSchema.parse(parse(await readFile(path, 'utf8')));
}

/** What became of a step that ran. */
export interface StepEnd {
  readonly name: string;
  readonly code: number;
  readonly out: string;
}

/** What a job is like. */
export interface Job {
  /** Where it works. */
  readonly workspace: string;
  /** A folder for the files of the runner. */
  readonly temporary: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Of the context `github`, by path: `event.pull_request.base.sha`. */
  readonly github: Readonly<Record<string, string>>;
  /** What the actions that are used give, by `id.output`. */
  readonly used: Readonly<Record<string, string>>;
}

/**
 * Runs a composite action as GitHub's runner does: inputs with their defaults, expressions, conditions, `bash -e -o pipefail`, a failed step that
 * ends the others but for those that go on. Actions that it uses are not run; what they give is given.
 *
 * @param action - the action
 * @param inputs - what a workflow says behind `with:`
 * @param job - what it is run in
 * @returns the steps of the shell that ran, in order
 */
export async function runAction(
  action: Action,
  inputs: Readonly<Record<string, string>>,
  job: Job,
): Promise<StepEnd[]> {
  for (const name of Object.keys(inputs))
    if (!(name in action.inputs)) throw new Error(`the action has no input ${name}`);
  const context = new Map<string, string>(
    Object.entries(job.github).map(([path, value]) => [`github.${path}`, value]),
  );
  for (const [path, value] of Object.entries(job.used)) {
    const [id, output] = path.split('.');
    context.set(`steps.${id!}.outputs.${output!}`, value);
  }
  for (const [name, { required, default: usual }] of Object.entries(action.inputs)) {
    if (required && inputs[name] === undefined) throw new Error(`the input ${name} is missing`);
    context.set(`inputs.${name}`, inputs[name] ?? expanded(usual ?? '', context));
  }
  const ends: StepEnd[] = [];
  for (const step of action.runs.steps) {
    const failed = ends.some(({ code }) => code !== 0);
    if (!isDue(step, failed, context) || step.run === undefined) continue;
    ends.push(await runStep(step, ends.length, context, job));
  }
  return ends;
}

/** Without a word on the state of the job a condition means: and nothing has failed. */
function isDue(step: Step, failed: boolean, context: ReadonlyMap<string, string>): boolean {
  const condition = (step.if ?? 'success()').replace(/^\$\{\{(.*)\}\}$/s, '$1');
  const says = /\b(?:always|cancelled|failure|success)\(\)/.test(condition);
  return (says || !failed) && isTrue(valueOf(condition, context, failed));
}

async function runStep(
  step: Step,
  index: number,
  context: ReadonlyMap<string, string>,
  job: Job,
): Promise<StepEnd> {
  const files = ['script', 'summary'].map((name) => join(job.temporary, `${name}-${index}`));
  const [script, summary] = files as [string, string];
  await writeFile(script, expanded(step.run!, context));
  await writeFile(summary, '');
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(step.env ?? {})) own[name] = expanded(value, context);
  const child = spawn('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], {
    cwd: job.workspace,
    env: { ...job.environment, GITHUB_STEP_SUMMARY: summary, ...own },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (out += text));
  const code = await new Promise<number>((resolve) => {
    child.on('close', (ended) => {
      resolve(ended ?? 1);
    });
  });
  return { name: step.name ?? '', code, out };
}

/** A text with its expressions replaced. */
function expanded(text: string, context: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/gs, (_: string, expression: string) =>
    valueOf(expression, context, false),
  );
}

/** The value of an expression of names, texts, `==`, `!=`, `!`, `&&` and `||`: all that the action uses. */
function valueOf(expression: string, context: ReadonlyMap<string, string>, failed: boolean): string {
  const words = [...expression.matchAll(/'([^']*)'|(==|!=|&&|\|\||!)|([\w.-]+(?:\(\))?)|(\S)/g)].map(
    ([all, quoted, sign, name, other]) => {
      if (other !== undefined) throw new Error(`not understood in an expression: ${other}`);
      return { sign, value: sign ?? (all.startsWith("'") ? quoted! : known(name!, context, failed)) };
    },
  );
  let at = 0;
  const operand = (): string => {
    if (words[at]?.sign === '!') {
      at++;
      return String(!isTrue(operand()));
    }
    return words[at++]?.value ?? '';
  };
  const equality = (): string => {
    const left = operand();
    const sign = words[at]?.sign;
    if (sign !== '==' && sign !== '!=') return left;
    at++;
    // GitHub compares texts without regard to case.
    return String((left.toLowerCase() === operand().toLowerCase()) === (sign === '=='));
  };
  const both = (): string => {
    let left = equality();
    while (words[at]?.sign === '&&') {
      at++;
      const right = equality();
      left = isTrue(left) ? right : left;
    }
    return left;
  };
  let value = both();
  while (words[at]?.sign === '||') {
    at++;
    const right = both();
    value = isTrue(value) ? value : right;
  }
  return value;
}

function known(name: string, context: ReadonlyMap<string, string>, failed: boolean): string {
  if (name === 'cancelled()') return 'false';
  if (name === 'success()') return String(!failed);
  if (name === 'always()') return 'true';
  if (name.startsWith('inputs.') && !context.has(name)) throw new Error(`no input ${name}`);
  return context.get(name) ?? '';
}

function isTrue(value: string): boolean {
  return value !== '' && value !== 'false';
}

/**
 * What a step has put into the summary of the job.
 *
 * @param job - that it ran in
 * @param index - of the step among those that ran
 */
export async function summaryOf(job: Job, index: number): Promise<string> {
  const path = join(job.temporary, `summary-${index}`);
  return existsSync(path) ? readFile(path, 'utf8') : '';
}
