import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readDuration } from '../../base/quantities.js';
import { pathOf } from '../../base/named.js';
import { installedVersion } from '../../base/paths.js';
import { SharedResults } from '../../queue/deliver.js';
import { compressingDevice, measuringDevice } from '../../queue/devices.js';
import { claimFolder, removeStrangers } from '../../queue/folder.js';
import { jobName } from '../../queue/jobs.js';
import { Worker, type WorkerEvent } from '../../queue/worker.js';
import { sendersOf } from '../../alerts/deliver.js';
import { lookOnce, watchClock, type ClockEvent, type ClockOptions } from '../../operations/clock.js';
import { serveHealth } from '../../operations/health.js';
import { openLog, type LogLevel } from '../../operations/log.js';
import { openMetrics } from '../../operations/metrics.js';
import { collected } from '../options/flags.js';
import { addLogOptions, portOf, type LogFlags } from '../options/log-options.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { givenAddress, queueOption, withQueue } from '../options/queue-options.js';
import { clockLine } from '../output/clock-line.js';
import { workerLine } from '../output/worker-line.js';

interface Flags extends LogFlags {
  readonly metricsPort?: number;
  readonly db?: string;
  readonly devices: readonly string[];
  readonly compress?: true;
  readonly name?: string;
  readonly host: string;
  readonly state: string;
  readonly data?: string;
  readonly lease: number;
  readonly once?: true;
  readonly json?: true;
}

/** How often the queue is asked for work and for leases that have lapsed, in milliseconds. */
const POLL_MILLISECONDS = 1000;

/** `edgeflex worker`: measures on devices what others submit. */
export function workerCommand(): Command {
  const command = addLogOptions(new Command('worker').addOption(queueOption()))
    .addOption(
      new Option('--devices <profile...>', 'profiles of the devices that this worker drives')
        .argParser(collected)
        .default([], 'none'),
    )
    .option('--compress', 'also compress for submissions that ask for it')
    .option('--name <name>', 'name of this worker (default: that of the machine)')
    .option('--host <name>', 'name of this machine; one job is measured on it at a time', hostname())
    .option('--state <directory>', 'folder for what is being measured; one for each worker', 'worker')
    .option('--data <directory>', 'the folder of the images, as of edgeflex run')
    .option(
      '--lease <time>',
      'how long this worker may be silent before its jobs go to others: 5s to 1h',
      leaseOf,
      30,
    )
    .option(
      '--metrics-port <port>',
      'serve /metrics (Prometheus), /healthz and /readyz there, for this machine alone',
      portOf,
    )
    .option('--once', 'end when there is no job left for any device')
    .option('--json', 'print how many jobs ended, and how, as JSON')
    .action(async (flags: Flags) => {
      const { host, data, name = host } = flags;
      const devices = await Promise.all(
        flags.devices.map((reference) => measuringDevice(pathOf('device', reference), host)),
      );
      if (flags.compress) devices.push(compressingDevice(host));
      if (devices.length === 0)
        throw new InvalidArgumentError('Nothing to do: name profiles with --devices, or give --compress.');
      const record = {
        ...{ name, process: randomUUID(), host, leaseSeconds: flags.lease, version: installedVersion() },
      };
      const counts = { done: 0, failed: 0, others: 0 };
      const log = await openLog(flags.log, flags.logLevel);
      let working = 0;
      const emit = (event: WorkerEvent): void => {
        log(weightOf(event), workerLine(event), factsOf(event));
        if (event.kind === 'took') working++;
        if (event.kind !== 'left') return;
        working--;
        metrics?.jobLeft(event.how, event.seconds);
        counts[event.how === 'done' || event.how === 'failed' ? event.how : 'others']++;
      };
      let metrics: Awaited<ReturnType<typeof openMetrics>> | undefined;
      const claimed = claimFolder(flags.state);
      const { drain, stop, release } = endOnSignals();
      try {
        const address = givenAddress(flags.db);
        await withQueue(address, async (queue) => {
          const spools = join(flags.state, 'spools');
          await removeStrangers(queue, spools);
          const clock: ClockOptions = {
            ...{ worker: name, address, senders: sendersOf(process.env), isFree: () => working === 0 },
            emit: (event) => {
              log(clockWeightOf(event), clockLine(event), { ...event, event: `clock ${event.kind}` });
            },
          };
          const ended = new AbortController();
          const results = new SharedResults(queue, address);
          if (flags.metricsPort !== undefined) metrics = await openMetrics(queue);
          const endpoint = metrics && (await serveHealth(queue, metrics, flags.metricsPort ?? 0));
          if (endpoint) log('info', `metrics at http://127.0.0.1:${endpoint.port}/metrics`);
          // What has come due is worked on by this very worker.
          if (flags.once) await lookOnce(queue, clock);
          const watching = flags.once ? undefined : watchClock(queue, clock, ended.signal);
          try {
            await new Worker(queue, {
              ...{ record, devices, spools, data, emit, drain, stop },
              ...{ pollMilliseconds: POLL_MILLISECONDS, once: flags.once ?? false },
              deliver: (spool, job) => results.deliver(spool, job),
            }).run();
            if (flags.once && !drain.aborted) await lookOnce(queue, clock);
          } finally {
            ended.abort();
            await watching;
            await endpoint?.close();
            await results.close();
          }
        });
      } finally {
        release();
        claimed.release();
      }
      if (flags.json) printJson('worker', { worker: name, ...counts });
      else console.log(`${name}: ${counts.done} done, ${counts.failed} failed, ${counts.others} given back`);
    });
  return explained(command, {
    notes: [
      'The first Ctrl-C or SIGTERM ends the worker after the jobs that it has; the second gives them back at once. Killed, it loses them when its lease lapses, and whoever takes them up goes on at the round where it stopped.',
      'While the database does not answer, measuring goes on, and is delivered later.',
      'Workers also watch the clock of "edgeflex schedule", and tell regressions: EDGEFLEX_WEBHOOK_SECRET, EDGEFLEX_SMTP (smtp://user:password@host:587), EDGEFLEX_MAIL_FROM and EDGEFLEX_SITE (address of the dashboard) are read from the environment.',
    ],
    examples: [
      'edgeflex worker --devices devices/*.yaml --db postgres://lab@db.example/edgeflex',
      ['edgeflex worker --devices local-cpu --compress', 'with EDGEFLEX_DB set'],
      ['edgeflex worker --devices local-cpu --once', 'until the queue is empty'],
    ],
  });
}

