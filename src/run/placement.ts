import { median } from 'simple-statistics';
import type { Placement } from '../protocol/disturbance.js';
import type { Device } from '../device/device.js';
import { runTask } from './task-runner.js';

/** What was seen so short a time ago, in milliseconds, needs no second look: rounds follow each other at once. */
const STILL_VALID_MS = 500;

/** Looks at where the cores of a device lie to each other, before and after what is timed there. */
export class PlacementWatch {
  private last: { readonly at: number; readonly latency: number } | undefined;

  /**
   * @param device - the device
   * @param signal - ends a look
   */
  constructor(
    private readonly device: Device,
    private readonly signal: AbortSignal,
  ) {}

  /** Whether it matters and can be seen: one thread has no other to wait for, and a page has no threads of its own. */
  get isOfUse(): boolean {
    return this.device.runsNode === true && this.device.session.threads > 1;
  }

  /**
   * Does something, and looks before and after it.
   *
   * @param work - what is to be done
   * @returns what it gave, and the placement; undefined where that is of no use
   * @throws what the work throws; DeviceError when the device cannot be looked at
   */
  async around<T>(work: () => Promise<T>): Promise<readonly [T, Placement | undefined]> {
    if (!this.isOfUse) return [await work(), undefined];
    const { last } = this;
    const before =
      last !== undefined && performance.now() - last.at < STILL_VALID_MS ? last.latency : await this.look();
    const result = await work();
    const after = await this.look();
    this.last = after === undefined ? undefined : { at: performance.now(), latency: after };
    return [result, before === undefined || after === undefined ? undefined : { before, after }];
  }

  /** @returns in nanoseconds; undefined where there is no second core */
  private async look(): Promise<number | undefined> {
    const { coreLatencies } = await runTask(this.device, { kind: 'placement' }, { signal: this.signal });
    return coreLatencies.length > 0 ? median([...coreLatencies]) : undefined;
  }
}
