import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { InputError } from '../base/errors.js';
import { isGone, startOfProcess } from '../base/process.js';
import type { Db } from './open.js';
import { alone, storeTime } from './server.js';
import type { LeaseRow } from './tables.js';

/** How often a holder gives a sign of life, in milliseconds. */
const BEAT = 10_000;

/** How long a holder on another machine, which cannot be asked, may be silent. */
const LAPSE = 60_000;

/** Who works on a run. */
export interface Holder {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/**
 * The right to write a run: one process has it at a time, and keeps it with a sign of life every ten seconds. That of a process
 * that was killed lapses: at once on the machine it ran on, after a minute elsewhere.
 */
export class RunLease {
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly db: Db,
    private readonly runId: string,
    private readonly token: string,
    onLost: (reason: InputError) => void,
  ) {
    this.timer = setInterval(() => {
      void this.beat(onLost);
    }, BEAT);
    this.timer.unref();
  }

  /**
   * Takes the lease of a run, if nobody has it.
   *
   * @param db - the store, open for writing
   * @param runId - of a run that is stored
   * @param onLost - called when another process has taken it over, which happens to one that was silent for a minute
   * @throws InputError that says who has it, where and since when
   */
  static async take(db: Db, runId: string, onLost: (reason: InputError) => void): Promise<RunLease> {
    const token = randomUUID();
    await alone(db, `run ${runId}`, async (transaction) => {
      const row = await transaction
        .selectFrom('leases')
        .selectAll()
        .where('run_id', '=', runId)
        .executeTakeFirst();
      const now = new Date(await storeTime(transaction));
      if (row !== undefined && isHeld(row, now.getTime())) throw heldError(runId, holderOf(row));
      const lease = {
        ...{ token, host: hostname(), pid: process.pid, process_start: startOfProcess(process.pid) },
        ...{ taken_at: now.toISOString(), beat_at: now.toISOString() },
      };
      await transaction
        .insertInto('leases')
        .values({ run_id: runId, ...lease })
        .onConflict((conflict) => conflict.column('run_id').doUpdateSet(lease))
        .execute();
    });
    return new RunLease(db, runId, token, onLost);
  }

  /** Gives the lease back. Call it before the store is closed. */
  async release(): Promise<void> {
    clearInterval(this.timer);
    await this.db
      .deleteFrom('leases')
      .where('run_id', '=', this.runId)
      .where('token', '=', this.token)
      .execute();
  }

  private async beat(onLost: (reason: InputError) => void): Promise<void> {
    try {
      const { numUpdatedRows } = await this.db
        .updateTable('leases')
        .set({ beat_at: new Date(await storeTime(this.db)).toISOString() })
        .where('run_id', '=', this.runId)
        .where('token', '=', this.token)
        .executeTakeFirst();
      if (numUpdatedRows > 0n) return;
    } catch {
      // A store that cannot be written now says so where something is to be stored.
      return;
    }
    clearInterval(this.timer);
    const other = (await liveHolders(this.db)).get(this.runId);
    onLost(
      other === undefined
        ? new InputError({
            source: `run ${this.runId}`,
            found: 'a record that has been deleted',
            expected: 'the run that is being measured',
          })
        : heldError(this.runId, other),
    );
  }
}

/**
 * Who works on which run.
 *
 * @param db - the store
 * @param now - milliseconds since 1970; left out, by the store's clock
 * @returns holders by the run's id; a run that no other process is working on is not in it
 */
export async function liveHolders(db: Db, now?: number): Promise<Map<string, Holder>> {
  const at = now ?? (await storeTime(db));
  const rows = await db.selectFrom('leases').selectAll().execute();
  return new Map(rows.filter((row) => isHeld(row, at)).map((row) => [row.run_id, holderOf(row)]));
}

/**
 * Takes the lease of a run away. The caller has made sure that nobody works on it: by a lease of another kind, or because the store is a
 * copy of its own.
 *
 * @param db - open for writing
 * @param runId - of the run; nothing happens where nobody has a lease of it
 */
export async function forgetHolders(db: Db, runId: string): Promise<void> {
  await db.deleteFrom('leases').where('run_id', '=', runId).execute();
}

/** The refusal of what must not be done to a run that somebody works on. */
export function heldError(runId: string, { host, pid, since }: Holder): InputError {
  return new InputError({
    source: `run ${runId}`,
    found: `that process ${pid} on ${host} has been working on it since ${since}`,
    expected: 'a run that no other process is working on',
    hint: 'Wait until it ends, or stop that process.',
  });
}

function holderOf({ host, pid, taken_at: since }: LeaseRow): Holder {
  return { host, pid, since };
}

/** A process of this machine is asked; one of another machine is known by its signs of life alone. */
function isHeld({ host, pid, process_start: start, beat_at }: LeaseRow, now: number): boolean {
  const own = host === hostname() && sameNamespace(start);
  if (!own) return now - Date.parse(beat_at) < LAPSE;
  return start === null ? !isGone(pid) : startOfProcess(pid) === start;
}

/** A machine may have been started anew, and containers may share a host's name: whether the process is one that can be asked. */
function sameNamespace(start: string | null): boolean {
  const own = startOfProcess(process.pid);
  return start === null || own === null || start.split(' ')[0] === own.split(' ')[0];
}
