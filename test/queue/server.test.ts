import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { QueueAway } from '../../src/queue/connection.js';
import { listJobs } from '../../src/queue/list.js';
import { JobQueue } from '../../src/queue/queue.js';
import { postgresPrograms } from '../support/postgres/installed.js';
import { PostgresServer } from '../support/postgres/server.js';
import { describePostgres, onDatabase } from '../support/postgres.js';
import { refusalOf } from '../support/refusal.js';
import { device, submission, taken, worker } from './support.js';

let server: PostgresServer;

beforeAll(async () => {
  if (postgresPrograms !== undefined) server = await PostgresServer.start();
});
afterAll(async () => {
  if (postgresPrograms !== undefined) await server.stop();
});

describePostgres('a queue', () => {
  it.each(['queue.db', 'http://host/edgeflex', 'postgres://host'])(
    'is refused at the address %s',
    async (address) => {
      expect((await refusalOf(() => JobQueue.open(address))).source).toBe('--db');
    },
  );

  it('is refused to who may not connect or make tables, and where there is no database; without the password', async () => {
    await onDatabase(server.url(), `create role reader login password 'secret'`);
    for (const address of [
      server.url('postgres', 'reader:wrong'),
      server.url('postgres', 'reader:secret'),
      server.url('nowhere'),
    ]) {
      const fault = await refusalOf(() => JobQueue.open(address));
      expect(JSON.stringify(fault)).not.toMatch(/secret|wrong/);
      expect(fault.source).toContain('postgres://');
    }
  });

  it('of a newer version is refused', async () => {
    await onDatabase(server.url(), 'create database newer');
    const url = server.url('newer');
    await (await JobQueue.open(url)).close();
    await onDatabase(url, 'insert into edgeflex_queue.change values (1000)');
    expect((await refusalOf(() => JobQueue.open(url))).found).toContain('newer');
  });

  it('is made once, however many open it first', async () => {
    await onDatabase(server.url(), 'create database crowded');
    const all = await Promise.all(Array.from({ length: 5 }, () => JobQueue.open(server.url('crowded'))));
    await all[0]?.submit(submission([{}]));
    expect(await listJobs(all[4]!, false)).toHaveLength(1);
    await Promise.all(all.map((queue) => queue.close()));
  });

  it('keeps nothing locked for long that somebody who was cut off has begun, but for work that is done alone', async () => {
    await onDatabase(server.url(), 'create database idle');
    const [one, other] = [await JobQueue.open(server.url('idle')), await JobQueue.open(server.url('idle'))];
    await one.submit(submission([{ device: 'a' }]));
    const long = one.connection.alone('long', () => sleep(6000, 'done'));
    const cutOff = one.connection.transaction(async (client) => {
      await client.query('select from edgeflex_queue.job for update');
      await sleep(6000);
      await client.query('select');
    });
    const lost = expect(cutOff).rejects.toBeInstanceOf(QueueAway);
    await vi.waitFor(async () => {
      await taken(other, worker('w'), device('a'));
    }, 20_000);
    await lost;
    expect(await long).toBe('done');
    await Promise.all([one.close(), other.close()]);
  }, 30_000);

  it('that goes and comes back has lost nothing, and nobody has lost a lease by it', async () => {
    await onDatabase(server.url(), 'create database killed');
    const queue = await JobQueue.open(server.url('killed'));
    await queue.submit(submission([{ device: 'a' }, { device: 'b' }]));
    const me = worker('w', { leaseSeconds: 1 });
    await queue.enrol(me);
    const job = await taken(queue, me, device('a'));
    await server.kill();
    await expect(queue.pulse(me, [job.token])).rejects.toBeInstanceOf(QueueAway);
    await expect(JobQueue.open(server.url('killed'))).rejects.toBeInstanceOf(QueueAway);
    // Longer than the lease.
    await sleep(1200);
    await server.restart();
    expect(await queue.sweep()).toEqual([]);
    expect((await queue.pulse(me, [job.token])).leases.get(job.token)).toBe('held');
    await queue.complete(job.token, 0);
    expect((await listJobs(queue, true)).map(({ state }) => state).sort()).toEqual(['done', 'waiting']);
    await queue.close();
  });
});
