import {
  disturbancesOf,
  placedAlike,
  type Disturbance,
  type Placement,
  type SeenConditions,
  usualPace,
} from './disturbance.js';

/** A timed round, and what was seen of its device. */
export interface WatchedRound {
  /** What the device was like, in the order it was seen. */
  readonly conditions: readonly SeenConditions[];
  /** Of the device's cores; undefined where it does not matter or cannot be seen. */
  readonly placement: Placement | undefined;
}

/** What others did to the timed rounds of a cell. */
export interface SoundRounds<Round> {
  /** The rounds that figures are computed from: those that nothing disturbed, or all where too few are left. */
  readonly rounds: readonly Round[];
  /** How many rounds something disturbed. */
  readonly disturbed: number;
  /** What disturbed them, the worst of each kind; empty where nothing did. */
  readonly by: readonly Disturbance[];
  /** Whether a verdict can be given: most of the rounds were not disturbed. */
  readonly decides: boolean;
}

/**
 * Which timed rounds of a cell can be believed. A disturbed round is slower by something that is not the model's: it is left out as long
 * as more than half of the rounds are not disturbed. Otherwise what is left would be chosen more by luck than by quiet, and there is no
 * verdict.
 *
 * @param timed - rounds of a cell
 */
export function soundOf<Round extends WatchedRound>(timed: readonly Round[]): SoundRounds<Round> {
  const usual = usualPace(timed.map(({ conditions }) => conditions));
  const found = timed.map((round) => ({
    round,
    by: disturbancesOf(round.conditions, round.placement, usual),
  }));
  const sound = found.filter(({ by }) => by.length === 0).map(({ round }) => round);
  const decides = sound.length === timed.length || sound.length * 2 > timed.length;
  return {
    rounds: decides ? sound : timed,
    disturbed: timed.length - sound.length,
    by: worstOfEach(found.flatMap(({ by }) => by)),
    decides,
  };
}

/**
 * The rounds of two cells that can be compared with each other: those of one number whose cores lay alike.
 *
 * @param reference - rounds of a cell that count
 * @param own - of another cell of the same run
 * @param numberOf - a round's number
 * @returns pairs of rounds of one number
 */
export function alikePairs<Round extends WatchedRound>(
  reference: readonly Round[],
  own: readonly Round[],
  numberOf: (round: Round) => number,
): { readonly reference: Round; readonly own: Round }[] {
  const others = new Map(reference.map((round) => [numberOf(round), round]));
  return own.flatMap((round) => {
    const other = others.get(numberOf(round));
    return other !== undefined && liesAlike(other, round) ? [{ reference: other, own: round }] : [];
  });
}

/** A placement that nobody saw is not known to be another one. */
function liesAlike({ placement: one }: WatchedRound, { placement: other }: WatchedRound): boolean {
  return one === undefined || other === undefined || placedAlike(meanOf(one), meanOf(other));
}

function meanOf({ before, after }: Placement): number {
  return (before + after) / 2;
}

/** Of each kind one: the most that others took, the longest that the core was slowed. */
function worstOfEach(disturbances: readonly Disturbance[]): Disturbance[] {
  const size = (each: Disturbance): number => {
    switch (each.kind) {
      case 'other-load':
        return each.cores;
      case 'slowed':
        return each.share;
      default:
        return 0;
    }
  };
  const sorted = [...disturbances].sort((a, b) => size(b) - size(a));
  return sorted.filter((each, index) => sorted.findIndex(({ kind }) => kind === each.kind) === index);
}
