import { pairedRatio } from '../stats/ratio.js';
import { alikePairs, soundOf } from '../protocol/soundness.js';
import type { TimedRound } from '../store/timed-rounds.js';
import type { Stopping } from '../store/stopping.js';
import { tiers } from '../suite/schema.js';
import type { Suite } from '../suite/read.js';

/**
 * An interval that is looked at after every round, and kept as soon as it is narrow, is narrow by luck too often: with three
 * rounds to begin with it covers the truth in 90 % of simulated cases instead of 95 %, with ten in 93.5 % and more.
 */
const LEAST_ROUNDS = 10;

/** No cell gets more rounds than this unless the suite says otherwise, */
const MOST_ROUNDS = 30;

/** nor is it timed for longer than this many times what its tier allows. */
const MOST_TIMES_THE_TIER = 5;

/** When a variant has been compared with its baseline for long enough. */
export interface StoppingRule {
  /** Half of the width of the ratio's 95 % interval that is asked for, as a share of the ratio. */
  readonly asked: number;
  readonly maxRounds: number;
  /** Longest time of the timed queries of a cell. */
  readonly maxSeconds: number;
}

/**
 * The rule that a suite asks for.
 *
 * @returns undefined where it asks for a fixed number of rounds
 */
export function stoppingRuleOf({
  precision,
  maxRounds,
  tier,
}: Suite['performance']): StoppingRule | undefined {
  if (precision === undefined) return undefined;
  return {
    asked: precision,
    maxRounds: maxRounds ?? MOST_ROUNDS,
    maxSeconds: MOST_TIMES_THE_TIER * tiers[tier].maxSeconds,
  };
}

/**
 * Says whether a comparison may stop. What decides is the ratio that a report tells: of the rounds that nothing disturbed and whose cores
 * lay alike. Where others disturbed most of the rounds there is none, and only the cap ends it.
 *
 * @param baseline - its rounds so far
 * @param variant - its rounds so far
 * @param rule - when
 * @returns why it stops; undefined when another round is needed
 */
export function stoppingOf(
  baseline: readonly TimedRound[],
  variant: readonly TimedRound[],
  rule: StoppingRule,
): Stopping | undefined {
  const pairs = comparable(baseline, variant);
  const samplesOf = (of: (pair: Pair) => TimedRound): ReadonlyMap<number, readonly number[]> =>
    new Map(pairs.map(of).map(({ round, samples }) => [round, samples]));
  const ratio = pairedRatio(
    samplesOf(({ reference }) => reference),
    samplesOf(({ own }) => own),
  );
  const reached = ratio ? Math.sqrt(ratio.high / ratio.low) - 1 : null;
  const { asked, maxRounds, maxSeconds } = rule;
  const rounds = Math.max(baseline.length, variant.length);
  const capped = rounds >= maxRounds || Math.max(secondsOf(baseline), secondsOf(variant)) >= maxSeconds;
  // At the cap it ends whatever it looks like, so that no luck is in it.
  const narrow = reached !== null && reached <= asked && (pairs.length >= LEAST_ROUNDS || capped);
  if (!narrow && !capped) return undefined;
  return { reason: narrow ? 'precision' : 'cap', asked, reached };
}

/** Rounds of a baseline and a variant that belong together. */
interface Pair {
  readonly reference: TimedRound;
  readonly own: TimedRound;
}

function comparable(baseline: readonly TimedRound[], variant: readonly TimedRound[]): Pair[] {
  const [theirs, own] = [soundOf(baseline), soundOf(variant)];
  if (!theirs.decides || !own.decides) return [];
  return alikePairs(theirs.rounds, own.rounds, ({ round }) => round);
}

function secondsOf(rounds: readonly TimedRound[]): number {
  let milliseconds = 0;
  for (const { samples } of rounds) for (const each of samples) milliseconds += each;
  return milliseconds / 1000;
}
