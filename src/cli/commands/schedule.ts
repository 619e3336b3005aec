import { hostname } from 'node:os';
import { Command } from 'commander';
import { checkedAddresses } from '../../alerts/mail.js';
import { checkedWebhook } from '../../alerts/webhook.js';
import { InputError } from '../../base/errors.js';
import {
  addSchedule,
  listSchedules,
  removeSchedule,
  runNow,
  type ListedSchedule,
  type ScheduleTime,
} from '../../queue/schedules.js';
import { withResults } from '../../library/results.js';
import { referenceRun } from '../../store/baselines.js';
import * as format from '../../text/format.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { givenAddress, queueOption, withQueue } from '../options/queue-options.js';
import { addSubmissionOptions, askedTemplate, type SubmissionFlags } from '../options/submission-options.js';
import { listText } from '../output/lists.js';

interface Flags {
  readonly db?: string;
  readonly json?: true;
}

interface AddFlags extends Flags, SubmissionFlags {
  readonly name?: string;
  readonly tz: string;
  readonly webhook?: string;
  readonly email?: string;
  readonly baseline?: string;
}

/** `edgeflex schedule`: suites that are submitted again and again. */
export function scheduleCommand(): Command {
  const command = new Command('schedule')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(removeCommand())
    .addCommand(runNowCommand());
  return explained(command, {
    examples: ['edgeflex schedule add "0 3 * * *" cifar10 --device pi5-a', 'edgeflex schedule list'],
  });
}

function addCommand(): Command {
  const command = addSubmissionOptions(
    new Command('add')
      .description('submit a suite at certain times, whichever worker is running then')
      .argument('<times>', 'when: minute, hour, day of month, month, day of week, as cron has it')
      .argument('<suite>', 'a suite file, or a name listed by "edgeflex suites"; as it is now')
      .addOption(queueOption())
      .option('--name <name>', 'what to call the schedule (default: as the suite)')
      .option('--tz <zone>', 'time zone of the times, such as Europe/Berlin', 'UTC')
      .option(
        '--webhook <address>',
        'post regressions there, signed with EDGEFLEX_WEBHOOK_SECRET of the workers',
      )
      .option('--email <addresses>', 'mail regressions to them, through EDGEFLEX_SMTP of the workers')
      .option(
        '--baseline <name>',
        'also tell what is worse than in this baseline, or the run whose id begins so (default: the history alone)',
      ),
  )
    .option('--json', 'print the schedule as JSON')
    .action(async (times: string, reference: string, flags: AddFlags) => {
      refuseFolder(flags.db, times, reference);
      const template = await askedTemplate('schedule add', reference, flags);
      const { name = template.suite, tz: timezone, webhook, email, baseline = null } = flags;
      // One that there is not is refused now, and not at night.
      if (baseline !== null)
        await withResults(givenAddress(flags.db), { readonly: true }, ({ db }) =>
          referenceRun(db, baseline, template.suite),
        );
      const listed = await withQueue(flags.db, async (queue) => {
        await addSchedule(queue, {
          ...{ name, cron: times, timezone, template, baseline },
          webhook: webhook === undefined ? null : checkedWebhook(webhook),
          email: email === undefined ? null : checkedAddresses(email),
        });
        return (await listSchedules(queue)).filter((each) => each.name === name);
      });
      if (flags.json) printJson('schedule add', listed);
      else console.log(listed.map((each) => `${name}: next on ${format.moment(each.nextAt)}.`).join('\n'));
    });
  return explained(command, {
    notes: [
      'The suite is stored as it is now: remove the schedule and add it again after changing the file. A run records the commit that is checked out in the folder of the worker that submits it.',
      'Times that no worker was running at are recorded as missed, not made up for. Nothing is submitted while the run before goes on.',
    ],
    examples: [
      'edgeflex schedule add "0 3 * * *" cifar10 --device pi5-a --name nightly --tz Europe/Berlin',
      'edgeflex schedule add "0 22 * * 5" suites/all.yaml --needs vnni --email lab@example.org',
    ],
  });
}

function listCommand(): Command {
  const command = new Command('list')
    .description('list schedules, and what became of their last times')
    .addOption(queueOption())
    .option('--json', 'print the list as JSON')
    .action(async ({ db, json }: Flags) => {
      const schedules = await withQueue(db, listSchedules);
      if (json) printJson('schedule list', schedules);
      else console.log(schedules.length === 0 ? 'There are no schedules.' : schedulesText(schedules));
    });
  return explained(command, { examples: ['edgeflex schedule list', 'edgeflex schedule list --json'] });
}

function removeCommand(): Command {
  const command = new Command('remove')
    .description('remove a schedule and the record of its times and alerts; its runs stay')
    .argument('<name>', 'of the schedule')
    .addOption(queueOption())
    .option('--json', 'print the result as JSON')
    .action(async (name: string, { db, json }: Flags) => {
      await withQueue(db, (queue) => removeSchedule(queue, name));
      if (json) printJson('schedule remove', { removed: name });
      else console.log(`${name} removed.`);
    });
  return explained(command, {
    examples: ['edgeflex schedule remove nightly', 'edgeflex schedule remove nightly --json'],
  });
}

function runNowCommand(): Command {
  const command = new Command('run-now')
    .description('submit what a schedule submits, at once; it is checked and told as at its times')
    .argument('<name>', 'of the schedule')
    .addOption(queueOption())
    .option('--json', 'print the run as JSON')
    .action(async (name: string, { db, json }: Flags) => {
      const run = await withQueue(db, (queue) => runNow(queue, name, hostname()));
      if (json) printJson('schedule run-now', { schedule: name, run });
      else console.log(`Submitted as run ${run}. "edgeflex queue show ${run}" tells how far it is.`);
    });
  return explained(command, {
    examples: ['edgeflex schedule run-now nightly', 'edgeflex schedule run-now nightly --json'],
  });
}

/** Without a server there is nobody who could watch the clock but the system. */
function refuseFolder(db: string | undefined, times: string, suite: string): void {
  if (db !== undefined && db !== '') return;
  throw new InputError({
    source: 'schedule add',
    found: 'no --db: results in a folder, which no worker watches',
    expected: 'a PostgreSQL database, such as postgres://user@host/edgeflex',
    hint: `For results in a folder, give the system's cron the line (crontab -e): ${times} cd '${process.cwd()}' && edgeflex run ${suite} && edgeflex history <name of the suite> --fail-on-regression`,
  });
}

function schedulesText(schedules: readonly ListedSchedule[]): string {
  return listText(
    {
      ...{ name: 'schedule', when: 'when', suite: 'suite', next: 'next (UTC)' },
      ...{ last: 'last', alerts: 'worse now', undelivered: 'undelivered' },
    },
    schedules.map(({ name, cron, timezone, suite, nextAt, times: [last], openAlerts, undelivered }) => ({
      ...{ name, when: `${cron} ${timezone}`, suite, next: format.moment(nextAt).replace(' UTC', '') },
      last: last === undefined ? '' : timeText(last),
      ...{ alerts: String(openAlerts), undelivered: String(undelivered) },
    })),
  );
}

function timeText({ dueAt, outcome, times, run }: ScheduleTime): string {
  const when = format.moment(dueAt).replace(' UTC', '');
  if (outcome === 'missed') return `${when}: ${times === 1 ? 'missed' : `the last of ${times} missed`}`;
  return outcome === 'submitted' ? `${when}: run ${run ?? ''}` : `${when}: the run before had not ended`;
}
