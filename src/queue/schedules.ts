import { InputError } from '../base/errors.js';
import type { Queries } from './connection.js';
import { Cron } from './cron.js';
import type { Submission } from './jobs.js';
import type { JobQueue } from './queue.js';
import { notify } from './notify.js';
import { SCHEMA } from './schema.js';
import { submissionFrom, type SubmissionTemplate } from './submit.js';

/*
 * Schedules submit a suite again and again. pg-boss has a clock of its own, which is not used: it forgets a time when the process that looks at
 * it dies between looking and sending, sends one twice that two processes look at on either side of a full minute, and knows nothing of
 * times at which nobody looked. Here a time is a row whose key makes it one worker's, written in the transaction that submits.
 */

/** A time that is handled later than this, in milliseconds, was missed: a nightly run at noon disturbs the day's work. */
const LATEST = 10 * 60_000;

/** What is submitted when, and who is told. */
export interface NewSchedule {
  readonly name: string;
  /** Five fields. */
  readonly cron: string;
  /** As the IANA calls it. */
  readonly timezone: string;
  readonly template: SubmissionTemplate;
  /** Where alerts go; null: nowhere. */
  readonly webhook: string | null;
  readonly email: string | null;
  /** What its runs are compared with besides the history: a baseline, or the beginning of a run's id; null: nothing. */
  readonly baseline: string | null;
}

/** What became of one time of a schedule, or of several in a row that were missed. */
export interface ScheduleTime {
  readonly schedule: string;
  /** ISO 8601, UTC; of several that were missed, the last. */
  readonly dueAt: string;
  /**
   * `submitted`: as `run`. `missed`: no worker ran within ten minutes; nothing is submitted for it. `overlapping`: the run before had not ended.
   */
  readonly outcome: 'submitted' | 'missed' | 'overlapping';
  /** How many times these are. */
  readonly times: number;
  readonly run: string | null;
}

/** A schedule as it is listed. */
export interface ListedSchedule extends Omit<NewSchedule, 'template'> {
  readonly suite: string;
  readonly person: string;
  /** ISO 8601, UTC. */
  readonly nextAt: string;
  /** The newest times first, at most ten. */
  readonly times: readonly ScheduleTime[];
  /** Things that are worse and have been told. */
  readonly openAlerts: number;
  /** Messages that could not be delivered yet, or were given up. */
  readonly undelivered: number;
}

/**
 * Adds a schedule.
 *
 * @throws InputError when there is one of the name, or its times cannot be read
 */
