import { seededRandom, type Random } from '../../src/base/random.js';
import type { Estimate } from '../../src/stats/interval.js';

/** A number from the exponential distribution with mean 1; its median is ln 2. */
export function exponential(random: Random): number {
  return -Math.log(1 - random.uniform());
}

/** So many numbers from a distribution. */
export function draw(count: number, one: () => number): number[] {
  return Array.from({ length: count }, one);
}

/**
 * How often something holds in simulated cases.
 *
 * @param cases - how many
 * @param seed - determines them all
 * @param holds - simulates one
 * @returns the share, 0 … 1
 */
export function shareOf(cases: number, seed: number, holds: (random: Random) => boolean): number {
  const random = seededRandom(seed);
  let count = 0;
  for (let i = 0; i < cases; i++) if (holds(random)) count += 1;
  return count / cases;
}

/** Whether an interval covers the truth. */
export function covers({ low, high }: Estimate, truth: number): boolean {
  return low <= truth && truth <= high;
}
