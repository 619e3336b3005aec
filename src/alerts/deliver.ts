import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { InputError, messageOf } from '../base/errors.js';
import { history, type SuiteHistory } from '../library/history.js';
import type { JobQueue } from '../queue/queue.js';
import { SCHEMA } from '../queue/schema.js';
import type { AlertContent } from '../analysis/history/standing.js';
import { sendMail } from './mail.js';
import { postWebhook } from './webhook.js';
import { alertSubject, alertText } from '../text/alert.js';

/** So often a message is tried, with pauses of 1, 2, 4 … minutes, an hour at most: about a day. */
const MOST_ATTEMPTS = 30;
const FIRST_PAUSE_SECONDS = 60;
const LONGEST_PAUSE_SECONDS = 3600;

/** A worker that is killed while it sends holds the message back for so long, as PostgreSQL says it. */
const CLAIM = `interval '5 minutes'`;

/** What a worker can send with; what it cannot send it leaves to others. */
export interface Senders {
  /** What webhooks are signed with. */
  readonly webhookSecret: string | undefined;
  /** `smtp://user:password@host:587` */
  readonly smtp: string | undefined;
  /** The sender of mail. */
  readonly from: string;
  /** Address of `edgeflex serve`, for links. */
  readonly site: string | undefined;
}

/** What senders the environment names; secrets are on the worker's machine alone, never in the database. */
export function sendersOf(env: NodeJS.ProcessEnv): Senders {
  const given = (name: string): string | undefined => env[name] || undefined;
  return {
    webhookSecret: given('EDGEFLEX_WEBHOOK_SECRET'),
    smtp: given('EDGEFLEX_SMTP'),
    from: given('EDGEFLEX_MAIL_FROM') ?? 'edgeflex@localhost',
    site: given('EDGEFLEX_SITE')?.replace(/\/+$/, ''),
  };
}

/** What came of trying to send a message. */
export interface SentMessage {
  readonly schedule: string;
  readonly run: string;
  readonly channel: 'webhook' | 'email';
  /** Why it was not taken; undefined where it was. */
  readonly fault: string | undefined;
  /** Whether it is not tried again. */
  readonly givenUp: boolean;
}

interface Due extends Pick<SentMessage, 'schedule' | 'run' | 'channel'> {
  readonly id: string;
  readonly target: string;
  readonly content: AlertContent;
  readonly attempts: number;
}

/**
 * Sends the next message that is due. Each is one worker's at a time; one that is killed between sending and noting it sends it again under the same
 * id, by which receivers know it.
 *
 * @param queue - open
 * @param address - of its database
 * @param senders - what can be sent with
 * @returns undefined where none is due
 */
export async function sendNext(
  queue: JobQueue,
  address: string,
  senders: Senders,
): Promise<SentMessage | undefined> {
  const channels = [
    ...(senders.webhookSecret === undefined ? [] : ['webhook']),
    ...(senders.smtp === undefined ? [] : ['email']),
  ];
  if (channels.length === 0) return undefined;
  const { rows } = await queue.connection.query<Due>(
    `update ${SCHEMA}.notification set attempts = attempts + 1, next_at = now() + ${CLAIM}
     where id in (select id from ${SCHEMA}.notification
       where delivered_at is null and given_up_at is null and next_at <= now() and channel = any($1::text[])
       order by next_at limit 1 for update skip locked)
     returning id, schedule, run, channel, target, content, attempts`,
    [channels],
  );
  const [due] = rows;
  if (due === undefined) return undefined;
  const { id, schedule, run, channel, attempts } = due;
  try {
    await send(due, address, senders);
    await queue.connection.query(
      `update ${SCHEMA}.notification set delivered_at = now(), error = null where id = $1`,
      [id],
    );
    return { schedule, run, channel, fault: undefined, givenUp: false };
  } catch (error) {
    const fault = messageOf(error);
    const givenUp = attempts >= MOST_ATTEMPTS;
    const pause = Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempts - 1));
    await queue.connection.query(
      `update ${SCHEMA}.notification set error = $2, next_at = now() + make_interval(secs => $3),
         given_up_at = case when $4 then now() end where id = $1`,
      [id, fault, pause, givenUp],
    );
    return { schedule, run, channel, fault, givenUp };
  }
}

async function send({ id, channel, target, content }: Due, address: string, senders: Senders): Promise<void> {
  const { suite, run } = content;
  const link = senders.site && (run === null ? undefined : `${senders.site}/runs/${encodeURIComponent(run)}`);
  if (channel === 'webhook') {
    const message = { schemaVersion: 1, id, ...content, subject: alertSubject(content), link: link ?? null };
    await postWebhook(target, id, senders.webhookSecret ?? '', message);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-alert-'));
  try {
    const page = await (await historyOf(address, suite))?.writeReport(folder);
    await sendMail(senders.smtp ?? '', senders.from, {
      ...{ id, to: target, subject: alertSubject(content), text: alertText(content, link) },
      attachments: page === undefined ? [] : [{ filename: basename(page), path: page }],
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where every run has failed, or none was ever measured, there is no history to attach. */
async function historyOf(address: string, suite: string): Promise<SuiteHistory | undefined> {
  try {
    return await history(address, suite, {});
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
