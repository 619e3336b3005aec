import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/base/random.js';
import { detectableApart, detectableInTurn, noiseOf, roundsToTell } from '../../src/stats/noise.js';
import { seededRandom } from '../../src/base/random.js';
import { shareOf } from '../support/simulate.js';

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Figures of a device: noise of each process, of each round, and of each block of so many rounds. */
function measure(
  random: Random,
  rounds: number,
  { process, round, block, size = 5 }: { process: number; round: number; block: number; size?: number },
): [number[], number[]] {
  const [first, second]: [number[], number[]] = [[], []];
  let slow = 0;
  for (let i = 0; i < rounds; i++) {
    if (i % size === 0) slow = block * random.normal();
    const shared = slow + round * random.normal();
    first.push(10 * Math.exp(shared + process * random.normal()));
    second.push(10 * Math.exp(shared + process * random.normal()));
  }
  return [first, second];
}

describe('the noise of a device', () => {
  it('is found again in what was drawn from it', () => {
    const truth = { process: 0.01, round: 0.02, block: 0.03 };
    const random = seededRandom(11);
    const found = Array.from({ length: 400 }, () => noiseOf(...measure(random, 20, truth)));
    const variance = (of: (noise: (typeof found)[number]) => number): number =>
      average(found.map((each) => of(each) ** 2));
    expect(variance(({ pair }) => pair) / (2 * truth.process ** 2)).toBeCloseTo(1, 1);
    expect(variance(({ round }) => round) / (truth.process ** 2 + truth.round ** 2)).toBeCloseTo(1, 1);
    // A variance that comes out below nothing counts as nothing, so that it is a little too large on average.
    expect(variance(({ block }) => block) / truth.block ** 2).toBeGreaterThan(0.9);
    expect(variance(({ block }) => block) / truth.block ** 2).toBeLessThan(1.15);
  });

  it('does not call a round’s noise drift: what both share in a round cancels between them', () => {
    const [first, second] = measure(seededRandom(3), 400, { process: 0.002, round: 0.05, block: 0 });
    const noise = noiseOf(first, second);
    expect(detectableInTurn(noise, 5)).toBeLessThan(0.01);
    expect(detectableApart(noise, 5)).toBeGreaterThan(0.05);
  });

  it('says how many rounds a change takes: with so many it is detectable, with one less not', () => {
    const noise = noiseOf(...measure(seededRandom(5), 20, { process: 0.02, round: 0.02, block: 0 }));
    for (const change of [0.005, 0.01, 0.05]) {
      const rounds = roundsToTell(noise, change);
      expect(detectableInTurn(noise, rounds)).toBeLessThanOrEqual(change);
      expect(detectableInTurn(noise, rounds - 1)).toBeGreaterThan(change);
    }
  });

  it('lets two runs of the same thing differ by more than the floor of runs apart in one of twenty cases at most', () => {
    const truth = { process: 0.01, round: 0.01, block: 0.02 };
    const share = shareOf(2000, 5, (random) => {
      const floor = detectableApart(noiseOf(...measure(random, 20, truth)), 5);
      const [before] = measure(random, 5, truth);
      const [after] = measure(random, 5, truth);
      return Math.abs(average(after.map(Math.log)) - average(before.map(Math.log))) > Math.log1p(floor);
    });
    expect(share).toBeLessThan(0.05);
  });

  it('is nothing where nothing varies', () => {
    const noise = noiseOf([5, 5, 5, 5], [5, 5, 5, 5]);
    expect(noise).toEqual({ pair: 0, round: 0, block: 0, blocks: 2, rounds: 4 });
    expect([detectableInTurn(noise, 3), detectableApart(noise, 3)]).toEqual([0, 0]);
  });

  it('shrinks with more rounds, but not below the drift', () => {
    const noise = { pair: 0.02, round: 0.02, block: 0.01, blocks: 4, rounds: 20 };
    const turn = [3, 5, 10, 100].map((rounds) => detectableInTurn(noise, rounds));
    expect(turn).toEqual([...turn].sort((a, b) => b - a));
    expect(detectableApart(noise, 1000)).toBeGreaterThan(2.8 * Math.SQRT2 * noise.block);
  });

  it('needs four rounds of both', () => {
    expect(() => noiseOf([1, 2, 3], [1, 2, 3])).toThrow(RangeError);
    expect(() => noiseOf([1, 2, 3, 4], [1, 2, 3])).toThrow(RangeError);
  });
});
