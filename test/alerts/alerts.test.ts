import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendersOf, sendNext } from '../../src/alerts/deliver.js';
import { checkNext, type CheckedRun } from '../../src/alerts/check.js';
import { checkedAddresses } from '../../src/alerts/mail.js';
import {
  checkedWebhook,
  ID_HEADER,
  isSigned,
  signature,
  SIGNATURE_HEADER,
} from '../../src/alerts/webhook.js';
import { addSchedule } from '../../src/queue/schedules.js';
import { setBaseline } from '../../src/store/baselines.js';
import { openStore } from '../../src/store/open.js';
import { findRun } from '../../src/store/read.js';
import { commitOf, runOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { device, submission, taken, useQueues, worker } from '../queue/support.js';
import { describePostgres, onDatabase } from '../support/postgres.js';
import { mailSink } from '../support/smtp.js';

describe('what is refused', () => {
  it.each(['ftp://x', 'nothing', 'https://user:word@host/'])('as a webhook: %s', (url) => {
    expect(() => checkedWebhook(url)).toThrow(/--webhook/);
  });
  it.each(['nobody', 'a@b, c', 'a@b\r\nBcc: x@y'])('as an address: %s', (address) => {
    expect(() => checkedAddresses(address)).toThrow(/--email/);
  });
  it('a signature of other content, of another secret, or none', () => {
    const header = signature('secret', 1_700_000_000, '{"a":1}');
    expect(isSigned(header, 'secret', '{"a":1}')).toBe(true);
    expect(isSigned(header, 'secret', '{"a":2}')).toBe(false);
    expect(isSigned(header, 'other', '{"a":1}')).toBe(false);
    expect(isSigned(header.replace('t=17', 't=18'), 'secret', '{"a":1}')).toBe(false);
    expect(isSigned('', 'secret', '{"a":1}')).toBe(false);
  });
});

/** What a receiver got. */
interface Posted {
  readonly id: string;
  readonly signed: boolean;
  readonly content: {
    readonly opened: readonly Record<string, unknown>[];
    readonly resolved: readonly unknown[];
  };
}

/** A receiver of webhooks, which answers as it is told. */
async function receiver(
  secret: string,
): Promise<{ url: string; posted: Posted[]; status: number; redirect?: string }> {
  const posted: Posted[] = [];
  const made = { url: '', posted, status: 204 } as Awaited<ReturnType<typeof receiver>>;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const header = (name: string): string => String(request.headers[name]);
      posted.push({
        ...{ id: header(ID_HEADER), signed: isSigned(header(SIGNATURE_HEADER), secret, body) },
        content: JSON.parse(body) as Posted['content'],
      });
      response.writeHead(made.status, made.redirect === undefined ? {} : { location: made.redirect }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return made;
}

const queues = useQueues();

/** Stores runs of the suite, one a day, and says that the schedule has submitted the last of them. */
async function measure(milliseconds: readonly number[]): Promise<void> {
  const db = await openStore(queues.url());
  await db.deleteFrom('baselines').execute();
  await db.deleteFrom('runs').execute();
  await storeHistory(
    db,
    5,
    0.002,
    runsOf(milliseconds.length, (index) => ({ milliseconds: milliseconds[index]! })),
  );
  await db.destroy();
  await onDatabase(
    queues.url(),
    `insert into edgeflex_queue.schedule_time (schedule, due_at, outcome, run)
     values ('nightly', now(), 'submitted', '${runOf(milliseconds.length - 1)}')`,
  );
}

async function suiteName(): Promise<string> {
  const { rows } = await onDatabase(queues.url(), 'select distinct suite from edgeflex.runs');
  return (rows[0] as { suite: string }).suite;
}

const fast = Array.from({ length: 6 }, () => 10);
const slow = Array.from({ length: 3 }, () => 12);

describePostgres('a regression', () => {
  it(
    'is told once, by webhook and by mail, with the first bad commit; and when it is over',
    { timeout: 60_000 },
    async () => {
      const queue = await queues.open();
      const [hook, mail] = [await receiver('s3cret'), await mailSink()];
      const template = {
        ...{ suite: 'x', person: 'ada', command: '', plan: {}, plugins: [], priority: 0, jobs: [] },
      };
      await addSchedule(queue, {
        ...{ name: 'nightly', cron: '0 3 * * *', timezone: 'UTC', template },
        ...{ webhook: hook.url, email: 'lab@example.org', baseline: null },
      });
      const senders = sendersOf({
        EDGEFLEX_WEBHOOK_SECRET: 's3cret',
        EDGEFLEX_SMTP: mail.url,
        EDGEFLEX_SITE: 'http://lab/',
      });
      /** Everything that is due. */
      const round = async (): Promise<void> => {
        while ((await checkNext(queue, queues.url())) !== undefined);
        for (;;) {
          const sent = await sendNext(queue, queues.url(), senders);
          if (sent === undefined) return;
          if (sent.fault !== undefined) faults.push(`${sent.channel}: ${sent.fault}`);
        }
      };
      const faults: string[] = [];
      await measure(fast);
      await onDatabase(queues.url(), `update edgeflex_queue.schedule set suite = '${await suiteName()}'`);
      await round();
      expect([hook.posted, mail.taken]).toEqual([[], []]);

      await measure([...fast, ...slow]);
      // The receivers are away at first.
      hook.status = 503;
      mail.refuseWith = '451 later';
      await round();
      expect(hook.posted).toHaveLength(1);
      expect(mail.taken).toEqual([]);
      hook.status = 302;
      hook.redirect = hook.url;
      await onDatabase(queues.url(), 'update edgeflex_queue.notification set next_at = now()');
      await round();
      expect(hook.posted, 'a redirect is not followed').toHaveLength(2);
      expect(
        faults
          .splice(0)
          .sort()
          .map((fault) => /^(email|webhook).*(451|503|302)/.exec(fault)?.slice(1)),
      ).toEqual([
        ['email', '451'],
        ['email', '451'],
        ['webhook', '302'],
        ['webhook', '503'],
      ]);
      hook.status = 204;
      mail.refuseWith = undefined;
      await onDatabase(queues.url(), 'update edgeflex_queue.notification set next_at = now()');
      await round();
      expect(faults).toEqual([]);
      expect(hook.posted).toHaveLength(3);
      expect(new Set(hook.posted.map(({ id }) => id)).size).toBe(1);
      expect(hook.posted.every(({ signed }) => signed)).toBe(true);
      const { opened, resolved } = hook.posted[2]!.content;
      expect(resolved).toEqual([]);
      expect(opened.map(({ metric }) => metric)).toEqual(opened.map(() => 'latency'));
      expect(opened[0]).toMatchObject({ kind: 'step', firstBad: { run: runOf(6), commit: commitOf(6) } });
      expect(opened[0]!['probability']).toBeGreaterThan(0.9);
      const [message] = mail.taken;
      expect(message!.to).toEqual(['lab@example.org']);
      const plain = message!.data.replaceAll(/=\r\n/g, '');
      expect(plain).toContain(commitOf(6).slice(0, 12));
      expect(plain).toContain(`http://lab/runs/${runOf(8)}`);
      expect(plain).toMatch(/filename=\S+\.html/);

      // It goes on: nothing new. Checked twice: nothing either.
      await measure([...fast, ...slow, 12]);
      await Promise.all([round(), round()]);
      expect([hook.posted.length, mail.taken.length]).toEqual([3, 1]);

      await measure([...fast, ...slow, 12, 10, 10, 10]);
      await round();
      expect([hook.posted.length, mail.taken.length]).toEqual([4, 2]);
      expect(hook.posted[3]!.content).toMatchObject({ opened: [], open: 0 });
      expect(hook.posted[3]!.content.resolved).toHaveLength(opened.length);
    },
  );

  it('against a named baseline is told after one run, beside what the history says, and when it is over', async () => {
    const queue = await queues.open();
    const mail = await mailSink();
    const template = {
      ...{ suite: 'x', person: 'ada', command: '', plan: {}, plugins: [], priority: 0, jobs: [] },
    };
    await addSchedule(queue, {
      ...{ name: 'nightly', cron: '0 3 * * *', timezone: 'UTC', template },
      ...{ webhook: null, email: 'lab@example.org', baseline: 'good' },
    });
    const round = async (milliseconds: readonly number[]): Promise<CheckedRun | undefined> => {
      await measure(milliseconds);
      await onDatabase(queues.url(), `update edgeflex_queue.schedule set suite = '${await suiteName()}'`);
      const db = await openStore(queues.url());
      await setBaseline(db, 'good', await findRun(db, runOf(0)), new Date().toISOString());
      await db.destroy();
      const checked = await checkNext(queue, queues.url());
      while (await sendNext(queue, queues.url(), sendersOf({ EDGEFLEX_SMTP: mail.url })));
      return checked;
    };
    expect(await round([10, 10])).toMatchObject({ content: undefined, fault: undefined });
    const { content } = (await round([10, 10, 12]))!;
    expect(content!.opened.length).toBeGreaterThan(0);
    for (const each of content!.opened)
      expect(each).toMatchObject({
        ...{ kind: 'baseline', metric: 'latency', probability: null },
        firstBad: { run: runOf(2), commit: commitOf(2) },
        lastGood: { run: runOf(0), commit: commitOf(0) },
      });
    expect(content!.opened[0]!.size.value).toBeCloseTo(0.2, 1);
    expect(mail.taken).toHaveLength(1);
    expect(mail.taken[0]!.data.replaceAll(/=\r\n/g, '')).toContain('against good');
    const goesOn = await round([10, 10, 12, 12]);
    expect(goesOn?.content?.opened.map(({ kind }) => kind) ?? []).not.toContain('baseline');
    const over = await round([10, 10, 12, 12, 10]);
    expect(over!.content!.resolved.map(({ key }) => key)).toEqual(
      expect.arrayContaining(content!.opened.map(({ key }) => key)),
    );
    await onDatabase(queues.url(), `update edgeflex_queue.schedule set baseline = 'gone'`);
    expect((await round([10, 10, 12, 12, 10, 10]))?.fault).toContain('gone');
  });

  it('of a run that cannot be checked is said to be so, once', async () => {
    const queue = await queues.open();
    const template = {
      ...{ suite: randomUUID(), person: 'ada', command: '', plan: {}, plugins: [], priority: 0, jobs: [] },
    };
    await addSchedule(queue, {
      ...{
        name: 'nightly',
        cron: '0 3 * * *',
        timezone: 'UTC',
        template,
        webhook: null,
        email: null,
        baseline: null,
      },
    });
    await measure([10]);
    const checked = await checkNext(queue, queues.url());
    expect(checked?.fault).toContain(template.suite);
    expect(await checkNext(queue, queues.url())).toBeUndefined();
  });
});

describePostgres('what failed in a scheduled run', () => {
  it('is told once while it goes on, also where no run of the suite has any figures', async () => {
    const queue = await queues.open();
    const mail = await mailSink();
    const template = {
      ...{ suite: 'tiny', person: 'ada', command: '', plan: {}, plugins: [], priority: 0, jobs: [] },
    };
    await addSchedule(queue, {
      ...{ name: 'nightly', cron: '0 3 * * *', timezone: 'UTC', template },
      ...{ webhook: null, email: 'lab@example.org', baseline: null },
    });
    const ended = async (reason: string | undefined): Promise<void> => {
      const submitted = submission([{ device: 'pi5-a' }]);
      await queue.submit(submitted);
      const job = await taken(queue, worker('w'), device('pi5-a'));
      await (reason === undefined ? queue.complete(job.token, 0) : queue.fail(job.token, reason));
      await onDatabase(
        queues.url(),
        `insert into edgeflex_queue.schedule_time (schedule, due_at, outcome, run)
         values ('nightly', clock_timestamp(), 'submitted', '${submitted.run.id}')`,
      );
      await checkNext(queue, queues.url());
      while (await sendNext(queue, queues.url(), sendersOf({ EDGEFLEX_SMTP: mail.url })));
    };
    await ended('no such model');
    expect(mail.taken.map(({ data }) => data.replaceAll(/=\r\n/g, ''))).toEqual([
      expect.stringMatching(/place 1, pi5-a: the job failed: no such model/) as string,
    ]);
    await ended('no such model');
    await ended(undefined);
    expect(mail.taken).toHaveLength(1);
    await ended('no such model');
    expect(mail.taken).toHaveLength(2);
  });
});
