import { disturbancesOf, placedAlike, type Disturbance } from '../../protocol/disturbance.js';
import type { StoredCell, StoredRound } from '../../store/read.js';

/** What others did to the timed rounds of a cell. */
export interface Soundness {
  /** The rounds that latencies are computed from: those that nothing disturbed, or all where too few are left. */
  readonly rounds: readonly StoredRound[];
  /** How many rounds something disturbed. */
  readonly disturbed: number;
  /** What disturbed them, the worst of each kind; empty where nothing did. */
  readonly by: readonly Disturbance[];
  /** Whether a verdict on the latency can be given: most of the rounds were not disturbed. */
  readonly decides: boolean;
}

/**
 * Which rounds of a cell can be believed. A disturbed round is slower by something that is not the model's: it is left out as long as
 * more than half of the rounds are not disturbed. Otherwise what is left would be chosen more by luck than by quiet, and there is
 * no verdict.
 *
 * @param cell - of performance
 */
export function soundnessOf({ rounds }: StoredCell): Soundness {
  const timed = rounds.filter(({ samples }) => samples.length > 0);
  const found = timed.map((round) => ({ round, by: disturbancesOf(round.conditions, round.placement) }));
  const sound = found.filter(({ by }) => by.length === 0).map(({ round }) => round);
  const decides = sound.length === timed.length || sound.length * 2 > timed.length;
  return {
    rounds: decides ? sound : timed,
    disturbed: timed.length - sound.length,
    by: worstOfEach(found.flatMap(({ by }) => by)),
    decides,
  };
}

/** Latencies by round, in milliseconds. */
type Samples = ReadonlyMap<number, readonly number[]>;

/** Latencies of two cells in the same rounds. */
export interface AlikeRounds {
  readonly reference: Samples;
  readonly cell: Samples;
}

/**
 * The rounds of two cells that can be compared with each other: those of one number whose cores lay alike.
 *
 * @param reference - a cell of performance
 * @param cell - another of the same run
 * @returns latencies by round of both, in milliseconds: of the same rounds
 */
export function alikeRounds(reference: StoredCell, cell: StoredCell): AlikeRounds {
  const others = new Map(soundnessOf(reference).rounds.map((round) => [round.row.round, round]));
  const pairs = soundnessOf(cell).rounds.flatMap((own) => {
    const other = others.get(own.row.round);
    return other !== undefined && liesAlike(other, own) ? [{ own, other }] : [];
  });
  return {
    reference: new Map(pairs.map(({ other }) => [other.row.round, other.samples])),
    cell: new Map(pairs.map(({ own }) => [own.row.round, own.samples])),
  };
}

/** A placement that nobody saw is not known to be another one. */
function liesAlike({ placement: one }: StoredRound, { placement: other }: StoredRound): boolean {
  return one === undefined || other === undefined || placedAlike(meanOf(one), meanOf(other));
}

function meanOf({ before, after }: NonNullable<StoredRound['placement']>): number {
  return (before + after) / 2;
}

/** Of each kind one: of what others took the most that they took in a round. */
function worstOfEach(disturbances: readonly Disturbance[]): Disturbance[] {
  const size = (each: Disturbance): number => (each.kind === 'other-load' ? each.cores : 0);
  const sorted = [...disturbances].sort((a, b) => size(b) - size(a));
  return sorted.filter((each, index) => sorted.findIndex(({ kind }) => kind === each.kind) === index);
}
