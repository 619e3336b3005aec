import { setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import { messageOf } from '../base/errors.js';
import type { QueueName } from './boss.js';
import { QueueAway } from './connection.js';
import { Contact } from './contact.js';
import { DeviceLoop } from './device-loop.js';
import type { Execute } from './execute.js';
import { JobWork } from './job-work.js';
import type { OfferedDevice, Outcome, TakenJob, WorkerRecord } from './jobs.js';
import { lookForWork, strangeJobs, type StrangeJobs } from './look.js';
import { JobCancelled, LeaseLost, type JobQueue } from './queue.js';
import { leave } from './roster.js';
import { pause } from './pause.js';
import type { Spool } from './spool.js';

/** What happens to a worker. */
export type WorkerEvent =
  /** A device is ready, or cannot be used; why. */
  | { readonly kind: 'device'; readonly device: string; readonly fault: string | undefined }
  | { readonly kind: 'took'; readonly device: string; readonly job: TakenJob }
  /** The worker has no more to do with a job: it ended, waits again, or somebody else has it. */
  | {
      readonly kind: 'left';
      readonly device: string;
      /** The job's name. */
      readonly job: string;
      readonly how: Outcome | 'released' | 'lost' | 'waits';
      readonly failedCells: number;
      readonly reason: string | undefined;
      /** From taking the job to this, and how much of it the work itself took: the rest is opening, sending and delivering. */
      readonly seconds: number;
      readonly workSeconds: number;
    }
  /** Jobs wait for workers of another version, which this one leaves alone. */
  | ({ readonly kind: 'strange' } & StrangeJobs)
  /** Jobs of workers that were lost wait again. */
  | { readonly kind: 'freed'; readonly jobs: readonly string[] }
  /** The queue's server does not answer, or does again; jobs go on meanwhile. */
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'back' }
  /** Something of a job could not be sent to the queue; it is sent with what follows. */
  | { readonly kind: 'unsent'; readonly job: string; readonly reason: string }
  /** No more jobs are taken. */
  | { readonly kind: 'draining' };

/** A device as a worker drives it. */
export interface WorkerDevice {
  readonly queue: QueueName;
  /** Name of the device, for messages while nothing else is known of it. */
  readonly name: string;
  readonly profile: string | undefined;
  readonly execute: Execute;
  /**
   * Reaches the device and says what it is.
   *
   * @throws DeviceError when it cannot be reached
   */
  describe(): Promise<OfferedDevice>;
}

/** How a worker works. */
export interface WorkerOptions {
  readonly record: WorkerRecord;
  readonly devices: readonly WorkerDevice[];
  /** The folder of the spools: nobody else's. */
  readonly spools: string;
  /** Where images lie, if not where they are looked for. */
  readonly data: string | undefined;
  /** How often the queue is asked for jobs of idle devices and for leases that have lapsed, in milliseconds. */
  readonly pollMilliseconds: number;
  /** Whether to end when there is no job left for any device. */
  readonly once: boolean;
  /** Brings what a job has measured to where results are gathered; bringing it twice must change nothing. */
  readonly deliver: (spool: Spool, job: TakenJob) => Promise<void>;
  /** Told what happens. */
  readonly emit: (event: WorkerEvent) => void;
  /** Takes no more jobs when it fires. */
  readonly drain: AbortSignal;
  /** Gives all jobs back when it fires, and ends. */
  readonly stop: AbortSignal;
}

/** How often pg-boss's old jobs are retired, in milliseconds. */
const MAINTAIN_MILLISECONDS = 3_600_000;

/** Signs of life in the time of a lease. */
const BEATS = 3;

const AGAIN_MILLISECONDS = 500;

/** How long what was measured by others is left alone after it could not be delivered, in milliseconds. */
const REST_MILLISECONDS = 5000;

/** A device that has nothing to do. */
type IdleDevice = OfferedDevice & { readonly queue: QueueName };

