import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { findJobs } from '../../src/queue/list.js';
import { JobQueue } from '../../src/queue/queue.js';
import { openStore } from '../../src/store/open.js';
import { listRuns } from '../../src/store/read.js';
import { storeExample } from '../analysis/support/example.js';
import { device, submission, taken, useQueues, worker } from '../queue/support.js';
import { postgresPrograms } from '../support/postgres/installed.js';
import { describePostgres, onDatabase } from '../support/postgres.js';

const queues = useQueues();

describePostgres('a backup', () => {
  it('that is restored into another database has every row, and the fleet goes on from it', async () => {
    const queue = await queues.open();
    const results = await openStore(queues.url());
    await storeExample(results, { devices: ['laptop', 'board'] });
    const runs = await listRuns(results);
    await results.destroy();
    const submitted = submission([{ device: 'a' }, { device: 'b' }]);
    await queue.submit(submitted);
    const before = await taken(queue, worker('w', { leaseSeconds: 0.1 }), device('a'));

    const url = new URL(queues.url());
    const restored = `restored_${randomBytes(8).toString('hex')}`;
    const { stdout } = await promisify(execFile)(
      'sh',
      [join(packageRoot(), 'scripts', 'fleet-backup-check.sh'), url.pathname.slice(1), restored],
      {
        env: {
          ...process.env,
          PATH: `${postgresPrograms}${delimiter}${process.env['PATH']}`,
          ...{ PGHOST: url.hostname, PGPORT: url.port, PGUSER: url.username, PGPASSWORD: url.password },
        },
      },
    );
    expect(stdout).toMatch(/^edgeflex\.rounds: [1-9]\d* rows/m);
    expect(stdout).toMatch(/^edgeflex\.raw_samples_\d+_\d+: [1-9]\d* rows/m);
    expect(stdout).toMatch(/^edgeflex_queue\.take: 1 rows/m);
    url.pathname = `/${restored}`;
    const [there, fleet] = [await openStore(url.href), await JobQueue.open(url.href)];
    try {
      expect(await listRuns(there)).toEqual(runs);
      // What the dump has as running is lost when its lease lapses, and taken up.
      expect(await fleet.sweep()).toEqual([`${submitted.run.id}/1`]);
      const after = await taken(fleet, worker('v'), device('a'));
      expect([after.id, after.before]).toEqual([before.id, 'w']);
      await fleet.complete(after.token, 0);
      expect((await findJobs(fleet, submitted.run.id)).map(({ state }) => state)).toEqual([
        'done',
        'waiting',
      ]);
    } finally {
      await fleet.close();
      await there.destroy();
      await onDatabase(queues.url(), `drop database ${restored} with (force)`);
    }
  }, 60_000);
});