export async function addSchedule({ connection }: JobQueue, schedule: NewSchedule): Promise<void> {
  const { name, cron, timezone, template, webhook, email, baseline } = schedule;
  await Cron.read(cron, timezone);
  const { rowCount } = await connection.query(
    `insert into ${SCHEMA}.schedule (name, cron, timezone, suite, template, webhook, email, baseline)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [name, cron, timezone, template.suite, JSON.stringify(template), webhook, email, baseline],
  );
  if (rowCount === 1) return;
  throw new InputError({
    source: '--name',
    found: `${name}, which is a schedule already`,
    expected: 'another name',
    hint: `"edgeflex schedule remove ${name}" removes the other one.`,
  });
}

/**
 * Removes a schedule with the record of its times and alerts; its runs stay.
 *
 * @throws InputError when there is none of the name
 */
export async function removeSchedule({ connection }: JobQueue, name: string): Promise<void> {
  const { rowCount } = await connection.query(`delete from ${SCHEMA}.schedule where name = $1`, [name]);
  if (rowCount !== 1) throw unknown(name);
}

/** All schedules, by name. */
export async function listSchedules({ connection }: JobQueue): Promise<readonly ListedSchedule[]> {
  const { rows } = await connection.query<Omit<ListedSchedule, 'nextAt' | 'times'> & { readonly now: Date }>(
    `select name, cron, timezone, suite, template ->> 'person' as person, webhook, email, baseline, now() as now,
       (select count(*)::integer from ${SCHEMA}.alert a where a.schedule = s.name and a.resolved_at is null) as "openAlerts",
       (select count(*)::integer from ${SCHEMA}.notification n where n.schedule = s.name and n.delivered_at is null) as undelivered
     from ${SCHEMA}.schedule s order by name`,
  );
  const times = await connection.query<Omit<ScheduleTime, 'dueAt'> & { readonly dueAt: Date }>(
    `select schedule, due_at as "dueAt", outcome, times, run from (
       select *, row_number() over (partition by schedule order by due_at desc) as place from ${SCHEMA}.schedule_time) t
     where place <= 10 order by due_at desc`,
  );
  return Promise.all(
    rows.map(async ({ now, ...row }) => ({
      ...row,
      nextAt: (await Cron.read(row.cron, row.timezone)).next(now).toISOString(),
      times: times.rows
        .filter(({ schedule }) => schedule === row.name)
        .map(({ dueAt, ...time }) => ({ ...time, dueAt: dueAt.toISOString() })),
    })),
  );
}

/**
 * Submits what a schedule submits, at once.
 *
 * @param worker - who does it
 * @returns the run
 * @throws InputError when there is no schedule of the name
 */
export async function runNow(queue: JobQueue, name: string, worker: string): Promise<string> {
  const { rows } = await queue.connection.query<{ readonly template: SubmissionTemplate }>(
    `select template from ${SCHEMA}.schedule where name = $1`,
    [name],
  );
  const [schedule] = rows;
  if (schedule === undefined) throw unknown(name);
  const submission = await submissionFrom(schedule.template);
  await queue.connection.transaction(async (client) => {
    await queue.submitIn(client, submission);
    await client.query(
      `insert into ${SCHEMA}.schedule_time (schedule, due_at, outcome, run, worker)
       values ($1, clock_timestamp(), 'submitted', $2, $3)`,
      [name, submission.run.id, worker],
    );
  });
  return submission.run.id;
}

/** A schedule and how far it is. */
interface ScheduleRow {
  readonly name: string;
  readonly cron: string;
  readonly timezone: string;
  readonly template: SubmissionTemplate;
  readonly handled: Date;
  readonly now: Date;
}

/**
 * Submits what has come due since somebody last looked: of each schedule the last time alone, if that is not long ago. Earlier ones are recorded as
 * missed. Of several workers that look at once, one does it. All times are the database's.
 *
 * @param worker - who looks
 * @returns what was recorded
 */
export async function fireDue(queue: JobQueue, worker: string): Promise<readonly ScheduleTime[]> {
  const { rows } = await queue.connection.query<ScheduleRow>(
    `select name, cron, timezone, template, handled_at as handled, now() as now from ${SCHEMA}.schedule order by name`,
  );
  const recorded: ScheduleTime[] = [];
  for (const row of rows) {
    const cron = await Cron.read(row.cron, row.timezone);
    if (cron.due(row.handled, row.now) === undefined) continue;
    // Asking git takes a while, and a transaction keeps others waiting.
    const submission = await submissionFrom(row.template);
    recorded.push(
      ...(await queue.connection.transaction((client) =>
        fire(queue, client, row.name, cron, submission, worker),
      )),
    );
  }
  return recorded;
}

async function fire(
  queue: JobQueue,
  client: Queries,
  name: string,
  cron: Cron,
  submission: Submission,
  worker: string,
): Promise<readonly ScheduleTime[]> {
  const { rows } = await client.query<{ readonly handled: Date; readonly now: Date }>(
    `select handled_at as handled, clock_timestamp() as now from ${SCHEMA}.schedule where name = $1 for update`,
    [name],
  );
  const [row] = rows;
  const due = row && cron.due(row.handled, row.now);
  // Removed, or somebody else was quicker.
  if (row === undefined || due === undefined) return [];
  await client.query(`update ${SCHEMA}.schedule set handled_at = $2 where name = $1`, [name, due.last]);
  const isFresh = row.now.getTime() - due.last.getTime() <= LATEST;
  const missed = due.count - (isFresh ? 1 : 0);
  const recorded: ScheduleTime[] = [];
  const record = async (at: Date, time: Pick<ScheduleTime, 'outcome' | 'times' | 'run'>): Promise<void> => {
    await client.query(
      `insert into ${SCHEMA}.schedule_time (schedule, due_at, outcome, times, run, worker) values ($1, $2, $3, $4, $5, $6)`,
      [name, at, time.outcome, time.times, time.run, worker],
    );
    recorded.push({ schedule: name, dueAt: at.toISOString(), ...time });
  };
  if (missed > 0) {
    const at = isFresh ? (due.before ?? due.last) : due.last;
    await record(at, { outcome: 'missed', times: missed, run: null });
    const last = at.toISOString();
    await notify(
      client,
      {
        ...{ schedule: name, suite: submission.suite, run: null, failed: [] },
        ...{ missed: { times: missed, last }, opened: [], resolved: [], open: 0 },
      },
      `missed ${last}`,
    );
  }
  if (!isFresh) return recorded;
  const { rowCount: going } = await client.query(
    `select from ${SCHEMA}.schedule_time t join ${SCHEMA}.job j on j.run = t.run
     where t.schedule = $1 and j.ended_at is null limit 1`,
    [name],
  );
  if (going === 1) await record(due.last, { outcome: 'overlapping', times: 1, run: null });
  else {
    await queue.submitIn(client, submission);
    await record(due.last, { outcome: 'submitted', times: 1, run: submission.run.id });
  }
  return recorded;
}

function unknown(name: string): InputError {
  return new InputError({
    source: 'schedule',
    found: `${name}, which is none`,
    expected: 'the name of a schedule',
    hint: '"edgeflex schedule list" lists them.',
  });
}
