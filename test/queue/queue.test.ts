import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { saveCheckpoint } from '../../src/queue/checkpoint.js';
import { QUEUE_PROTOCOL } from '../../src/queue/jobs.js';
import { findJobs, listFleet, listJobs, takesOf } from '../../src/queue/list.js';
import { lookForWork, strangeJobs, waitsFor } from '../../src/queue/look.js';
import { LeaseLost } from '../../src/queue/queue.js';
import { announce, drain, leave } from '../../src/queue/roster.js';
import { NEXT_JOB } from '../../src/queue/take.js';
import { describePostgres, onDatabase } from '../support/postgres.js';
import { device, submission, taken, useQueues, worker } from './support.js';

const queues = useQueues();

describePostgres('a submission', () => {
  it('is queued whole or not at all, and once', async () => {
    const queue = await queues.open();
    const twoAlike = submission([{ device: 'a' }, { device: 'b' }]);
    const spoilt = { ...twoAlike, jobs: twoAlike.jobs.map((job) => ({ ...job, place: 1 })) };
    await expect(queue.submit(spoilt)).rejects.toThrow();
    expect(await listJobs(queue, true)).toEqual([]);
    await queue.submit(twoAlike);
    await queue.submit(twoAlike);
    expect((await listJobs(queue, false)).map(({ run, place, state }) => [run, place, state])).toEqual([
      [twoAlike.run.id, 1, 'waiting'],
      [twoAlike.run.id, 2, 'waiting'],
    ]);
  });

  it('comes to the worker as it was', async () => {
    const queue = await queues.open();
    const submitted = submission([{ device: 'a' }], { plan: { deep: { list: [1, 'two', null] } } });
    await queue.submit(submitted);
    const job = await taken(queue, worker('w'), device('a'));
    expect(job).toMatchObject({
      run: submitted.run,
      plan: submitted.plan,
      place: 1,
      rounds: 0,
      before: null,
    });
  });
});

