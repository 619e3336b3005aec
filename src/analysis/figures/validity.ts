import { median, quantileSorted } from 'simple-statistics';
import { driftOf } from '../../stats/drift.js';
import { placedAlike, type Disturbance } from '../../protocol/disturbance.js';
import { loadFlags } from './load-validity.js';
import { soundnessOf } from './soundness.js';
import type { StoredCell } from '../../store/read.js';
import type { StoredRound } from '../../store/rounds.js';
import { tiers, type Tier } from '../../suite/schema.js';

/** What a device was like at a moment. */
type Conditions = StoredRound['conditions'][number]['conditions'];

/** A doubt about a cell: nothing is left out for it, but whoever reads the figures must know. */
export type Flag =
  | { readonly kind: 'never-steady'; readonly rounds: number; readonly of: number }
  | {
      readonly kind: 'drift';
      readonly rounds: number;
      readonly of: number;
      /** From a round's first query to its last, the median of the rounds that drifted; above 0 is slower. */
      readonly share: number;
    }
  | { readonly kind: 'governor-changed'; readonly governors: readonly string[] }
  /** Of the fastest core, in MHz. */
  | { readonly kind: 'frequency-changed'; readonly least: number; readonly most: number }
  /** Others disturbed so many rounds that there is no verdict on the latency. */
  | {
      readonly kind: 'disturbed';
      readonly rounds: number;
      readonly of: number;
      readonly by: readonly Disturbance[];
    }
  /** Others disturbed some rounds, which are left out. */
  | {
      readonly kind: 'rounds-left-out';
      readonly rounds: number;
      readonly of: number;
      readonly by: readonly Disturbance[];
    }
  /** The virtual processors lay near each other in some rounds and far in others; in nanoseconds from core to core. */
  | { readonly kind: 'placements-differ'; readonly nearest: number; readonly farthest: number }
  | { readonly kind: 'smoke-tier' }
  | { readonly kind: 'few-samples'; readonly queries: number; readonly tier: Tier; readonly asked: number }
  /** The time of a search for the highest rate ended before that was narrowed down; at worst it is higher by this share. */
  | {
      readonly kind: 'search-ended';
      readonly rounds: number;
      readonly of: number;
      readonly share: number | undefined;
    }
  /** So few queries of each rate fitted into the time, in the round with the fewest. */
  | { readonly kind: 'few-offered'; readonly queries: number; readonly tier: Tier; readonly asked: number }
  /**
   * The trials of a search, in the round with the fewest queries, are too short for a bound of so many service times: the queue had no time
   * to become as long as it would be, and the rate is too high.
   */
  | {
      readonly kind: 'short-trials';
      readonly queries: number;
      readonly enough: number;
      readonly serviceTimes: number;
    }
  /** Queries were started so late though nothing was before them: the p99, in milliseconds, and as a share of the bound. */
  | { readonly kind: 'late-starts'; readonly milliseconds: number; readonly share: number }
  /** The time ended before all queries were served that were there. */
  | { readonly kind: 'not-all-served'; readonly rounds: number; readonly of: number }
  /** The least and the largest median of a round, in milliseconds. */
  | { readonly kind: 'processes-disagree'; readonly fastest: number; readonly slowest: number };

/**
 * A round drifts when its trend is significant at this level and at least so large from its first query to its last. Between
 * neighbouring rounds of a quiet machine medians differ by 1 to 3 %, so that less than that is no news within one.
 */
const DRIFT_SIGNIFICANCE = 0.05;
const DRIFT_SHARE = 0.05;

/** The fastest core's frequencies while queries are timed may differ by so much: latency changes by as much as they do. */
const FREQUENCY_SHARE = 0.05;

/** Medians of two rounds that lie so far apart, while their middle halves do not meet, are of processes that disagree. */
const DISAGREEMENT_SHARE = 0.1;

/**
 * What speaks against a cell that is timed, from its raw data alone.
 *
 * @param cell - of performance or of load, with its rounds
 * @returns in the order in which they are told; none when nothing does
 */
