import { InputError, messageOf, ResourceError } from '../base/errors.js';
import { withoutPassword } from '../base/server-address.js';
import { RunLease } from '../store/lease.js';
import { openStore, type Db } from '../store/open.js';
import { findRun } from '../store/read.js';
import { clockOffset } from '../store/server.js';
import { transferRun } from '../store/transfer/transfer.js';
import type { EmitRunEvent } from './events.js';

/** Between two deliveries, in milliseconds: they read and compare, which rounds of a second each should not wait for. */
const PAUSE = 10_000;

/** The longest that a server which does not answer is left alone. */
const LONGEST_PAUSE = 600_000;

/**
 * Brings what a run has measured to a shared store while the run goes on. The run is recorded in its own store in any case: a server
 * that goes away takes nothing with it, and gets what it missed when it is back, or by the next `edgeflex runs push`.
 */
export class Delivery {
  private due = 0;
  private pause = PAUSE;
  private isBusy = false;
  private isFailing = false;
  private lease: RunLease | undefined;
  private runId: string | undefined;

  private constructor(
    private readonly here: Db,
    private readonly there: Db,
    private readonly place: string,
    private readonly emit: EmitRunEvent,
  ) {}

  /**
   * Opens the shared store: what is wrong with it is known before anything is measured.
   *
   * @param here - where the run is recorded
   * @param address - of the shared store
   * @param emit - told how the deliveries go
   * @throws StoreError, InputError when it cannot be written
   */
  static async open(here: Db, address: string, emit: EmitRunEvent): Promise<Delivery> {
    const there = await openStore(address, { answerWithin: 20_000 });
    const seconds = await clockOffset(there);
    if (seconds !== 0) emit({ kind: 'clock', seconds });
    return new Delivery(here, there, withoutPassword(address), emit);
  }

  /** Delivers what is there of a run at its beginning, and says there that it is being worked on. */
  async begin(runId: string): Promise<void> {
    this.runId = runId;
    await this.attempt();
  }

  /** Delivers what is new, unless that was done just now, or another delivery goes on. */
  async deliver(): Promise<void> {
    if (!this.isBusy && Date.now() >= this.due) await this.attempt();
  }

  /**
   * Delivers the rest and closes the shared store.
   *
   * @param isOver - whether the run has come to its end; one that was stopped does not wait for a server that has gone
   */
  async close(isOver: boolean): Promise<void> {
    try {
      if (isOver || !this.isFailing) await this.attempt();
      await this.lease?.release().catch(() => undefined);
    } finally {
      await this.there.destroy();
    }
  }

  private async attempt(): Promise<void> {
    if (this.runId === undefined) return;
    this.isBusy = true;
    try {
      const run = await findRun(this.here, this.runId);
      const { idThere } = await transferRun(this.here, this.there, run, {
        thorough: false,
        lease: this.lease,
      });
      this.lease ??= await RunLease.take(this.there, idThere, (reason) => {
        this.fail(reason);
      });
      if (this.isFailing) this.emit({ kind: 'delivered', place: this.place });
      this.isFailing = false;
      this.pause = PAUSE;
    } catch (error) {
      if (!(error instanceof InputError) && !(error instanceof ResourceError)) throw error;
      this.fail(error);
    } finally {
      this.isBusy = false;
      this.due = Date.now() + this.pause;
    }
  }

  private fail(error: Error): void {
    if (this.isFailing) this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    else this.emit({ kind: 'undelivered', place: this.place, reason: messageOf(error) });
    this.isFailing = true;
  }
}