describePostgres('jobs', () => {
  it('are forgotten long after everything of their submission has ended, and not before', async () => {
    const queue = await queues.open();
    const [old, open, recent] = [{}, {}, {}].map(() => submission([{ device: 'a' }, { device: 'b' }]));
    for (const each of [old!, open!, recent!]) await queue.submit(each);
    const made = (run: string, days: number, where = 'true'): Promise<unknown> =>
      onDatabase(
        queues.url(),
        `update edgeflex_queue.submission set submitted_at = now() - interval '${days} days' where run = '${run}';
         update edgeflex_queue.job set ended_at = now() - interval '${days} days', outcome = 'done' where run = '${run}' and ${where}`,
      );
    await made(old!.run.id, 91);
    await made(open!.run.id, 91, 'place = 1');
    await made(recent!.run.id, 89);
    await queue.maintain();
    const left = new Set((await listJobs(queue, true)).map(({ run }) => run));
    expect(left).toEqual(new Set([open!.run.id, recent!.run.id]));
  });

  it('are each taken once, however many ask at the same time', async () => {
    const [one, other] = [await queues.open(), await queues.open()];
    await one.submit(submission(Array.from({ length: 40 }, () => ({ needs: 'arch=arm64' }))));
    const ids: string[] = [];
    const drive = async (index: number): Promise<void> => {
      const queue = index % 2 === 0 ? one : other;
      const [me, on] = [worker(`w${index}`), device(`d${index}`, { labels: { arch: 'arm64' } })];
      for (;;) {
        const job = await queue.take('measure', me, on);
        if (job === undefined) {
          if ((await listJobs(queue, false)).length === 0) return;
          continue;
        }
        ids.push(job.id);
        await queue.complete(job.token, 0);
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => drive(index)));
    expect([ids.length, new Set(ids).size]).toEqual([40, 40]);
    const jobs = await listJobs(one, true);
    expect(jobs.every(({ state }) => state === 'done')).toBe(true);
    expect(await takesOf(one, ids)).toHaveLength(40);
  });

  it('go one at a time to a machine, also where it has several devices', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'cpu' }, { device: 'browser' }]));
    const [cpu, browser] = [device('cpu', { host: 'lab' }), device('browser', { host: 'lab' })];
    const first = await taken(queue, worker('w'), cpu);
    expect(await queue.take('measure', worker('other'), browser)).toBeUndefined();
    await queue.complete(first.token, 0);
    expect((await taken(queue, worker('other'), browser)).place).toBe(2);
  });

  it('are not passed over for the next best while another worker of the same machine has them in its hands', async () => {
    const [queue, other] = [await queues.open(), await queues.open()];
    await queue.submit(submission([{ device: 'a' }]));
    const first = await taken(queue, worker('w'), device('a'));
    await queue.again(first.token, 'a: gone');
    await queue.submit(submission([{ device: 'a' }]));
    const next = async (): Promise<string | undefined> =>
      (await other.take('measure', worker('other'), device('a')))?.id;
    await queue.connection.transaction(async (client) => {
      const { name, profile, class: kind, labels, host } = device('a');
      const found = await client.query(NEXT_JOB, [
        ...[
          'measure',
          QUEUE_PROTOCOL,
          worker('w').version,
          name,
          profile,
          kind,
          JSON.stringify(labels),
          host,
        ],
      ]);
      expect(found.rows).toEqual([{ id: first.id }]);
      expect(await next()).toBeUndefined();
    });
    const second = await taken(queue, worker('w'), device('a'));
    expect(second.id).toBe(first.id);
    await queue.connection
      .transaction(async (client) => {
        // As somebody takes them back.
        await client.query(
          `update edgeflex_queue.take set ended_at = now(), outcome = 'lost' where token = $1`,
          [second.token],
        );
        await client.query(`update edgeflex_boss.job set state = 'retry' where id = $1`, [second.id]);
        expect(await next()).toBeUndefined();
        throw new Error('undone');
      })
      .catch((error: unknown) => expect(String(error)).toContain('undone'));
    await queue.again(second.token, 'a: gone');
    expect(await next()).toBe(first.id);
  });

  it('leave their machine to the next one when they are measured, and are delivered by then', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }, { device: 'a' }]));
    const me = worker('w');
    const first = await taken(queue, me, device('a'));
    await queue.measured(first.token, 0);
    await queue.measured(first.token, 0);
    const second = await taken(queue, me, device('a'));
    expect((await queue.pulse(me, [first.token, second.token])).leases.size).toBe(2);
    await queue.complete(first.token, 0);
    expect(await queue.take('measure', worker('v'), device('a'))).toBeUndefined();
    await queue.again(second.token, 'a: gone');
    await expect(queue.measured(second.token, 0)).rejects.toBeInstanceOf(LeaseLost);
    await queue.complete((await taken(queue, me, device('a'))).token, 0);
    expect((await listJobs(queue, true)).map(({ state }) => state)).toEqual(['done', 'done']);
  });

  it('go to devices that meet what they need', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ needs: 'vnni, memory>=8GiB, arch=X64' }]));
    const unfit = [
      { memory: 8 * 2 ** 30, arch: 'x64' },
      { vnni: true, memory: 8 * 2 ** 30 - 1, arch: 'x64' },
      { vnni: true, memory: 'much', arch: 'x64' },
      { vnni: true, memory: 8 * 2 ** 30, arch: 'arm64' },
      { vnni: true, arch: 'x64' },
    ] as const;
    for (const labels of unfit)
      expect(await queue.take('measure', worker('w'), device('d', { labels }))).toBeUndefined();
    const fit = { vnni: true, memory: 9 * 2 ** 30, arch: 'x64' } as const;
    expect((await taken(queue, worker('w'), device('d', { labels: fit }))).place).toBe(1);
  });

  it('go to a device by its own name or that of its profile, and to no other', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'local-cpu@lab3' }, { device: 'local-cpu' }]));
    const on = (host: string) => device(`local-cpu@${host}`, { profile: 'local-cpu', host });
    expect((await taken(queue, worker('a'), on('lab7'))).place).toBe(2);
    expect((await taken(queue, worker('b'), on('lab3'))).place).toBe(1);
  });

  it('come by priority, then by who has the least, then by age', async () => {
    const queue = await queues.open();
    const any = (count: number) => Array.from({ length: count }, () => ({}));
    await queue.submit(submission(any(3), { person: 'ada' }));
    await queue.submit(submission(any(2), { person: 'bob' }));
    await queue.submit(submission(any(1), { person: 'cyd', priority: 1 }));
    const order: string[] = [];
    for (let index = 0; index < 6; index++)
      order.push((await taken(queue, worker(`w${index}`), device(`d${index}`))).person);
    expect(order.slice(0, 3)).toEqual(['cyd', 'ada', 'bob']);
    expect(order.slice(3, 5).sort()).toEqual(['ada', 'bob']);
    expect(order[5]).toBe('ada');
  });

  it('are not taken by a worker that speaks another protocol', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'pi5-a' }]));
    await onDatabase(queues.url(), 'update edgeflex_queue.job set protocol = protocol + 1');
    expect(await queue.take('measure', worker('lab'), device('pi5-a'))).toBeUndefined();
    await onDatabase(queues.url(), 'update edgeflex_queue.job set protocol = protocol - 1');
    expect(await queue.take('measure', worker('lab'), device('pi5-a'))).toBeDefined();
  });

  it('are not taken by a worker of another version, of which the list tells', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{}]));
    const old = worker('old', { version: '0.0.1' });
    await queue.enrol(old);
    await announce(queue, old, device('d'));
    expect(await queue.take('measure', old, device('d'))).toBeUndefined();
    expect(await strangeJobs(queue, old)).toMatchObject([{ version: '1.2.3', jobs: 1 }]);
    expect(await strangeJobs(queue, worker('new'))).toEqual([]);
    expect(await listJobs(queue, false)).toMatchObject([{ candidates: 0, version: '1.2.3' }]);
    const current = worker('new');
    await queue.enrol(current);
    await announce(queue, current, device('d'));
    expect(await listJobs(queue, false)).toMatchObject([{ candidates: 1 }]);
  });

  it('are measured after what is to be compressed for them', async () => {
    const queue = await queues.open();
    const { jobs, ...rest } = submission([{}]);
    const compression = { ...jobs[0]!, id: randomUUID(), queue: 'compress' as const, place: 0 };
    await queue.submit({ ...rest, jobs: [compression, ...jobs] });
    expect(await queue.take('measure', worker('w'), device('d'))).toBeUndefined();
    const compressing = await queue.take('compress', worker('c'), device('c'));
    await queue.complete(compressing!.token, 0);
    expect((await taken(queue, worker('w'), device('d'))).place).toBe(1);
  });
});