export function flagsOf(cell: StoredCell): Flag[] {
  const { rounds } = soundnessOf(cell);
  const isLoad = cell.row.kind !== 'performance';
  const smoke = smokeTier(cell);
  const seen = rounds.flatMap(timedConditions);
  const found = [
    // At tier smoke nothing waits for a steady state.
    smoke ? undefined : unsteady(rounds),
    isLoad || smoke ? undefined : drift(rounds),
    changedFrequency(seen),
    disturbed(cell),
    differentPlacements(rounds),
    smoke,
    ...(isLoad ? loadFlags(cell) : [fewSamples(cell), disagreement(rounds)]),
  ];
  return found.filter((flag) => flag !== undefined);
}

function unsteady(rounds: readonly StoredRound[]): Flag | undefined {
  const count = rounds.filter(({ row }) => row.steady === 0).length;
  return count > 0 ? { kind: 'never-steady', rounds: count, of: rounds.length } : undefined;
}

function drift(rounds: readonly StoredRound[]): Flag | undefined {
  const drifts = rounds.map(({ samples }) => driftOf(samples));
  const found = drifts.filter(({ share, p }) => p < DRIFT_SIGNIFICANCE && Math.abs(share) >= DRIFT_SHARE);
  if (found.length * 2 <= rounds.length) return undefined;
  const share = median(found.map((each) => each.share));
  return { kind: 'drift', rounds: found.length, of: rounds.length, share };
}

function changedFrequency(seen: readonly Conditions[]): Flag | undefined {
  const governors = [...new Set(seen.map(({ governor }) => governor).filter((each) => each !== undefined))];
  if (governors.length > 1) return { kind: 'governor-changed', governors };
  const fastest = seen.map(({ fastestCore }) => fastestCore).filter((each) => each !== undefined);
  if (fastest.length === 0) return undefined;
  const [least, most] = [Math.min(...fastest), Math.max(...fastest)];
  if (most - least <= FREQUENCY_SHARE * most) return undefined;
  return { kind: 'frequency-changed', least, most };
}

function disturbed(cell: StoredCell): Flag | undefined {
  const { rounds, disturbed: count, by, decides } = soundnessOf(cell);
  if (by.length === 0) return undefined;
  return decides
    ? { kind: 'rounds-left-out', rounds: count, of: rounds.length + count, by }
    : { kind: 'disturbed', rounds: count, of: rounds.length, by };
}

function differentPlacements(rounds: readonly StoredRound[]): Flag | undefined {
  const latencies = rounds.flatMap(({ placement }) => (placement ? [placement.before, placement.after] : []));
  if (latencies.length === 0) return undefined;
  const [nearest, farthest] = [Math.min(...latencies), Math.max(...latencies)];
  return placedAlike(nearest, farthest) ? undefined : { kind: 'placements-differ', nearest, farthest };
}

function smokeTier({ row }: StoredCell): Flag | undefined {
  const tier: Tier = 'smoke';
  return row.tier === tier ? { kind: 'smoke-tier' } : undefined;
}

function fewSamples({ row, rounds }: StoredCell): Flag | undefined {
  if (row.tier === null || !Object.hasOwn(tiers, row.tier)) return undefined;
  const tier = row.tier as Tier;
  const { minQueries } = tiers[tier];
  const queries = rounds.reduce((sum, { samples }) => sum + samples.length, 0);
  if (queries >= minQueries) return undefined;
  return { kind: 'few-samples', queries, tier, asked: minQueries };
}

function disagreement(rounds: readonly StoredRound[]): Flag | undefined {
  const quartiles = rounds
    .filter(({ samples }) => samples.length > 0)
    .map(({ samples }) => {
      const sorted = [...samples].sort((a, b) => a - b);
      const at = (share: number): number => quantileSorted(sorted, share);
      return { lower: at(0.25), middle: at(0.5), upper: at(0.75) };
    })
    .sort((a, b) => a.middle - b.middle);
  const [fastest, slowest] = [quartiles[0], quartiles.at(-1)];
  if (fastest === undefined || slowest === undefined) return undefined;
  const apart = slowest.middle / fastest.middle - 1 > DISAGREEMENT_SHARE && slowest.lower > fastest.upper;
  if (!apart) return undefined;
  return { kind: 'processes-disagree', fastest: fastest.middle, slowest: slowest.middle };
}

/** What the device was like while queries were timed. */
function timedConditions({ conditions }: StoredRound): Conditions[] {
  return conditions.filter(({ phase }) => phase === 'steady').map((each) => each.conditions);
}
