import { DeviceError, InputError, messageOf, ResourceError } from '../base/errors.js';
import { systemFailure } from '../base/write-failure.js';
import type { Execute } from './execute.js';
import { jobName, type Outcome, type TakenJob } from './jobs.js';
import { JobCancelled, LeaseLost } from './queue.js';
import { Spool } from './spool.js';
import type { Worker } from './worker.js';

/** Where a job is worked on. */
export interface Workplace {
  /** Name of the device, for messages. */
  readonly name: string;
  readonly profile: string | undefined;
  /** What measures it; undefined where that is done, and it is only to be delivered. */
  readonly execute: Execute | undefined;
  /** Told when the device is free, before the job is delivered; undefined where it is not free until then. */
  readonly onMeasured: (() => void) | undefined;
  /** Told that the device was lost. */
  readonly onLost: (reason: string) => void;
}

/** How a job left the worker. */
interface End {
  readonly how: Outcome | 'released' | 'lost' | 'waits';
  readonly failedCells?: number;
  readonly reason?: string;
  readonly workSeconds?: number;
}

/** One worker's work on one job that it has taken, from its record to its end. */
export class JobWork {
  /**
   * @param worker - who has taken it
   * @param job - the job
   * @param place - where it is worked on
   */
  constructor(
    private readonly worker: Worker,
    private readonly job: TakenJob,
    private readonly place: Workplace,
  ) {}

  /**
   * Works on the job until it has ended, or is no longer the worker's.
   *
   * @throws what nobody has expected
   */
  async run(): Promise<void> {
    const { options } = this.worker;
    const { job } = this;
    const signal = this.worker.hold(job.token);
    options.emit({ kind: 'took', device: this.place.name, job });
    const taken = performance.now();
    try {
      const {
        how,
        failedCells = 0,
        reason,
        workSeconds = 0,
      } = await this.worker.inTurn(job.id, () => this.attempt(signal));
      options.emit({
        ...{ kind: 'left', device: this.place.name, job: jobName(job), how, failedCells, reason },
        ...{ seconds: (performance.now() - taken) / 1000, workSeconds },
      });
    } catch (error) {
      // The worker is stopped while the server is away: what was measured lies here, and the job is taken up when the lease lapses.
      if (!options.stop.aborted) throw error;
    } finally {
      this.worker.leave(job.token);
    }
  }

  private async attempt(signal: AbortSignal): Promise<End> {
    const { queue, options } = this.worker;
    const { job, place } = this;
    let spool: Spool;
    try {
      spool = await this.worker.persistently(() =>
        Spool.open(options.spools, queue, job, options.record.name),
      );
    } catch (error) {
      return this.giveUp(signal, error);
    }
    const save = (): void => {
      spool.save((reason) => {
        options.emit({ kind: 'unsent', job: jobName(job), reason });
      });
    };
    let end: End;
    const begun = performance.now();
    try {
      const failedCells =
        place.execute === undefined
          ? (job.failedCells ?? 0)
          : await place.execute({
              ...{ job, spool, signal, data: options.data, onRound: save },
              ...{ device: place.name, profile: place.profile },
            });
      const workSeconds = (performance.now() - begun) / 1000;
      end = { ...(await this.finish(spool, failedCells)), workSeconds };
    } catch (error) {
      save();
      await spool.settled();
      end = await this.giveUp(signal, error);
    } finally {
      await spool.close();
    }
    if (end.how !== 'waits' && end.how !== 'released') await this.worker.discard(spool);
    return end;
  }

  /** Delivers what was measured, and ends the job: in this order, so that whatever comes between, it is delivered again and not lost. */
  private async finish(spool: Spool, failedCells: number): Promise<End> {
    const { queue, options } = this.worker;
    const { job, place } = this;
    const isMeasuredHere = place.execute !== undefined;
    if (isMeasuredHere && place.onMeasured !== undefined) {
      // From here on whoever takes the job up has no device to measure anew what is missing.
      await this.worker.persistently(() => spool.send());
      await this.worker.persistently(() => queue.measured(job.token, failedCells));
      place.onMeasured();
    } else {
      // Who has been silent for too long may have lost it to somebody who has delivered meanwhile.
      const { leases } = await this.worker.persistently(() => queue.pulse(options.record, [job.token]));
      const lease = leases.get(job.token);
      if (lease === undefined) throw new LeaseLost('its lease has lapsed');
      if (lease === 'cancelled') throw new JobCancelled('cancelled');
    }
    await this.worker.persistently(() => options.deliver(spool, job));
    await this.worker.persistently(() => queue.complete(job.token, failedCells));
    return { how: 'done', failedCells };
  }

  private async giveUp(signal: AbortSignal, error: unknown): Promise<End> {
    try {
      return await this.settle(signal, error);
    } catch (lost) {
      if (lost instanceof LeaseLost) return { how: 'lost' };
      throw lost;
    }
  }

  /** Tells the queue what becomes of a job that could not be done. */
  private async settle(signal: AbortSignal, error: unknown): Promise<End> {
    const { queue, options } = this.worker;
    const { token } = this.job;
    const why: unknown = signal.aborted ? signal.reason : error;
    if (why instanceof LeaseLost) return { how: 'lost', reason: why.message };
    if (why instanceof JobCancelled) {
      await this.worker.persistently(() => queue.cancelled(token));
      return { how: 'cancelled' };
    }
    if (options.stop.aborted) {
      await this.worker.persistently(() => queue.release(token));
      return { how: 'released' };
    }
    const known = isKnown(error) ? error : (systemFailure(error) ?? error);
    const reason = messageOf(known);
    const saidOf = `${this.place.name}: ${reason}`;
    if (known instanceof DeviceError || known instanceof ResourceError) {
      // That this machine has no room speaks neither against the job nor against the device: it is not counted.
      await this.worker.persistently(() =>
        known instanceof DeviceError ? queue.again(token, saidOf) : queue.release(token, saidOf),
      );
      this.place.onLost(reason);
      return { how: 'waits', reason };
    }
    await this.worker.persistently(() => queue.fail(token, reason));
    return { how: 'failed', reason };
  }
}

/** Whether an error says what it means already. */
function isKnown(error: unknown): boolean {
  return error instanceof DeviceError || error instanceof InputError || error instanceof ResourceError;
}
