import type { WatchedRound } from '../protocol/soundness.js';
import { checkedRows } from './checked.js';
import type { Db } from './open.js';
import { conditionsOf, placementIn, samplesOf } from './rounds.js';

/** A round of timed queries, and what was seen of its device. */
export interface TimedRound extends WatchedRound {
  readonly round: number;
  /** Latencies in order, in milliseconds. */
  readonly samples: readonly number[];
}

/**
 * The rounds of a cell with numbers below a bound in which queries were timed.
 *
 * @param db - the store
 * @param cellId - the cell
 * @param before - the bound
 */
export async function timedRounds(db: Db, cellId: number, before: number): Promise<TimedRound[]> {
  const rows = await db
    .selectFrom('rounds')
    .selectAll()
    .where('cell_id', '=', cellId)
    .where('round', '<', before)
    .orderBy('round')
    .execute();
  const rounds: TimedRound[] = [];
  for (const row of checkedRows(db, 'rounds', rows)) {
    const samples = await samplesOf(db, row.id);
    if (samples.length === 0) continue;
    const conditions = await conditionsOf(db, row.id);
    rounds.push({ round: row.round, samples, placement: placementIn(row), conditions });
  }
  return rounds;
}
