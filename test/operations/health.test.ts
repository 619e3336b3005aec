import { expect, it, onTestFinished } from 'vitest';
import { serveHealth } from '../../src/operations/health.js';
import { openMetrics } from '../../src/operations/metrics.js';
import { announce } from '../../src/queue/roster.js';
import { openStore } from '../../src/store/open.js';
import { device, submission, useQueues, worker } from '../queue/support.js';
import { describePostgres, onServer } from '../support/postgres.js';

const queues = useQueues();

/** Values of a metric by its labels. */
function valuesOf(text: string, name: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const [, labels = '', value] = /^[^{ ]+(?:\{(.*)\})? (\S+)$/.exec(line)!;
      return [labels, Number(value)];
    }),
  );
}

describePostgres('the endpoint of a worker', () => {
  it('tells how the fleet is, and whether the database can be used', async () => {
    const queue = await queues.open();
    const lab = worker('lab');
    await queue.enrol(lab);
    await announce(queue, lab, device('pi5-a'));
    await announce(queue, lab, device('pi5-b'), 'no answer');
    await queue.submit(submission([{ device: 'pi5-a' }, { device: 'pi5-b' }]));
    const metrics = await openMetrics(queue);
    metrics.jobLeft('done', 12);
    const endpoint = await serveHealth(queue, metrics, 0);
    onTestFinished(() => endpoint.close());
    const ask = async (path: string): Promise<{ status: number; text: string }> => {
      const response = await fetch(`http://127.0.0.1:${endpoint.port}${path}`);
      return { status: response.status, text: await response.text() };
    };
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(await ask('/nothing')).toMatchObject({ status: 404 });
    const ready = await ask('/readyz');
    expect([ready.status, JSON.parse(ready.text)]).toEqual([
      200,
      { ready: true, queue: 'ok', store: 'empty' },
    ]);
    await (await openStore(queues.url())).destroy();
    expect(JSON.parse((await ask('/readyz')).text)).toMatchObject({ store: 'ok' });

    const { text } = await ask('/metrics');
    expect(valuesOf(text, 'edgeflex_queue_jobs')).toMatchObject({
      'queue="measure",state="waiting"': 2,
      'queue="measure",state="running"': 0,
      'queue="compress",state="waiting"': 0,
    });
    const ages = valuesOf(text, 'edgeflex_device_heartbeat_age_seconds');
    expect(Object.keys(ages).sort()).toEqual(['device="pi5-a",worker="lab"', 'device="pi5-b",worker="lab"']);
    expect(valuesOf(text, 'edgeflex_device_ready')).toEqual({
      'device="pi5-a",worker="lab"': 1,
      'device="pi5-b",worker="lab"': 0,
    });
    expect(valuesOf(text, 'edgeflex_job_duration_seconds_count')).toEqual({ 'how="done"': 1 });
    expect(valuesOf(text, 'edgeflex_store_latency_seconds_count')['']).toBe(1);
    expect(valuesOf(text, 'edgeflex_store_up')['']).toBe(1);
    expect(valuesOf(text, 'edgeflex_rounds_measured')['']).toBe(0);
    // No line is said twice, and every metric says what it is.
    const names = text.split('\n').filter((line) => line.startsWith('# HELP'));
    expect(new Set(names).size).toBe(names.length);

    // The database goes: the process lives, but cannot work.
    const name = new URL(queues.url()).pathname.slice(1);
    await onServer(`alter database ${name} allow_connections false`);
    await onServer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`);
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(await ask('/readyz')).toMatchObject({ status: 503 });
    const away = await ask('/metrics');
    expect(valuesOf(away.text, 'edgeflex_store_up')['']).toBe(0);
    expect(valuesOf(away.text, 'edgeflex_queue_jobs')).toEqual({});
  });
});
