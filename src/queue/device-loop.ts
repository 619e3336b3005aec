import { DeviceError, messageOf, ResourceError } from '../base/errors.js';
import { jobName, type OfferedDevice, type Outcome, type TakenJob } from './jobs.js';
import { JobCancelled, LeaseLost } from './queue.js';
import { Spool } from './spool.js';
import { pause, type Worker, type WorkerDevice } from './worker.js';

/** How long a device rests that could not be used, in milliseconds: twice as long each time, up to a limit. */
const REST = { first: 5000, most: 600_000 };

/** How a job left the worker. */
interface End {
  readonly how: Outcome | 'released' | 'lost' | 'waits';
  readonly failedCells?: number;
  readonly reason?: string;
  readonly workSeconds?: number;
}

/** Takes one job after the other for a device. Whatever happens here concerns no other device. */
export class DeviceLoop {
  private offered: OfferedDevice | undefined;
  private faults = 0;
  /** Jobs that were measured and are being delivered while the device has the next one. */
  private readonly delivering = new Set<Promise<void>>();
  /** What nobody had expected of one of them. */
  private broken: { readonly error: unknown } | undefined;

  /**
   * @param worker - whose device it is
   * @param device - the device
   */
  constructor(
    private readonly worker: Worker,
    private readonly device: WorkerDevice,
  ) {}

  /** Looks at what the device is, and tells the queue. */
  async look(): Promise<void> {
    const { queue, options } = this.worker;
    let fault: string | undefined;
    const before = this.offered;
    try {
      this.offered = await this.device.describe();
    } catch (error) {
      this.offered = undefined;
      fault = messageOf(error);
    }
    options.emit({ kind: 'device', device: this.name, fault });
    const known = this.offered ?? before ?? this.unknown();
    await this.worker.persistently(() => queue.announce(options.record, known, fault));
  }

  /** Works until the worker takes no more jobs, or, with `once`, until there is none for the device. */
  async run(): Promise<void> {
    await this.takeAll();
    await Promise.all(this.delivering);
    this.refuseBroken();
  }

  private async takeAll(): Promise<void> {
    const { queue, options, drained } = this.worker;
    while (!this.worker.isDraining()) {
      const offered = this.offered;
      if (offered === undefined) {
        if (options.once) return;
        await pause(Math.min(REST.most, REST.first * 2 ** this.faults++), drained);
        if (!this.worker.isDraining()) await this.look();
        continue;
      }
      const job = await this.worker.persistently(() =>
        queue.take(this.device.queue, options.record, offered),
      );
      if (job !== undefined) await this.workUntilMeasured(job, offered);
      else if (options.once) return;
      // Not all at the same moment.
      else await pause(options.pollMilliseconds * (0.75 + Math.random() / 2), drained);
    }
  }

  private get name(): string {
    return this.offered?.name ?? this.device.name;
  }

  /** Works on a job until its device is free for the next one: at its end, or when there is only its delivery left to do. */
  private async workUntilMeasured(job: TakenJob, { host }: OfferedDevice): Promise<void> {
    this.refuseBroken();
    // Delivering takes this machine's processor: what is measured on it would be disturbed.
    const isElsewhere = host !== this.worker.options.record.host;
    let measured = (): void => undefined;
    const free = new Promise<void>((resolve) => (measured = resolve));
    const whole = this.work(job, isElsewhere ? measured : undefined).catch((error: unknown) => {
      this.broken ??= { error };
    });
    this.delivering.add(whole);
    void whole.then(() => this.delivering.delete(whole));
    await Promise.race([whole, free]);
  }

  private refuseBroken(): void {
    if (this.broken !== undefined) throw this.broken.error;
  }

