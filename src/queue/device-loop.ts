import { messageOf } from '../base/errors.js';
import { JobWork } from './job-work.js';
import type { OfferedDevice, TakenJob } from './jobs.js';
import { waitsFor } from './look.js';
import { pause } from './pause.js';
import { announce } from './roster.js';
import type { Worker, WorkerDevice } from './worker.js';

/** How long a device rests that could not be used, in milliseconds: twice as long each time, up to a limit. */
const REST = { first: 5000, most: 600_000 };

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

  /** Whether the device is, as far as is known, not this machine itself, which whatever the worker does would disturb. */
  get isElsewhere(): boolean {
    return this.offered !== undefined && this.offered.host !== this.worker.options.record.host;
  }

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
    await this.worker.persistently(() => announce(queue, options.record, known, fault));
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
      const device = { ...offered, queue: this.device.queue };
      if (job !== undefined) await this.workUntilMeasured(job);
      else if (
        options.once &&
        !(await this.worker.persistently(() => waitsFor(queue, options.record, device)))
      )
        return;
      else await this.worker.idle(device);
    }
  }

  private get name(): string {
    return this.offered?.name ?? this.device.name;
  }

  /** Works on a job until its device is free for the next one: at its end, or when there is only its delivery left to do. */
  private async workUntilMeasured(job: TakenJob): Promise<void> {
    this.refuseBroken();
    const { isElsewhere } = this;
    let measured = (): void => undefined;
    const free = new Promise<void>((resolve) => (measured = resolve));
    const work = new JobWork(this.worker, job, {
      ...{ name: this.name, profile: this.device.profile },
      execute: async (task) => {
        const failedCells = await this.device.execute(task);
        this.faults = 0;
        return failedCells;
      },
      // Delivering takes this machine's processor: what is measured on it would be disturbed.
      onMeasured: isElsewhere ? measured : undefined,
      onLost: (reason) => {
        this.offered = undefined;
        this.worker.options.emit({ kind: 'device', device: this.device.name, fault: reason });
      },
    });
    const whole = work.run().catch((error: unknown) => {
      this.broken ??= { error };
    });
    this.delivering.add(whole);
    void whole.then(() => this.delivering.delete(whole));
    await Promise.race([whole, free]);
  }

  private refuseBroken(): void {
    if (this.broken !== undefined) throw this.broken.error;
  }

  private unknown(): OfferedDevice {
    return { name: this.device.name, profile: this.device.name, host: '', class: '', labels: {} };
  }
}