/** Drives devices through the jobs of a queue. */
export class Worker {
  /** Jobs that it works on: what ends each, by the token of its lease. */
  private readonly working = new Map<string, AbortController>();
  private readonly draining = new AbortController();
  /** Fires when it is to take no more jobs. */
  readonly drained: AbortSignal;
  /** Devices that wait for a job, and what wakes each. */
  private readonly idling = new Map<IdleDevice, () => void>();
  /** The end of the last work on the record of each job that is worked on here. */
  private readonly turns = new Map<string, Promise<void>>();
  private delivering: Promise<void> = Promise.resolve();
  private isDelivering = false;
  /** What nobody had expected of a delivery. */
  private broken: { readonly error: unknown } | undefined;
  private readonly contact: Contact;

  /**
   * @param queue - open
   * @param options - its devices, and how it works
   */
  constructor(
    readonly queue: JobQueue,
    readonly options: WorkerOptions,
  ) {
    const lease = options.record.leaseSeconds * 1000;
    this.contact = new Contact(lease, lease / BEATS);
    this.drained = AbortSignal.any([this.draining.signal, options.drain, options.stop]);
    // Every idle device listens.
    setMaxListeners(0, this.drained);
  }

  /** Whether it is to take no more jobs. */
  isDraining(): boolean {
    return this.drained.aborted;
  }

  /**
   * Works until it is told to end, or, with `once`, until there is nothing left to do.
   *
   * @throws what makes the queue unusable for good
   */
  async run(): Promise<void> {
    const { record, devices, emit, stop, pollMilliseconds } = this.options;
    this.freed(await this.persistently(() => this.queue.enrol(record)));
    for (const jobs of await this.persistently(() => strangeJobs(this.queue, record)))
      emit({ kind: 'strange', ...jobs });
    const ended = new AbortController();
    const background = Promise.all([
      this.every((record.leaseSeconds * 1000) / BEATS, ended.signal, () => this.pulse()),
      this.every(Math.min(pollMilliseconds, record.leaseSeconds * 250), ended.signal, () => this.look()),
      this.every(MAINTAIN_MILLISECONDS, ended.signal, () => this.queue.maintain()),
    ]);
    this.drained.addEventListener('abort', () => {
      emit({ kind: 'draining' });
    });
    try {
      const loops = devices.map((device) => new DeviceLoop(this, device));
      this.deliverLeft();
      const running = new Map<DeviceLoop, Promise<void>>();
      // What is started to look at one device must not disturb what this machine measures; others need not wait.
      for (const loop of loops) {
        await loop.look();
        if (!loop.isElsewhere) continue;
        const ended = loop.run();
        // Whoever waits for it below is told.
        ended.catch(() => undefined);
        running.set(loop, ended);
      }
      await Promise.all(loops.map((loop) => running.get(loop) ?? loop.run()));
      await this.delivering;
      if (this.broken !== undefined) throw this.broken.error;
      // Whoever is stopped does not wait for a server that is away.
      await this.persistently(() => leave(this.queue, record)).catch((error: unknown) => {
        if (!stop.aborted) throw error;
      });
    } finally {
      ended.abort();
      await background;
    }
  }

  /**
   * Tells the queue that a job is worked on until `leave` is called with its token.
   *
   * @returns fires when the job is no longer to be worked on
   */
  hold(token: string): AbortSignal {
    const controller = new AbortController();
    this.working.set(token, controller);
    return AbortSignal.any([controller.signal, this.options.stop]);
  }

  /** The end of `hold`. */
  leave(token: string): void {
    this.working.delete(token);
  }

