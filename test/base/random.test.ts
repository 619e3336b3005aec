import { describe, expect, test } from 'vitest';
import { permutation, seededRandom, type Random } from '../../src/base/random.js';
import { draw } from '../support/simulate.js';

const MASK = 0xffffffffn;

/** The published algorithms (Blackman & Vigna: xoshiro128**; splitmix32 with MurmurHash3's finaliser), in whole numbers. */
function* published(seed: number): Generator<number> {
  const times = (a: bigint, b: bigint): bigint => (a * b) & MASK;
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & MASK;
  let mixer = BigInt(seed);
  const splitmix = (): bigint => {
    mixer = (mixer + 0x9e3779b9n) & MASK;
    let z = mixer;
    z = times(z ^ (z >> 16n), 0x85ebca6bn);
    z = times(z ^ (z >> 13n), 0xc2b2ae35n);
    return z ^ (z >> 16n);
  };
  let [s0, s1, s2, s3] = [splitmix(), splitmix(), splitmix(), splitmix()];
  for (;;) {
    yield Number(times(rotate(times(s1, 5n), 7n), 9n));
    const t = (s1 << 9n) & MASK;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotate(s3, 11n);
  }
}

function uniforms(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  return draw(count, () => random.uniform());
}

/** Pearson's statistic of counts that should all be the same. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Counts of equally likely outcomes scatter by √(2 · degrees); five of that are no chance. */
function expectEven(counts: readonly number[]): void {
  const degrees = counts.length - 1;
  expect(Math.abs(chiSquare(counts) - degrees)).toBeLessThan(5 * Math.sqrt(2 * degrees));
}

function moment(values: readonly number[], power: number): number {
  return values.reduce((sum, value) => sum + value ** power, 0) / values.length;
}

describe('seededRandom', () => {
  test.each([0, 1, 42, 0x7fffffff, 0xffffffff])('with seed %d is the published generator', (seed) => {
    const random = seededRandom(seed);
    const reference = published(seed);
    for (let i = 0; i < 1000; i++) expect(random.uniform()).toBe(Number(reference.next().value) / 2 ** 32);
  });

  test('gives the same stream for the same seed, whatever other streams do', () => {
    const [a, b, other] = [seededRandom(5), seededRandom(5), seededRandom(6)];
    const step = (random: Random): number[] => [random.uniform(), random.integer(1000), random.normal()];
    for (let i = 0; i < 200; i++) {
      const expected = step(a);
      step(other);
      expect(step(b)).toEqual(expected);
    }
  });

  test('gives another stream for every seed, also beyond 32 bits and below zero', () => {
    const seeds = [...Array(500).keys(), -1, -2, -(2 ** 40), 2 ** 32, 2 ** 32 + 1, 2 ** 32 - 1, 2 ** 53 - 1];
    const streams = seeds.map((seed) => uniforms(seed, 4).join());
    expect(new Set(streams).size).toBe(seeds.length);
  });

  test('gives streams of neighbouring seeds that have nothing in common', () => {
    for (let seed = 0; seed < 50; seed++) {
      const [a, b] = [uniforms(seed, 2000), uniforms(seed + 1, 2000)];
      const covariance = moment(
        a.map((value, i) => (value - 0.5) * (b[i]! - 0.5)),
        1,
      );
      // The correlation scatters by 1 / √2000.
      expect(Math.abs(12 * covariance)).toBeLessThan(5 / Math.sqrt(2000));
    }
  });
});

describe('uniform', () => {
  const values = uniforms(1, 200_000);

  test('lies in [0, 1) and is even', () => {
    const counts = Array<number>(64).fill(0);
    for (const value of values) {
      expect(value >= 0 && value < 1).toBe(true);
      counts[Math.floor(64 * value)]! += 1;
    }
    expectEven(counts);
  });

  test('has the moments of the uniform distribution', () => {
    for (const power of [1, 2, 3, 4]) expect(moment(values, power)).toBeCloseTo(1 / (power + 1), 2);
  });

  test('does not depend on the number before', () => {
    const counts = Array<number>(256).fill(0);
    for (let i = 1; i < values.length; i++)
      counts[16 * Math.floor(16 * values[i - 1]!) + Math.floor(16 * values[i]!)]! += 1;
    expectEven(counts);
  });
});

describe('normal', () => {
  const random = seededRandom(2);
  const values = draw(200_000, () => random.normal());

  test('has the moments of the normal distribution', () => {
    for (const [power, expected, tolerance] of [
      [1, 0, 0.01],
      [2, 1, 0.02],
      [3, 0, 0.05],
      [4, 3, 0.1],
      [6, 15, 1],
    ] as const)
      expect(Math.abs(moment(values, power) - expected)).toBeLessThan(tolerance);
  });

  test('has the quantiles of the normal distribution', () => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * sorted.length)]!;
    for (const [share, z] of [
      [0.5, 0],
      [0.975, 1.95996],
      [0.025, -1.95996],
      [0.8413447, 1],
    ] as const)
      expect(Math.abs(at(share) - z)).toBeLessThan(0.02);
  });

  test('does not depend on the number before', () => {
    const covariance = moment(
      values.slice(1).map((value, i) => value * values[i]!),
      1,
    );
    expect(Math.abs(covariance)).toBeLessThan(5 / Math.sqrt(values.length));
  });
});

describe('integer', () => {
  test.each([1, 2, 3, 7, 10, 100])('below %d reaches every number, evenly, and no other', (bound) => {
    const random = seededRandom(bound);
    const counts = Array<number>(bound).fill(0);
    for (let i = 0; i < 500 * bound; i++) {
      const value = random.integer(bound);
      expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      counts[value]! += 1;
    }
    if (bound > 1) expectEven(counts);
  });
});

describe('permutation', () => {
  test('holds every index once', () => {
    const random = seededRandom(3);
    for (const length of [0, 1, 2, 17, 1000]) {
      const order = permutation(length, random);
      expect(order.toSorted((a, b) => a - b)).toEqual([...Array(length).keys()]);
    }
  });

  test('gives each of the 120 orders of five as often', () => {
    const random = seededRandom(4);
    const counts = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const order = permutation(5, random).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(120);
    expectEven([...counts.values()]);
  });

  test('is determined by the state of the stream', () => {
    const [a, b] = [seededRandom(8), seededRandom(8)];
    const first = permutation(50, a);
    expect(permutation(50, b)).toEqual(first);
    expect(permutation(50, a)).not.toEqual(first);
  });
});
