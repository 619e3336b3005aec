import { messageOf } from '../base/errors.js';
import type { Compared } from '../analysis/compare/compare.js';
import { compare } from '../library/compare.js';
import { history } from '../library/history.js';
import type { Queries } from '../queue/connection.js';
import { notify } from '../queue/notify.js';
import type { JobQueue } from '../queue/queue.js';
import { SCHEMA } from '../queue/schema.js';
import {
  standingAgainst,
  standingOf,
  type AlertContent,
  type FailedJob,
  type Regression,
  type Standing,
} from '../analysis/history/standing.js';
import { subjectLabel } from '../text/compare/label.js';
import { inWords, metricNames, quantity } from '../text/compare/words.js';
import { changeText, slowText } from '../text/history/words.js';

/** So long a check may take before another worker does it, as PostgreSQL says it. */
const CLAIM = `interval '10 minutes'`;

/** What came of the check of a run. */
export interface CheckedRun {
  readonly schedule: string;
  readonly run: string;
  /** What is told; undefined where there is nothing to tell. */
  readonly content: AlertContent | undefined;
  /** Why it could not be checked; it is not tried again. */
  readonly fault: string | undefined;
}

interface Claimed {
  readonly schedule: string;
  readonly run: string;
  readonly suite: string;
  readonly baseline: string | null;
}

/**
 * Checks one scheduled run that has ended and was not checked: what is worse now by the history of its suite (`edgeflex history`) and was not
 * told yet becomes an alert, what was told and is no longer worse is resolved; likewise what is worse than in the schedule's baseline, if it has one. Both, and the messages that tell it, are stored in one transaction, so that
 * each is told once, whoever checks and however often.
 *
 * @param queue - open
 * @param address - of its database
 * @returns undefined where there is no such run
 */
export async function checkNext(queue: JobQueue, address: string): Promise<CheckedRun | undefined> {
  const { rows } = await queue.connection.query<Claimed>(
    `update ${SCHEMA}.schedule_time t set claimed_until = now() + ${CLAIM}
     from ${SCHEMA}.schedule s
     where s.name = t.schedule and (t.schedule, t.due_at) in (
       select schedule, due_at from ${SCHEMA}.schedule_time o
       where run is not null and checked_at is null and coalesce(claimed_until, now()) <= now()
         and not exists (select from ${SCHEMA}.job j where j.run = o.run and j.ended_at is null)
       order by due_at limit 1 for update skip locked)
     returning t.schedule, t.run, s.suite, s.baseline`,
  );
  const [claimed] = rows;
  if (claimed === undefined) return undefined;
  const { schedule, run, baseline } = claimed;
  const standings: Standing[] = [];
  const faults: string[] = [];
  for (const look of [
    () => byHistory(address, claimed),
    ...(baseline === null ? [] : [() => byBaseline(address, run, baseline)]),
  ])
    try {
      standings.push(await look());
    } catch (error) {
      // What failed is told also where there is nothing to be compared.
      faults.push(messageOf(error));
    }
  const standing: Standing = {
    worse: standings.flatMap(({ worse }) => worse),
    measured: new Set(standings.flatMap(({ measured }) => [...measured])),
  };
  const fault = faults.length === 0 ? undefined : faults.join('\n');
  const content = await queue.connection.transaction((client) => settle(client, claimed, standing, fault));
  return { schedule, run, content, fault };
}

async function byHistory(address: string, { suite, run }: Claimed): Promise<Standing> {
  const { history: found } = await history(address, suite, {});
  return standingOf(found, run, (each) => ('slow' in each ? slowText(each) : changeText(each)));
}

async function byBaseline(address: string, run: string, baseline: string): Promise<Standing> {
  const { comparison } = (await compare(address, baseline, { run, gates: [] })).report;
  const nameOf = ({ subject }: Compared): string => subjectLabel(subject, comparison);
  return standingAgainst(comparison, nameOf, (each) => {
    const { metric, reference, value } = each.judgement;
    const figures = `${quantity(metric, reference)} → ${quantity(metric, value)}`;
    return `${nameOf(each)}: ${metricNames[metric]} against ${baseline}: ${inWords(each.judgement)}, ${figures}`;
  });
}

