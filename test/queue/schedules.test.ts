import { beforeEach, describe, expect, it } from 'vitest';
import { Cron } from '../../src/queue/cron.js';
import { findJobs, listJobs } from '../../src/queue/list.js';
import {
  addSchedule,
  fireDue,
  listSchedules,
  removeSchedule,
  runNow,
  type NewSchedule,
} from '../../src/queue/schedules.js';
import { describePostgres, onDatabase } from '../support/postgres.js';
import { useQueues } from './support.js';

const at = (iso: string): Date => new Date(iso);

describe('times of cron', () => {
  it('are found after one moment and up to another, also at it', async () => {
    const cron = await Cron.read('0 3 * * *', 'UTC');
    const due = cron.due(at('2026-11-27T03:00:00Z'), at('2026-11-29T03:00:00Z'))!;
    expect(due).toEqual({ last: at('2026-11-29T03:00:00Z'), before: at('2026-11-28T03:00:00Z'), count: 2 });
    expect(cron.due(at('2026-11-29T03:00:00Z'), at('2026-11-29T23:00:00Z'))).toBeUndefined();
    expect(cron.next(at('2026-11-29T03:00:00Z'))).toEqual(at('2026-11-30T03:00:00Z'));
  });

  it('are those of the time zone, once in the night in which clocks are put back', async () => {
    const cron = await Cron.read('30 2 * * *', 'Europe/Berlin');
    expect(cron.next(at('2026-10-24T12:00:00Z'))).toEqual(at('2026-10-25T00:30:00Z'));
    expect(cron.due(at('2026-10-25T00:00:00Z'), at('2026-10-25T12:00:00Z'))!.count).toBe(1);
  });

  it.each([
    ['* * * *', 'UTC', /five fields/],
    ['0 0 3 * * *', 'UTC', /five fields/],
    ['61 3 * * *', 'UTC', /61/],
    ['0 3 * * *', 'Middle/Earth', /Middle\/Earth/],
  ])('are refused by name: %s in %s', async (expression, timezone, message) => {
    await expect(Cron.read(expression, timezone)).rejects.toThrow(message);
  });
});

const queues = useQueues();

const schedule: NewSchedule = {
  ...{ name: 'nightly', cron: '0 3 * * *', timezone: 'UTC', webhook: null, email: null, baseline: null },
  template: {
    ...{ suite: 'tiny', person: 'ada', command: 'edgeflex schedule', plan: {}, plugins: [], priority: 0 },
    jobs: [{ queue: 'measure', place: 1, device: 'pi5-a', needs: [], identical: false }],
  },
};

/** Lets a schedule have been looked at last so long ago, as SQL says it. */
async function handled(when: string): Promise<void> {
  await onDatabase(queues.url(), `update edgeflex_queue.schedule set handled_at = ${when}`);
}

describePostgres('a schedule', () => {
  beforeEach(async () => {
    await addSchedule(await queues.open(), schedule);
  });

  it('submits each time once, however many workers look', async () => {
    const workers = await Promise.all([queues.open(), queues.open(), queues.open()]);
    // Every minute, so that one is due.
    await onDatabase(queues.url(), `update edgeflex_queue.schedule set cron = '* * * * *'`);
    await handled(`date_trunc('minute', now()) - interval '1 second'`);
    const fired = (
      await Promise.all(workers.flatMap((queue) => [fireDue(queue, 'a'), fireDue(queue, 'b')]))
    ).flat();
    const submitted = fired.filter(({ outcome }) => outcome === 'submitted');
    expect(submitted.length).toBeGreaterThanOrEqual(1);
    expect(new Set(submitted.map(({ dueAt }) => dueAt)).size).toBe(submitted.length);
    const jobs = await listJobs(workers[0], true);
    expect(jobs.map(({ run }) => run).sort()).toEqual(submitted.map(({ run }) => run).sort());
    expect(jobs[0]).toMatchObject({ suite: 'tiny', person: 'ada', device: 'pi5-a', state: 'waiting' });
  });

  it('says what was missed while nobody looked, and submits nothing for it', async () => {
    const queue = await queues.open();
    // Due twelve hours from now: the last three are at least twelve hours old.
    await onDatabase(
      queues.url(),
      `update edgeflex_queue.schedule set cron = format('0 %s * * *', extract(hour from now() + interval '12 hours'))`,
    );
    await handled(`now() - interval '3 days'`);
    await onDatabase(queues.url(), `update edgeflex_queue.schedule set email = 'lab@example.org'`);
    const [missed, ...others] = await fireDue(queue, 'a');
    expect(missed).toMatchObject({ outcome: 'missed', times: 3, run: null });
    expect(others).toEqual([]);
    expect(await fireDue(queue, 'a')).toEqual([]);
    expect(await listJobs(queue, true)).toEqual([]);
    const [listed] = await listSchedules(queue);
    expect(listed!.times).toEqual([missed]);
    // Told once, by the channel that there is.
    const { rows } = await onDatabase(
      queues.url(),
      'select channel, run, content from edgeflex_queue.notification',
    );
    expect(rows).toEqual([
      {
        ...{ channel: 'email', run: `missed ${missed!.dueAt}` },
        content: expect.objectContaining({ run: null, missed: { times: 3, last: missed!.dueAt } }) as object,
      },
    ]);
    expect(Date.parse(listed!.nextAt)).toBeGreaterThan(Date.now());
  });

  it('does not pile up behind a run that goes on', async () => {
    const queue = await queues.open();
    const run = await runNow(queue, 'nightly', 'me');
    expect(await findJobs(queue, run)).toHaveLength(1);
    await onDatabase(queues.url(), `update edgeflex_queue.schedule set cron = '* * * * *'`);
    await handled(`date_trunc('minute', now()) - interval '1 second'`);
    expect(await fireDue(queue, 'a')).toMatchObject([{ outcome: 'overlapping', run: null }]);
    expect(await listJobs(queue, true)).toHaveLength(1);
  });

  it('has a name of its own, and goes when it is removed', async () => {
    const queue = await queues.open();
    await expect(addSchedule(queue, schedule)).rejects.toThrow(/nightly.*already/);
    await removeSchedule(queue, 'nightly');
    expect(await listSchedules(queue)).toEqual([]);
    await expect(removeSchedule(queue, 'nightly')).rejects.toThrow(/nightly/);
    await expect(runNow(queue, 'nightly', 'me')).rejects.toThrow(/nightly/);
  });
});
