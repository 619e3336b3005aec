import { alikePairs, soundOf, type SoundRounds } from '../../protocol/soundness.js';
import type { StoredCell } from '../../store/read.js';
import type { StoredRound } from '../../store/rounds.js';

/** What others did to the timed rounds of a cell. */
export type Soundness = SoundRounds<StoredRound>;

/**
 * Which rounds of a cell can be believed: see `soundOf`.
 *
 * @param cell - that is timed: of performance or of load
 */
export function soundnessOf({ rounds }: StoredCell): Soundness {
  return soundOf(rounds.filter(({ samples, trials }) => samples.length > 0 || trials.length > 0));
}

/** Something of each round. */
type ByRound<Value> = ReadonlyMap<number, Value>;

/** Something of two cells in the same rounds. */
export interface AlikeRounds<Value> {
  readonly reference: ByRound<Value>;
  readonly cell: ByRound<Value>;
}

/**
 * Something of each round of a cell that counts, see `soundnessOf`.
 *
 * @param cell - that is timed
 * @param of - what of a round
 */
export function soundRounds<Value>(cell: StoredCell, of: (round: StoredRound) => Value): ByRound<Value> {
  return new Map(soundnessOf(cell).rounds.map((round) => [round.row.round, of(round)]));
}

/**
 * Something of the rounds of two cells that can be compared with each other: those of one number whose cores lay alike.
 *
 * @param reference - a cell that is timed
 * @param cell - another of the same run
 * @param of - what of a round
 * @returns of the same rounds of both
 */
export function alikeRounds<Value>(
  reference: StoredCell,
  cell: StoredCell,
  of: (round: StoredRound) => Value,
): AlikeRounds<Value> {
  const numberOf = ({ row }: StoredRound): number => row.round;
  const pairs = alikePairs(soundnessOf(reference).rounds, soundnessOf(cell).rounds, numberOf);
  return {
    reference: new Map(pairs.map((pair) => [numberOf(pair.reference), of(pair.reference)])),
    cell: new Map(pairs.map(({ own }) => [numberOf(own), of(own)])),
  };
}
