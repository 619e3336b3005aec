import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { suitesWith } from '../store/browse/catalogue.js';
import { newestWithFigures } from '../store/newest.js';
import { whichEnded } from '../store/browse/changes.js';
import { liveHolders } from '../store/lease.js';
import { USUAL_RUNS } from './analyst/task.js';
import type { Serving } from './serving.js';

/** How often runs are looked for that have ended, in milliseconds. */
const LOOK = 10_000;

/** How long it waits for those who ask, and for a run that is measured on this machine, in milliseconds. */
const WAIT_FOR_READERS = 100;
const WAIT_FOR_RUNS = 5_000;

/** Between one piece of work and the next, in milliseconds: it takes half a processor at most. */
const REST = 50;

/** Runs that a thread is given at once. */
const AT_ONCE = 50;

/**
 * Computes what pages ask of runs before anybody asks: when the server starts, the newest runs of each suite, and each run when it has ended.
 * It makes way for those who ask, and does nothing while a run is measured on this machine, which it would disturb.
 */
export class Preparation {
  private readonly stopped = new AbortController();
  private readonly done: Promise<void>;

  private constructor(
    private readonly serving: Serving,
    private readonly failed: (error: unknown) => void,
  ) {
    this.done = this.work();
  }

  /**
   * Begins.
   *
   * @param serving - the store and its analyst
   * @param failed - told of what went wrong: it goes on at the next look
   */
  static start(serving: Serving, failed: (error: unknown) => void): Preparation {
    return new Preparation(serving, failed);
  }

  /** Ends after what is being computed. */
  async close(): Promise<void> {
    this.stopped.abort();
    await this.done;
  }

  private async work(): Promise<void> {
    let last: string | undefined;
    while (!this.stopped.signal.aborted) {
      try {
        const now = await whichEnded(this.serving.db);
        if (now !== last) {
          await prepare(this.serving, (milliseconds) => this.pause(milliseconds));
          last = now;
        }
      } catch (error) {
        this.failed(error);
      }
      await this.pause(LOOK);
    }
  }

  /** @returns whether to go on */
  private async pause(milliseconds: number): Promise<boolean> {
    const { signal } = this.stopped;
    await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
    return !signal.aborted;
  }
}

/**
 * Computes what pages ask of the newest runs, as far as it is not kept already.
 *
 * @param serving - the store and its analyst
 * @param pause - waits for so many milliseconds, and says whether to go on
 */
export async function prepare(
  { db, analyst }: Serving,
  pause: (milliseconds: number) => Promise<boolean>,
): Promise<void> {
  const free = async (): Promise<boolean> => {
    for (;;) {
      const here = [...(await liveHolders(db)).values()].some(({ host }) => host === hostname());
      if (!here && !analyst.isAsked) return pause(REST);
      if (!(await pause(here ? WAIT_FOR_RUNS : WAIT_FOR_READERS))) return false;
    }
  };
  const suites = await suitesWith(db, undefined, undefined);
  for (const suite of suites) {
    const runs = await newestWithFigures(db, suite, USUAL_RUNS);
    for (let at = 0; at < runs.length; at += AT_ONCE)
      for (let left: readonly string[] = runs.slice(at, at + AT_ONCE); left.length > 0;) {
        if (!(await free())) return;
        left = await analyst.prepareRuns(left);
      }
    if (runs.length === 0) continue;
    if (!(await free())) return;
    await analyst.prepareChanges(suite);
  }
}