/** What weighs more than that something went its way. */
function weightOf(event: WorkerEvent): LogLevel {
  switch (event.kind) {
    case 'device':
      return event.fault === undefined ? 'info' : 'warn';
    case 'left':
      return event.how === 'failed'
        ? 'error'
        : event.how === 'waits' || event.how === 'lost'
          ? 'warn'
          : 'info';
    case 'freed':
    case 'away':
    case 'unsent':
      return 'warn';
    default:
      return 'info';
  }
}

function clockWeightOf(event: ClockEvent): LogLevel {
  switch (event.kind) {
    case 'time':
      return event.time.outcome === 'submitted' ? 'info' : 'warn';
    case 'checked':
      return event.checked.fault === undefined ? 'info' : 'error';
    case 'sent':
      return event.sent.fault === undefined ? 'info' : event.sent.givenUp ? 'error' : 'warn';
    default:
      return 'error';
  }
}

/** What happened, as data: of a job its name, not all of its plan. */
function factsOf({ kind, ...facts }: WorkerEvent): Readonly<Record<string, unknown>> {
  if (!('job' in facts) || typeof facts.job === 'string') return { event: kind, ...facts };
  const { suite, person, rounds } = facts.job;
  return { event: kind, ...facts, job: jobName(facts.job), suite, person, rounds };
}

/** A flag that says how long a lease is, in seconds. */
function leaseOf(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds !== undefined && milliseconds >= LEAST_LEASE && milliseconds <= MOST_LEASE)
    return milliseconds / 1000;
  throw new InvalidArgumentError('Expected from 5s to 1h, such as 30s.');
}

const LEAST_LEASE = 5000;
const MOST_LEASE = 3_600_000;

/** The first signal asks the worker to end with what it has, the second to give it back. */
function endOnSignals(): {
  readonly drain: AbortSignal;
  readonly stop: AbortSignal;
  readonly release: () => void;
} {
  const [drain, stop] = [new AbortController(), new AbortController()];
  const onSignal = (): void => {
    if (drain.signal.aborted) stop.abort(new Error('stopped'));
    drain.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    ...{ drain: drain.signal, stop: stop.signal },
    release: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