describePostgres('a lease', () => {
  it('lapses without a sign of life, and the job is taken up once; who had it can do nothing more', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }]));
    const dead = worker('dead', { leaseSeconds: 0.4 });
    const first = await taken(queue, dead, device('a'));
    expect(await queue.sweep()).toEqual([]);
    await sleep(250);
    expect((await queue.pulse(dead, [first.token])).leases.get(first.token)).toBe('held');
    await sleep(250);
    expect(await queue.sweep()).toEqual([]);
    await sleep(250);
    const swept = await Promise.all([queue.sweep(), queue.sweep()]);
    expect(swept.flat()).toEqual([`${first.run.id}/1`]);
    const second = await taken(queue, worker('alive'), device('a'));
    expect([second.id, second.before]).toEqual([first.id, 'dead']);
    expect((await queue.pulse(dead, [first.token])).leases.size).toBe(0);
    for (const late of [
      () => queue.complete(first.token, 0),
      () => queue.fail(first.token, 'no'),
      () => queue.release(first.token),
    ])
      await expect(late()).rejects.toBeInstanceOf(LeaseLost);
    await expect(saveCheckpoint(queue, first.token, Buffer.alloc(10), 1, new Map())).rejects.toBeInstanceOf(
      LeaseLost,
    );
    await queue.complete(second.token, 2);
    // The answer may have been lost on its way.
    await queue.complete(second.token, 2);
    expect(await listJobs(queue, true)).toMatchObject([{ state: 'done', failedCells: 2, rounds: 0 }]);
    expect(await takesOf(queue, [first.id])).toMatchObject([{ outcome: 'lost' }, { outcome: 'done' }]);
  });

  it('that lapses before anything was measured leaves a job that comes before all that were never begun', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }], { person: 'bob' }));
    const lost = await taken(queue, worker('dead', { leaseSeconds: 0.2 }), device('a'));
    await queue.submit(submission([{ device: 'a' }, { device: 'a' }], { person: 'ada' }));
    await sleep(300);
    expect((await lookForWork(queue, worker('w'), [])).lapsed).toBe(true);
    await queue.sweep();
    expect((await lookForWork(queue, worker('w'), [])).lapsed).toBe(false);
    expect((await taken(queue, worker('w'), device('a'))).id).toBe(lost.id);
  });

  it('that lapses after the job was measured leaves only its delivery, for which no device is needed', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }, { device: 'a' }]));
    const dead = worker('dead', { leaseSeconds: 0.2 });
    const [first, alive] = [await taken(queue, dead, device('a')), worker('alive')];
    await saveCheckpoint(queue, first.token, Buffer.from('spool'), 3, new Map());
    await queue.measured(first.token, 1);
    const second = await taken(queue, alive, device('a'));
    expect(second.id).not.toBe(first.id);
    expect(await queue.takeMeasured(alive)).toBeUndefined();
    await sleep(300);
    await queue.sweep();
    expect(await lookForWork(queue, alive, [])).toMatchObject({ lapsed: false, deliver: true });
    expect(await queue.takeMeasured(worker('old', { version: '0.0.1' }))).toBeUndefined();
    // The device is at work, which does not matter.
    const left = await queue.takeMeasured(alive);
    expect(left).toMatchObject({ id: first.id, device: 'a', rounds: 3, failedCells: 1, before: 'dead' });
    expect(await queue.takeMeasured(alive)).toBeUndefined();
    expect((await lookForWork(queue, alive, [])).deliver).toBe(false);
    await queue.release(left!.token);
    await queue.complete((await queue.takeMeasured(alive))!.token, 1);
    await queue.complete(second.token, 0);
    expect(await queue.take('measure', alive, device('a'))).toBeUndefined();
    expect((await listJobs(queue, true)).map(({ state }) => state)).toEqual(['done', 'done']);
  });

  it('ends at once when a worker of the same name is started anew', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }]));
    const before = worker('w');
    await queue.enrol(before);
    const job = await taken(queue, before, device('a'));
    const after = worker('w');
    expect(await queue.enrol(after)).toEqual([`${job.run.id}/1`]);
    expect((await taken(queue, after, device('a'))).before).toBe('w');
  });

  it('that is given back leaves the job as it was, also often', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{}]));
    for (let time = 0; time < 30; time++) {
      const job = await taken(queue, worker('w'), device(`d${time}`));
      await queue.release(job.token);
    }
    expect(await listJobs(queue, false)).toMatchObject([{ state: 'waiting' }]);
  });

  it('that is lost again and again ends with its job: it kills workers', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{}]));
    for (let time = 0; (await listJobs(queue, false)).length > 0; time++) {
      expect(time).toBeLessThan(50);
      const job = await taken(queue, worker('w'), device('d'));
      await queue.again(job.token, 'd: gone');
    }
    expect(await listJobs(queue, true)).toMatchObject([{ state: 'failed', reason: 'd: gone' }]);
  });
});