  private async work(job: TakenJob, onMeasured: (() => void) | undefined): Promise<void> {
    const { options } = this.worker;
    const signal = this.worker.hold(job.token);
    options.emit({ kind: 'took', device: this.name, job });
    const taken = performance.now();
    try {
      const { how, failedCells = 0, reason, workSeconds = 0 } = await this.attempt(job, signal, onMeasured);
      options.emit({
        ...{ kind: 'left', device: this.name, job: jobName(job), how, failedCells, reason },
        ...{ seconds: (performance.now() - taken) / 1000, workSeconds },
      });
    } catch (error) {
      // The worker is stopped while the server is away: what was measured lies here, and the job is taken up when the lease lapses.
      if (!options.stop.aborted) throw error;
    } finally {
      this.worker.leave(job.token);
    }
  }

  private async attempt(
    job: TakenJob,
    signal: AbortSignal,
    onMeasured: (() => void) | undefined,
  ): Promise<End> {
    const { queue, options } = this.worker;
    let spool: Spool;
    try {
      spool = await this.worker.persistently(() =>
        Spool.open(options.spools, queue, job, options.record.name),
      );
    } catch (error) {
      return this.giveUp(job, signal, error);
    }
    const save = (): void => {
      spool.save((reason) => {
        options.emit({ kind: 'unsent', job: jobName(job), reason });
      });
    };
    let end: End;
    const begun = performance.now();
    try {
      const failedCells = await this.device.execute({
        ...{ job, spool, signal, data: options.data, profile: this.device.profile, onRound: save },
      });
      const workSeconds = (performance.now() - begun) / 1000;
      this.faults = 0;
      end = { ...(await this.finish(job, spool, failedCells, onMeasured)), workSeconds };
    } catch (error) {
      save();
      await spool.settled();
      end = await this.giveUp(job, signal, error);
    } finally {
      await spool.close();
    }
    if (end.how !== 'waits' && end.how !== 'released') await this.worker.discard(spool);
    return end;
  }

  /** Delivers what was measured, and ends the job: in this order, so that whatever comes between, it is delivered again and not lost. */
  private async finish(
    job: TakenJob,
    spool: Spool,
    failedCells: number,
    onMeasured: (() => void) | undefined,
  ): Promise<End> {
    const { queue, options } = this.worker;
    // Who has been silent for too long may have lost it to somebody who has delivered meanwhile.
    const { leases } = await this.worker.persistently(() => queue.pulse(options.record, [job.token]));
    const lease = leases.get(job.token);
    if (lease === undefined) throw new LeaseLost('its lease has lapsed');
    if (lease === 'cancelled') throw new JobCancelled('cancelled');
    // What is not delivered now is delivered by whoever takes the job up.
    await spool.settled();
    if (onMeasured !== undefined) {
      await this.worker.persistently(() => queue.measured(job.token));
      onMeasured();
    }
    await this.worker.persistently(() => options.deliver(spool, job));
    await this.worker.persistently(() => queue.complete(job.token, failedCells));
    return { how: 'done', failedCells };
  }

  private async giveUp(job: TakenJob, signal: AbortSignal, error: unknown): Promise<End> {
    try {
      return await this.settle(job, signal, error);
    } catch (lost) {
      if (lost instanceof LeaseLost) return { how: 'lost' };
      throw lost;
    }
  }

  /** Tells the queue what becomes of a job that could not be done. */
  private async settle({ token }: TakenJob, signal: AbortSignal, error: unknown): Promise<End> {
    const { queue, options } = this.worker;
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
    const reason = messageOf(error);
    if (error instanceof DeviceError || error instanceof ResourceError) {
      await this.worker.persistently(() => queue.again(token, `${this.name}: ${reason}`));
      this.offered = undefined;
      options.emit({ kind: 'device', device: this.device.name, fault: reason });
      return { how: 'waits', reason };
    }
    await this.worker.persistently(() => queue.fail(token, reason));
    return { how: 'failed', reason };
  }

  private unknown(): OfferedDevice {
    return { name: this.device.name, profile: this.device.name, host: '', class: '', labels: {} };
  }
}
