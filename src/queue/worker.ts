import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.js';
import type { QueueName } from './boss.js';
import { QueueAway } from './connection.js';
import { DeviceLoop } from './device-loop.js';
import type { Execute } from './execute.js';
import type { OfferedDevice, Outcome, TakenJob, WorkerRecord } from './jobs.js';
import { JobCancelled, LeaseLost, type JobQueue } from './queue.js';
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
  /** How often idle devices ask for a job, in milliseconds. */
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

/** How often what lapsed is looked for at least, in milliseconds. */
const SWEEP_MILLISECONDS = 1000;

/** How often pg-boss's old jobs are retired, in milliseconds. */
const MAINTAIN_MILLISECONDS = 3_600_000;

const AGAIN_MILLISECONDS = 500;

/** Drives devices through the jobs of a queue. */
export class Worker {
  /** Jobs that it works on: what ends each, by the token of its lease. */
  private readonly working = new Map<string, AbortController>();
  private readonly draining = new AbortController();
  private isAway = false;
  /** Until when others are given time to say that they live, after the server was away. */
  private patientUntil = 0;

  /**
   * @param queue - open
   * @param options - its devices, and how it works
   */
  constructor(
    readonly queue: JobQueue,
    readonly options: WorkerOptions,
  ) {}

  /** Whether it is to take no more jobs. */
  isDraining(): boolean {
    return this.draining.signal.aborted || this.options.drain.aborted || this.options.stop.aborted;
  }

  /** Fires when it is to take no more jobs. */
  get drained(): AbortSignal {
    return AbortSignal.any([this.draining.signal, this.options.drain, this.options.stop]);
  }

  /**
   * Works until it is told to end, or, with `once`, until there is nothing left to do.
   *
   * @throws what makes the queue unusable for good
   */
  async run(): Promise<void> {
    const { record, devices, emit, stop } = this.options;
    this.freed(await this.persistently(() => this.queue.enrol(record)));
    const ended = new AbortController();
    const background = Promise.all([
      this.every((record.leaseSeconds * 1000) / 3, ended.signal, () => this.pulse()),
      this.every(Math.min(SWEEP_MILLISECONDS, record.leaseSeconds * 250), ended.signal, () => this.sweep()),
      this.every(MAINTAIN_MILLISECONDS, ended.signal, () => this.queue.maintain()),
    ]);
    this.drained.addEventListener('abort', () => {
      emit({ kind: 'draining' });
    });
    try {
      const loops = devices.map((device) => new DeviceLoop(this, device));
      // What is started to look at one device must not disturb what another one measures.
      for (const loop of loops) await loop.look();
      await Promise.all(loops.map((loop) => loop.run()));
      // Whoever is stopped does not wait for a server that is away.
      await this.persistently(() => this.queue.leave(record)).catch((error: unknown) => {
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

  private async sweep(): Promise<void> {
    if (performance.now() >= this.patientUntil) this.freed(await this.queue.sweep());
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
      await pause(this.isAway ? Math.min(milliseconds, AGAIN_MILLISECONDS) : milliseconds, signal);
    }
  }

  private answered(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.patientUntil = performance.now() + this.options.record.leaseSeconds * 1000;
    this.options.emit({ kind: 'back' });
  }

  private unanswered(error: unknown): void {
    if (this.isAway) return;
    this.isAway = true;
    this.options.emit({ kind: 'away', reason: messageOf(error) });
  }
}

/** Waits, or not even that when the signal fires. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