describePostgres('a job that was begun', () => {
  const begin = async (identical: boolean) => {
    const queue = await queues.open();
    await queue.submit(submission([{ needs: 'arm', identical }]));
    const labels = { arm: true } as const;
    const first = await taken(queue, worker('w'), device('a', { labels, class: 'pi' }));
    return { queue, labels, first };
  };

  it('goes on where something was measured: on the same device, or on an identical one where that is allowed', async () => {
    for (const identical of [false, true]) {
      const { queue, labels, first } = await begin(identical);
      await saveCheckpoint(queue, first.token, Buffer.from('spool'), 3, new Map());
      await queue.again(first.token, 'a: gone');
      expect(
        await queue.take('measure', worker('w'), device('b', { labels, class: 'jetson' })),
      ).toBeUndefined();
      const sibling = await queue.take('measure', worker('w'), device('b', { labels, class: 'pi' }));
      expect(sibling === undefined).toBe(!identical);
      if (sibling) await queue.release(sibling.token);
      if (!identical) {
        const same = await taken(queue, worker('v'), device('a', { labels, class: 'pi' }));
        expect(same.rounds).toBe(3);
        await queue.complete(same.token, 0);
      }
    }
  });

  it('may go anywhere else while nothing was measured', async () => {
    const { queue, labels, first } = await begin(false);
    await queue.again(first.token, 'a: gone');
    expect((await taken(queue, worker('w'), device('b', { labels, class: 'jetson' }))).id).toBe(first.id);
  });
});

