import { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { jobName, type ListedJob } from '../../queue/jobs.js';
import { findJobs, listFleet, listJobs, takesOf } from '../../queue/list.js';
import { requirementsText } from '../../queue/requirements.js';
import { drain } from '../../queue/roster.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText } from '../output/lists.js';
import { queueOption, withQueue } from '../options/queue-options.js';

interface Flags {
  readonly db?: string;
  readonly json?: true;
}

/** `edgeflex queue`: looks at the queue, and cancels what is in it. */
export function queueCommand(): Command {
  const command = new Command('queue')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(cancelCommand())
    .addCommand(devicesCommand())
    .addCommand(drainCommand());
  return explained(command, {
    examples: [
      'edgeflex queue list --db postgres://lab@db.example/edgeflex',
      ['edgeflex queue show 20261129', 'with EDGEFLEX_DB set'],
    ],
  });
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list jobs: those being worked on, then those waiting, by what comes first')
    .addOption(queueOption())
    .option('--all', 'include those that have ended')
    .option('--json', 'print the list as JSON')
    .action(async ({ db, all, json }: Flags & { readonly all?: true }) => {
      const jobs = await withQueue(db, (queue) => listJobs(queue, all ?? false));
      if (json) printJson('queue list', jobs);
      else console.log(jobs.length === 0 ? 'The queue is empty.' : jobsText(jobs));
    });
  return explained(command, { examples: ['edgeflex queue list', 'edgeflex queue list --all'] });
}

function showCommand(): Command {
  const command = new Command('show')
    .description('show the jobs of a run, and who has worked on them')
    .argument('<job>', 'a run or one of its jobs, such as 20261129-081500-1f2e3d4c/2, or its beginning')
    .addOption(queueOption())
    .option('--json', 'print them as JSON')
    .action(async (reference: string, { db, json }: Flags) => {
      const { jobs, takes } = await withQueue(db, async (queue) => {
        const found = await findJobs(queue, reference);
        if (found.length === 0) throw unknown(reference);
        return {
          jobs: found,
          takes: await takesOf(
            queue,
            found.map(({ id }) => id),
          ),
        };
      });
      if (json) {
        printJson('queue show', { jobs, takes });
        return;
      }
      const nameOf = new Map(jobs.map((job) => [job.id, jobName(job)]));
      console.log(jobsText(jobs));
      if (takes.length === 0) return;
      console.log(
        `\n${listText(
          {
            ...{ job: 'job', worker: 'worker', device: 'device', rounds: 'from round' },
            ...{ taken: 'taken', ended: 'ended', outcome: 'outcome' },
          },
          takes.map(({ job, worker, device, rounds, takenAt, endedAt, outcome, reason }) => ({
            ...{ job: nameOf.get(job) ?? job, worker, device, rounds: String(rounds), taken: takenAt },
            ended: endedAt ?? '',
            outcome: [outcome, reason].filter((each) => each !== null).join(': '),
          })),
        )}`,
      );
    });
  return explained(command, {
    examples: [
      'edgeflex queue show 20261129-081500',
      'edgeflex queue show 20261129-081500-1f2e3d4c/1 --json',
    ],
  });
}

function cancelCommand(): Command {
  const command = new Command('cancel')
    .description('cancel what has not ended of a run; what those jobs have measured is not kept')
    .argument('<job>', 'a run or one of its jobs, such as 20261129-081500-1f2e3d4c/2, or its beginning')
    .addOption(queueOption())
    .option('--json', 'print how many were cancelled as JSON')
    .action(async (reference: string, { db, json }: Flags) => {
      const cancelled = await withQueue(db, async (queue) => {
        if ((await findJobs(queue, reference)).length === 0) throw unknown(reference);
        return queue.cancel(reference);
      });
      if (json) printJson('queue cancel', { cancelled });
      else console.log(cancelled === 1 ? '1 job cancelled' : `${cancelled} jobs cancelled`);
    });
  return explained(command, {
    examples: ['edgeflex queue cancel 20261129-081500', 'edgeflex queue cancel 20261129-081500-1f2e3d4c/1'],
  });
}

function devicesCommand(): Command {
  const command = new Command('devices')
    .description('list the devices of all workers, and what they are doing')
    .addOption(queueOption())
    .option('--json', 'print the list as JSON')
    .action(async ({ db, json }: Flags) => {
      const devices = await withQueue(db, (queue) => listFleet(queue));
      if (json) printJson('queue devices', devices);
      else if (devices.length === 0) console.log('No worker is running.');
      else
        console.log(
          listText(
            {
              name: 'device',
              worker: 'worker',
              version: 'version',
              state: 'state',
              job: 'job',
              seenAt: 'seen',
            },
            devices.map(({ name, worker, version, state, job, reason, seenAt }) => ({
              ...{ name, worker, version, state, job: job ?? reason ?? '', seenAt },
            })),
          ),
        );
    });
  return explained(command, { examples: ['edgeflex queue devices', 'edgeflex queue devices --json'] });
}

function drainCommand(): Command {
  const command = new Command('drain')
    .description('let a worker end after the jobs that it has')
    .argument('<name>', 'of the worker')
    .addOption(queueOption())
    .option('--json', 'print the result as JSON')
    .action(async (name: string, { db, json }: Flags) => {
      if (!(await withQueue(db, (queue) => drain(queue, name))))
        throw new InputError({
          source: name,
          found: 'no running worker of that name',
          expected: 'a worker listed by "edgeflex queue devices"',
        });
      if (json) printJson('queue drain', { worker: name });
      else console.log(`${name} takes no more jobs.`);
    });
  return explained(command, { examples: ['edgeflex queue drain lab3', 'edgeflex queue drain lab3 --json'] });
}

function jobsText(jobs: readonly ListedJob[]): string {
  return listText(
    {
      ...{ job: 'job', suite: 'suite', person: 'person', priority: 'priority', place: 'device' },
      ...{ state: 'state', rounds: 'rounds' },
    },
    jobs.map((job) => ({
      ...{ job: jobName(job), suite: job.suite, person: job.person, priority: String(job.priority) },
      place: job.on ?? placeText(job),
      state: stateText(job),
      rounds: String(job.rounds),
    })),
  );
}

function placeText({ queue, device, needs }: ListedJob): string {
  if (queue === 'compress') return 'to compress';
  return [...(device === null ? [] : [device]), requirementsText(needs)]
    .filter((each) => each !== '')
    .join(', ');
}

function stateText({ state, version, candidates, failedCells, reason }: ListedJob): string {
  if (state === 'waiting' && candidates === 0)
    return `waiting: no running worker of version ${version} has such a device`;
  const cells = failedCells !== null && failedCells > 0 ? `, ${failedCells} cells failed` : '';
  return `${state}${cells}${reason === null ? '' : `: ${reason}`}`;
}

function unknown(reference: string): InputError {
  return new InputError({
    source: 'the queue',
    found: `no job of ${reference}`,
    expected: 'a run or one of its jobs, or its beginning',
    hint: '"edgeflex queue list --all" lists them.',
  });
}
