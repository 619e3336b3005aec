import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/errors.js';
import { databaseIn } from '../base/paths.js';
import { forgetHolders } from '../store/lease.js';
import { connect, openStore, type Db } from '../store/open.js';
import { countRounds } from '../store/rounds.js';
import { knownBlocks, loadCheckpoint, saveCheckpoint, type KnownBlocks } from './checkpoint.js';
import type { TakenJob } from './jobs.js';
import { LeaseLost, type JobQueue } from './queue.js';
import { pause } from './pause.js';

/**
 * Between two sendings there is a rest of so many times what the last one took, in milliseconds: rounds of a second are not all worth
 * what sending each would cost, and those of a minute are sent one by one.
 */
const REST = { times: 50, most: 10_000 };

/**
 * The record of one job on the machine that measures it: a results database of its own, which goes on while the queue's server is away,
 * and of which the queue keeps a copy for whoever must go on with it.
 */
export class Spool {
  private saving: Promise<void> = Promise.resolve();
  /** The end of the last sending. */
  private sent: Promise<void> = Promise.resolve();
  private isAsked = false;
  /** How long the next sending waits. */
  private restMilliseconds = 0;
  /** Fires when nothing waits any longer. */
  private readonly hurry = new AbortController();

  private constructor(
    /** A folder of results, as `--results` of the command. */
    readonly folder: string,
    /** The results database in it. */
    readonly db: Db,
    private readonly queue: JobQueue,
    private readonly job: TakenJob,
    private readonly known: KnownBlocks,
  ) {}

  /**
   * Opens the record of a job: the one that this worker left when it had the job last, or the queue's copy of what others left.
   *
   * @param folder - of all spools of the worker
   * @param queue - open
   * @param job - taken
   * @param worker - who has taken it
   * @throws ResourceError when the server is away, or the disk is full
   */
  static async open(folder: string, queue: JobQueue, job: TakenJob, worker: string): Promise<Spool> {
    const own = spoolOf(folder, job.id);
    await mkdir(own, { recursive: true });
    // The queue has nothing of a job that nobody has had.
    const isNew = job.before === null;
    const kept = job.before === worker ? await roundsIn(own, job.device) : -1;
    if (!isNew && (kept < job.rounds || kept < 0)) await restore(own, queue, job);
    const known: KnownBlocks = isNew ? new Map<number, string>() : await knownBlocks(queue, job.id);
    const db = await openStore(databaseIn(own));
    try {
      // Whoever wrote it has lost the job, and with it the right to; where there was no room, it could not even say that it had ended.
      if (!isNew) await forgetHolders(db, job.run.id);
    } catch (error) {
      await db.destroy();
      throw error;
    }
    return new Spool(own, db, queue, job, known);
  }

  /** How many rounds are stored. */
  rounds(): Promise<number> {
    return countRounds(this.db);
  }

  /**
   * Sends what has changed to the queue, as soon as what is being sent has arrived. What cannot be sent is part of what is sent next.
   *
   * @param onTrouble - told why it was not sent
   */
  save(onTrouble: (reason: string) => void): void {
    if (this.isAsked) return;
    this.isAsked = true;
    this.saving = this.saving.then(async () => {
      await pause(this.restMilliseconds, this.hurry.signal);
      this.isAsked = false;
      const begun = performance.now();
      await this.send().catch((error: unknown) => {
        // The worker's next sign of life tells it, too.
        if (!(error instanceof LeaseLost)) onTrouble(messageOf(error));
      });
      this.restMilliseconds = Math.min(REST.most, REST.times * (performance.now() - begun));
    });
  }

  /** Waits until what was to be saved has been sent, or could not be. */
  async settled(): Promise<void> {
    this.hurry.abort();
    await this.saving;
  }

  /** Closes the record; it stays where it is. */
  async close(): Promise<void> {
    await this.settled();
    await this.db.destroy();
  }

  /**
   * Sends what has changed to the queue, as soon as what is being sent has arrived: on two connections at once the older might arrive last,
   * and what the newer had brought would be gone there.
   *
   * @throws LeaseLost when the job is no longer the worker's; QueueAway when the server does not answer
   */
  send(): Promise<void> {
    const turn = this.sent.then(() => this.sendNow());
    this.sent = turn.catch(() => undefined);
    return turn;
  }

  private async sendNow(): Promise<void> {
    const rounds = await this.rounds();
    const database = connect(databaseIn(this.folder), { readonly: true });
    let content: Buffer;
    try {
      content = database.serialize();
    } finally {
      database.close();
    }
    await saveCheckpoint(this.queue, this.job.token, content, rounds, this.known);
  }
}

/**
 * Where the record of a job lies.
 *
 * @param folder - of all spools of the worker
 * @param job - its id
 */
export function spoolOf(folder: string, job: string): string {
  return join(folder, job);
}

/** Rounds of a device that lie there; -1 where nothing that can be read does, or what another device has begun. */
async function roundsIn(folder: string, device: string): Promise<number> {
  try {
    const db = await openStore(databaseIn(folder));
    try {
      const others = await db.selectFrom('devices').select('id').where('name', '<>', device).execute();
      return others.length > 0 ? -1 : await countRounds(db);
    } finally {
      await db.destroy();
    }
  } catch {
    return -1;
  }
}

async function restore(folder: string, queue: JobQueue, job: TakenJob): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // What has no round yet may have been begun on another device.
  const content = job.rounds > 0 ? await loadCheckpoint(queue, job.id) : undefined;
  if (content === undefined) return;
  await writeFile(databaseIn(folder), content);
}
