import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import { knownBlocks, loadCheckpoint, saveCheckpoint } from '../../src/queue/checkpoint.js';
import { Spool } from '../../src/queue/spool.js';
import { useFolder } from '../support/folder.js';
import { describePostgres } from '../support/postgres.js';
import { device, submission, taken, useQueues, worker } from './support.js';

const folder = useFolder();
const queues = useQueues();

describePostgres('a checkpoint', () => {
  it('is loaded as it was saved, and only what has changed is sent', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }]));
    const job = await taken(queue, worker('w'), device('a'));
    expect(await loadCheckpoint(queue, job.id)).toBeUndefined();
    const content = randomBytes(300_000);
    const known = await knownBlocks(queue, job.id);
    await saveCheckpoint(queue, job.token, content, 1, known);
    expect((await loadCheckpoint(queue, job.id))?.equals(content)).toBe(true);
    const before = await queue.connection.query(
      'select position, xmin::text from edgeflex_queue.block order by 1',
    );
    content[70_000]! ^= 1;
    const longer = Buffer.concat([content, randomBytes(1000)]);
    await saveCheckpoint(queue, job.token, longer, 2, known);
    expect((await loadCheckpoint(queue, job.id))?.equals(longer)).toBe(true);
    const after = await queue.connection.query(
      'select position, xmin::text from edgeflex_queue.block order by 1',
    );
    const same = after.rows.filter(({ position, xmin }) =>
      before.rows.some((row) => row['position'] === position && row['xmin'] === xmin),
    );
    // The second holds the bit, the last has grown.
    expect(same.map(({ position }) => Number(position))).toEqual([0, 2, 3]);
    // What was sent before and comes after.
    await saveCheckpoint(queue, job.token, content, 1, new Map(known));
    expect((await loadCheckpoint(queue, job.id))?.equals(longer)).toBe(true);
    await saveCheckpoint(queue, job.token, content.subarray(0, 10), 2, known);
    expect((await loadCheckpoint(queue, job.id))?.length).toBe(10);
    await queue.complete(job.token, 0);
    expect(await loadCheckpoint(queue, job.id)).toBeUndefined();
  });

  it('that is sent while another is on its way arrives after it', async () => {
    const queue = await queues.open();
    await queue.submit(submission([{ device: 'a' }]));
    const job = await taken(queue, worker('w'), device('a'));
    const spool = await Spool.open(folder('spools'), queue, job, 'w');
    const { connection } = queue;
    const asked = connection.query.bind(connection);
    const slow = vi.spyOn(connection, 'query').mockImplementationOnce(async (text, values) => {
      await sleep(300);
      return asked(text, values);
    });
    const faults: string[] = [];
    spool.save((reason) => faults.push(reason));
    await vi.waitFor(() => expect(slow).toHaveBeenCalled());
    await sql`create table later (x)`.execute(spool.db);
    await spool.send();
    await spool.close();
    expect(faults).toEqual([]);
    const kept = await loadCheckpoint(queue, job.id);
    expect(kept?.includes('CREATE TABLE later')).toBe(true);
  });
});