/** Jobs of the run that failed, or of which cells did, unless they did alike in the run before: what goes on is not told again. */
async function newFailures(client: Queries, { schedule, run }: Claimed): Promise<readonly FailedJob[]> {
  const failing = async (of: string): Promise<readonly FailedJob[]> => {
    const { rows } = await client.query<FailedJob>(
      `select place, coalesce(begun_on, device) as device, outcome, coalesce(failed_cells, 0) as "failedCells", reason
       from ${SCHEMA}.job where run = $1 and (outcome = 'failed' or failed_cells > 0) and outcome <> 'cancelled' order by place`,
      [of],
    );
    return rows;
  };
  const { rows } = await client.query<{ readonly run: string }>(
    `select run from ${SCHEMA}.schedule_time where schedule = $1 and run is not null and due_at <
       (select due_at from ${SCHEMA}.schedule_time where schedule = $1 and run = $2) order by due_at desc limit 1`,
    [schedule, run],
  );
  const [before] = rows;
  const known = new Set((before ? await failing(before.run) : []).map(failureKey));
  return (await failing(run)).filter((each) => !known.has(failureKey(each)));
}

function failureKey({ place, outcome, failedCells }: FailedJob): string {
  return `${place} ${outcome} ${failedCells}`;
}

async function settle(
  client: Queries,
  claimed: Claimed,
  { worse, measured }: Standing,
  fault: string | undefined,
): Promise<AlertContent | undefined> {
  const { schedule, run, suite } = claimed;
  // Whoever had claimed it before may have been slow, not dead.
  const { rowCount } = await client.query(
    `update ${SCHEMA}.schedule_time set checked_at = now(), fault = $3 where schedule = $1 and run = $2 and checked_at is null`,
    [schedule, run, fault ?? null],
  );
  if (rowCount !== 1) return undefined;
  const failed = await newFailures(client, claimed);
  const { rows: before } = await client.query<{ readonly key: string; readonly event: Regression }>(
    `select key, event from ${SCHEMA}.alert where schedule = $1 and resolved_at is null order by opened_at for update`,
    [schedule],
  );
  const told = new Map(before.map(({ key, event }) => [key, event]));
  const now = new Map(worse.map((each) => [each.key, each]));
  // What went on getting worse in a later step is something new.
  const isNews = (each: Regression): boolean => {
    const known = told.get(each.key);
    return known === undefined || (each.kind === 'step' && known.kind === 'step' && isLater(each, known));
  };
  const opened = worse.filter(isNews);
  const resolved = before.filter(({ key }) => measured.has(key) && !now.has(key)).map(({ event }) => event);
  const ended = [...resolved, ...opened].map(({ key }) => key);
  await client.query(
    `update ${SCHEMA}.alert set resolved_at = now(), resolved_run = $2
     where schedule = $1 and resolved_at is null and key = any($3::text[])`,
    [schedule, run, ended],
  );
  for (const event of opened)
    await client.query(`insert into ${SCHEMA}.alert (schedule, key, event, run) values ($1, $2, $3, $4)`, [
      ...[schedule, event.key, JSON.stringify(event), run],
    ]);
  if (opened.length === 0 && resolved.length === 0 && failed.length === 0) return undefined;
  const content: AlertContent = {
    ...{ schedule, suite, run, failed, missed: null, opened, resolved },
    open: told.size - before.filter(({ key }) => ended.includes(key)).length,
  };
  await notify(client, content, run);
  return content;
}

/** Whether a step came after another one, and is not the same one placed a few runs off: it began from the level that the other had led to. */
function isLater(step: Regression, known: Regression): boolean {
  const [from, to] = [step.lastGood?.run, known.firstBad?.run];
  return from !== undefined && to !== undefined && from > to;
}