describePostgres('cancelling', () => {
  it('ends what waits at once, and what is worked on when its worker hears of it, or is lost', async () => {
    const queue = await queues.open();
    const submitted = submission([{ device: 'a' }, { device: 'b' }, { device: 'c' }]);
    await queue.submit(submitted);
    const [me, lost] = [worker('w'), worker('lost', { leaseSeconds: 0.2 })];
    const job = await taken(queue, me, device('a'));
    await taken(queue, lost, device('b'));
    expect(await queue.cancel(submitted.run.id)).toBe(3);
    expect(await queue.cancel(`${submitted.run.id}/3`)).toBe(0);
    expect((await findJobs(queue, submitted.run.id)).map(({ state }) => state)).toEqual([
      'running',
      'running',
      'cancelled',
    ]);
    expect((await queue.pulse(me, [job.token])).leases.get(job.token)).toBe('cancelled');
    await queue.cancelled(job.token);
    await sleep(300);
    await queue.sweep();
    expect((await findJobs(queue, submitted.run.id)).map(({ state }) => state)).toEqual(
      Array.from({ length: 3 }, () => 'cancelled'),
    );
  });
});

describePostgres('looking for work', () => {
  it('names the idle devices for which there is a job, and none whose machine is at work', async () => {
    const queue = await queues.open();
    const me = worker('w');
    const idle = ['a', 'b', 'c'].map((name) => ({ ...device(name), queue: 'measure' as const }));
    const named = async () => [...(await lookForWork(queue, me, idle)).devices].sort();
    expect(await named()).toEqual([]);
    await queue.submit(submission([{ device: 'b' }]));
    expect(await named()).toEqual(['b']);
    await queue.submit(submission([{}]));
    expect(await named()).toEqual(['a', 'b', 'c']);
    const job = await taken(queue, me, device('a'));
    expect(await named()).toEqual(['b']);
    const waits = await Promise.all(idle.map((each) => waitsFor(queue, me, each)));
    expect(waits, 'the other job is for b alone').toEqual([false, true, false]);
    await queue.submit(submission([{ device: 'a' }, { needs: 'vnni' }, { needs: 'vnni' }]));
    expect(await waitsFor(queue, me, idle[0]!), 'its machine is at work').toBe(true);
    expect(await named()).toEqual(['b']);
    await queue.submit(submission([{ needs: 'arch=arm64' }]));
    const arm = { ...idle[2]!, labels: { arch: 'arm64' } };
    expect([...(await lookForWork(queue, me, [arm])).devices]).toEqual(['c']);
    await queue.complete(job.token, 0);
    expect([...(await lookForWork(queue, worker('v', { version: '0.0.1' }), idle)).devices]).toEqual([]);
  });
});

describePostgres('workers', () => {
  it('are told to drain, and their devices are listed with what they do', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }]));
    const me = worker('w');
    await queue.enrol(me);
    await announce(queue, me, device('a'));
    await announce(queue, me, device('b'), 'no route to host');
    const job = await taken(queue, me, device('a'));
    expect(await listFleet(queue)).toMatchObject([
      { name: 'a', state: 'busy', job: `${job.run.id}/1` },
      { name: 'b', state: 'unreachable', reason: 'no route to host' },
    ]);
    expect((await queue.pulse(me, [])).draining).toBe(false);
    expect([await drain(queue, 'w'), await drain(queue, 'nobody')]).toEqual([true, false]);
    expect((await queue.pulse(me, [])).draining).toBe(true);
    await leave(queue, me);
    expect(await listFleet(queue)).toEqual([]);
  });
});
