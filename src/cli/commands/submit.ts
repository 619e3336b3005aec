import { Command } from 'commander';
import type { Submission } from '../../queue/jobs.js';
import { submissionFrom } from '../../queue/submit.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { queueOption, withQueue } from '../options/queue-options.js';
import { addSubmissionOptions, askedTemplate, type SubmissionFlags } from '../options/submission-options.js';

interface Flags extends SubmissionFlags {
  readonly db?: string;
  readonly json?: true;
}

/** `edgeflex submit`: hands a suite to the workers of a queue. */
export function submitCommand(): Command {
  const command = addSubmissionOptions(
    new Command('submit')
      .argument('<suite>', 'a suite file, or a name listed by "edgeflex suites"')
      .addOption(queueOption()),
  )
    .option('--json', 'print what was submitted as JSON')
    .action(async (reference: string, flags: Flags) => {
      const submission = await submissionFrom(await askedTemplate('submit', reference, flags));
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
