import { mean, sampleStandardDeviation, sampleVariance } from 'simple-statistics';
import { minimumDetectableEffect, roundsNeeded } from './detectable.js';
import { studentQuantile } from './student.js';

/** Test level and power that a detectable effect is stated for: found four times out of five, at five false alarms in a hundred. */
const ALPHA = 0.05;
const POWER = 0.8;

/**
 * How much figures of one and the same thing differ, as standard deviations of natural logarithms: of something measured against
 * itself, both in turn, over some rounds.
 */
export interface Noise {
  /** Of the ratio of the two in one round. */
  readonly pair: number;
  /** Of one of them from round to round, within some rounds in a row. */
  readonly round: number;
  /** Of the mean of some rounds in a row from one such block to another, beyond what the rounds explain: slow drift. */
  readonly block: number;
  /** How many blocks there were. */
  readonly blocks: number;
  /** How many rounds there were. */
  readonly rounds: number;
}

/** Blocks that the rounds are cut into: more of them see drift better, but each is a shorter run. */
const BLOCKS = 4;

/**
 * How much figures of the same thing differ, from a measurement of it against itself.
 *
 * Two comparisons are asked about. Measured in turn, a round's figures share the round, and only `pair` counts. Measured in two
 * runs one after the other, they share nothing, and drift counts too. It is seen by cutting the rounds into blocks, each of
 * which stands for a short run, and comparing every block of the one with every block of the other from another time: half
 * the mean square of those differences of means is the variance of a block's mean, of which round² ÷ rounds is explained by its
 * rounds and the rest is drift (moments of the one-way random-effects model; Searle, Casella & McCulloch, "Variance Components",
 * 1992, chapter 3). Drift over times longer than the measurement is not seen.
 *
 * @param first - one figure above 0 for each round, in the order they were measured
 * @param second - the other's, of the same rounds
 * @throws RangeError with fewer than four rounds, of which no two blocks could be made
 */
export function noiseOf(first: readonly number[], second: readonly number[]): Noise {
  const rounds = first.length;
  if (rounds < 4 || second.length !== rounds)
    throw new RangeError(`${rounds} and ${second.length} rounds; the same number is needed, at least four`);
  const [a, b] = [first, second].map((values) => values.map(Math.log)) as [number[], number[]];
  const blocks = Math.min(BLOCKS, Math.floor(rounds / 2));
  const size = rounds / blocks;
  const cut = (values: readonly number[]): number[][] =>
    Array.from({ length: blocks }, (_, i) => values.slice(Math.floor(i * size), Math.floor((i + 1) * size)));
  const [cutA, cutB] = [cut(a), cut(b)];
  const within = pooledVariance([...cutA, ...cutB]);
  const [meansA, meansB] = [cutA.map(mean), cutB.map(mean)];
  const apart = meansA.flatMap((own, i) =>
    meansB.filter((_, j) => j !== i).map((other) => (own - other) ** 2),
  );
  const drift = mean(apart) / 2 - within / size;
  return {
    pair: sampleStandardDeviation(a.map((value, round) => value - b[round]!)),
    round: Math.sqrt(within),
    block: Math.sqrt(Math.max(0, drift)),
    blocks,
    rounds,
  };
}

/**
 * The smallest change that a comparison of variants measured in turn tells from none, as a share: 0.02 is 2 %.
 *
 * @param noise - of the device
 * @param rounds - of the comparison, at least two
 */
export function detectableInTurn({ pair }: Noise, rounds: number): number {
  return minimumDetectableEffect({ deviation: pair, rounds, alpha: ALPHA, power: POWER });
}

/**
 * How many rounds in turn it takes to tell a change from none.
 *
 * @param noise - of the device
 * @param change - as a share, above 0: 0.01 is 1 %
 * @returns at least 2; Infinity beyond a million
 */
export function roundsToTell({ pair }: Noise, change: number): number {
  return roundsNeeded({ deviation: pair, effect: change, alpha: ALPHA, power: POWER });
}

/**
 * The smallest change that a comparison of two runs, one after the other, tells from none, as a share. Degrees of freedom are
 * Satterthwaite's (1946): where drift is most of the noise, few blocks have shown it, and more is asked.
 *
 * @param noise - of the device
 * @param rounds - of the run with fewer, at least two
 */
export function detectableApart({ round, block, blocks, rounds: seen }: Noise, rounds: number): number {
  const [fast, slow] = [(2 * round ** 2) / rounds, 2 * block ** 2];
  const variance = fast + slow;
  if (variance === 0) return 0;
  const degrees = variance ** 2 / (fast ** 2 / (2 * (seen - blocks)) + slow ** 2 / (blocks - 1));
  const quantiles = studentQuantile(1 - ALPHA / 2, degrees) + studentQuantile(POWER, degrees);
  return Math.expm1(quantiles * Math.sqrt(variance));
}

function pooledVariance(groups: readonly (readonly number[])[]): number {
  const degrees = groups.reduce((sum, group) => sum + group.length - 1, 0);
  return groups.reduce((sum, group) => sum + (group.length - 1) * sampleVariance([...group]), 0) / degrees;
}