  /**
   * Asks the queue until it answers.
   *
   * @throws what it answers; what it last said when the worker is stopped meanwhile
   */
  async persistently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;)
      try {
        const answer = await ask();
        this.answered();
        return answer;
      } catch (error) {
        if (!(error instanceof QueueAway) || this.options.stop.aborted) throw error;
        this.unanswered(error);
        await pause(AGAIN_MILLISECONDS, this.options.stop);
      }
  }

  /**
   * Waits until there may be a job for a device, or no more are taken.
   *
   * @param device - that has nothing to do
   */
  async idle(device: IdleDevice): Promise<void> {
    const { drained } = this;
    if (drained.aborted) return;
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    this.idling.set(device, wake);
    drained.addEventListener('abort', wake);
    await woken;
    drained.removeEventListener('abort', wake);
    this.idling.delete(device);
  }

  /**
   * Works on the record of a job when whoever had it here before has left it: two devices of this worker may have the job one after the other.
   *
   * @param job - its id
   * @param work - what is done with it
   */
  async inTurn<T>(job: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(job) ?? Promise.resolve()).then(work);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    this.turns.set(job, over);
    try {
      return await turn;
    } finally {
      if (this.turns.get(job) === over) this.turns.delete(job);
    }
  }

  /** Removes the record of a job that has been delivered, or is somebody else's. */
  async discard(spool: Spool): Promise<void> {
    await rm(spool.folder, { recursive: true, force: true });
  }

  private async pulse(): Promise<void> {
    const tokens = [...this.working.keys()];
    const { draining, leases } = await this.queue.pulse(this.options.record, tokens);
    if (draining && !this.draining.signal.aborted) this.draining.abort();
    for (const token of tokens) {
      const lease = leases.get(token);
      if (lease === 'held') continue;
      this.working
        .get(token)
        ?.abort(
          lease === 'cancelled' ? new JobCancelled('cancelled') : new LeaseLost('its lease has lapsed'),
        );
    }
  }

  /** Asks what there is to do: whose leases have lapsed, what waits to be delivered, and for whom there may be a job. */
  private async look(): Promise<void> {
    const { record } = this.options;
    let seen = await lookForWork(this.queue, record, [...this.idling.keys()]);
    this.answered(seen.serverStarted);
    if (seen.lapsed && !this.contact.isPatient(performance.now())) {
      const jobs = await this.queue.sweep();
      this.freed(jobs);
      // Whoever could take them up does so now, and not the next time.
      if (jobs.length > 0) seen = await lookForWork(this.queue, record, [...this.idling.keys()]);
    }
    if (seen.deliver) this.deliverLeft();
    for (const [{ name }, wake] of this.idling) if (seen.devices.has(name)) wake();
  }

  /** Delivers what workers measured that were lost before they had delivered it. */
  private deliverLeft(): void {
    if (this.isDelivering || this.isDraining()) return;
    this.isDelivering = true;
    this.delivering = this.deliverAll()
      .catch((error: unknown) => {
        this.broken ??= { error };
        this.draining.abort();
      })
      .finally(() => {
        this.isDelivering = false;
      });
  }

  private async deliverAll(): Promise<void> {
    while (!this.isDraining()) {
      const job = await this.persistently(() => this.queue.takeMeasured(this.options.record));
      if (job === undefined) return;
      const losses: string[] = [];
      await new JobWork(this, job, {
        ...{ name: job.device, profile: undefined, execute: undefined, onMeasured: undefined },
        onLost: (reason) => losses.push(reason),
      }).run();
      if (losses.length > 0) await pause(REST_MILLISECONDS, this.drained);
    }
  }

  private freed(jobs: readonly string[]): void {
    if (jobs.length > 0) this.options.emit({ kind: 'freed', jobs });
  }

  /** Does something at intervals; a queue that is away is asked again the next time. */
  private async every(milliseconds: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      try {
        await work();
        this.answered();
      } catch (error) {
        if (!isOver()) this.unanswered(error);
      }
      await pause(this.contact.isAway ? Math.min(milliseconds, AGAIN_MILLISECONDS) : milliseconds, signal);
    }
  }

  private answered(serverStarted?: number): void {
    if (this.contact.answered(performance.now(), serverStarted)) this.options.emit({ kind: 'back' });
  }

  private unanswered(error: unknown): void {
    if (this.contact.unanswered(performance.now()))
      this.options.emit({ kind: 'away', reason: messageOf(error) });
  }
}
