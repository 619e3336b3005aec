import { userInfo } from 'node:os';
import { Command, Option } from 'commander';
import { wishedSuite } from '../../library/run.js';
import { loadedPlugins } from '../../plugins/load.js';
import type { Submission } from '../../queue/jobs.js';
import { readRequirements, type Requirement } from '../../queue/requirements.js';
import { planSubmission } from '../../queue/submit.js';
import type { Tier } from '../../suite/schema.js';
import { collected, countOf, partOf } from '../options/flags.js';
import { scenarioOptions } from '../options/scenario-options.js';
import { givenCommand } from '../options/given.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { queueOption, withQueue } from '../options/queue-options.js';

interface Flags {
  readonly db?: string;
  readonly device: readonly string[];
  readonly needs: readonly (readonly Requirement[])[];
  readonly identical?: true;
  readonly compressFirst?: true;
  readonly priority: number;
  readonly person?: string;
  readonly model?: string;
  readonly images?: number;
  readonly batch?: readonly number[];
  readonly tier?: Tier;
  readonly rounds?: number;
  readonly precision?: number;
  readonly json?: true;
}

/** `edgeflex submit`: hands a suite to the workers of a queue. */
export function submitCommand(): Command {
  const [images, batch, tier, rounds] = scenarioOptions(1);
  const command = new Command('submit')
    .argument('<suite>', 'a suite file, or a name listed by "edgeflex suites"')
    .addOption(queueOption())
    .addOption(
      new Option(
        '--device <name>',
        'measure on this device of the fleet, as "edgeflex queue devices" or its profile calls it; repeatable',
      )
        .argParser(collected)
        .default([], "the suite's devices"),
    )
    .addOption(
      new Option(
        '--needs <requirements>',
        'measure on any device that meets all of these, such as vnni,memory>=8GiB,arch=arm64; repeatable, one device each',
      )
        .argParser((text: string, before: readonly (readonly Requirement[])[]) => [
          ...before,
          readRequirements(text),
        ])
        .default([], 'none'),
    )
    .option('--identical', 'let an identical device continue what a lost one has begun; it is recorded')
    .option('--compress-first', 'compress in a job of its own, on a worker started with --compress')
    .option('--priority <n>', 'jobs of a higher priority come first', countOf, 0)
    .option('--person <name>', 'who asks; people get equal shares (default: the user)')
    .option('--model <model>', "measure this model instead of the suite's, as of edgeflex run")
    .addOption(images)
    .addOption(batch)
    .addOption(tier)
    .addOption(rounds)
    .option('--precision <share>', 'keep adding rounds until speedups are known to ±this, such as 1%', partOf)
    .option('--json', 'print what was submitted as JSON')
    .action(async (reference: string, flags: Flags) => {
      const { model, images, batch: batches, tier, rounds, precision } = flags;
      const suite = await wishedSuite('submit', reference, {
        ...{ model, images, batches, tier, rounds, precision },
      });
      const submission = await planSubmission(suite, {
        ...{ devices: flags.device, needs: flags.needs, priority: flags.priority },
        ...{ identical: flags.identical ?? false, compress: flags.compressFirst ?? false },
        ...{ person: flags.person ?? userInfo().username, command: givenCommand() },
        plugins: loadedPlugins(),
      });
      await withQueue(flags.db, (queue) => queue.submit(submission));
      const { run, suite: name, jobs } = submission;
      if (flags.json) printJson('submit', { run: run.id, suite: name, jobs: jobs.length });
      else console.log(submittedText(submission));
    });
  return explained(command, {
    notes: [
      'A suite becomes one run, and a job for each of its devices: rounds are interleaved on one device. Either all of its jobs are queued or none.',
      'Models and images that are files must lie in folders that the workers see under the same path; what comes with EdgeFlex, and models of the Hub, need not.',
    ],
    examples: [
      'edgeflex submit quickstart --db postgres://lab@db.example/edgeflex',
      ['edgeflex submit cifar10 --device pi5-a --device pi5-b', 'on two boards, with EDGEFLEX_DB set'],
      ['edgeflex submit cifar10 --needs "vnni,memory>=8GiB" --identical', 'on any device that can'],
    ],
  });
}

function submittedText({ run: { id }, suite, jobs }: Submission): string {
  return [
    `Submitted ${suite} as run ${id}: ${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}.`,
    `"edgeflex queue show ${id}" tells how far they are.`,
  ].join('\n');
}
