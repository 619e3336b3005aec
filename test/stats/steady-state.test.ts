import { describe, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.js';
import { driftOf } from '../../src/stats/drift.js';
import { SteadyStateDetector, type SteadyStateRule } from '../../src/stats/steady-state.js';

const rule: SteadyStateRule = {
  windowMilliseconds: 250,
  windowSamples: 4,
  tolerance: 0.02,
  significance: 0.05,
};

/** How many samples it takes until the state is steady; undefined when these do not get there. */
function samplesUntilSteady(samples: Iterable<number>, own?: SteadyStateRule): number | undefined {
  const detector = new SteadyStateDetector(own);
  let count = 0;
  for (const sample of samples) {
    count += 1;
    if (detector.add(sample)) return count;
  }
  return undefined;
}

function* repeated(count: number, one: (index: number) => number): Generator<number> {
  for (let i = 0; i < count; i++) yield one(i);
}

describe('SteadyStateDetector', () => {
  test('reaches the steady state of constant samples with the second window', () => {
    // Windows of 250 ms: 250 samples of 1 ms, 25 of 10 ms, 4 of 62.5 ms.
    expect(
      samplesUntilSteady(
        repeated(1000, () => 1),
        rule,
      ),
    ).toBe(500);
    expect(
      samplesUntilSteady(
        repeated(1000, () => 10),
        rule,
      ),
    ).toBe(50);
    expect(
      samplesUntilSteady(
        repeated(1000, () => 62.5),
        rule,
      ),
    ).toBe(8);
    // Slower ones fill a window by their number.
    expect(
      samplesUntilSteady(
        repeated(1000, () => 100),
        rule,
      ),
    ).toBe(8);
    expect(
      samplesUntilSteady(
        repeated(1000, () => 5000),
        rule,
      ),
    ).toBe(8);
    expect(
      samplesUntilSteady(
        repeated(1000, () => 100),
        { ...rule, windowSamples: 10 },
      ),
    ).toBe(20);
    expect(
      samplesUntilSteady(
        repeated(1000, () => 100),
        { ...rule, windowMilliseconds: 600 },
      ),
    ).toBe(12);
  });

  test.each([0.3, 8, 40, 300, 4000])('reaches it on noisy samples of about %d ms', (latency) => {
    const counts: number[] = [];
    for (let seed = 0; seed < 100; seed++) {
      const random = seededRandom(seed);
      const noisy = repeated(20_000, () => latency * Math.exp(0.1 * random.normal()));
      const count = samplesUntilSteady(noisy);
      expect(count).toBeDefined();
      counts.push(count!);
    }
    // Most need the two windows and no more.
    const fewest = Math.min(...counts);
    expect(counts.filter((count) => count < 1.5 * fewest).length).toBeGreaterThan(80);
  });

  test.each([2, 60, 300, 3000])('does not reach it while samples from %d ms on still fall', (latency) => {
    for (const factor of [0.9, 0.97, 0.99]) {
      const falling: number[] = [];
      // Down to half, but to no less than two and a half windows.
      for (let value = latency; value > latency / 2 || falling.length < 10; value *= factor)
        falling.push(value);
      const windows = falling.reduce((sum, value) => sum + value, 0) / rule.windowMilliseconds;
      if (windows < 2.5)
        falling.push(...repeated(Math.ceil(750 / latency), (i) => latency * 0.5 * factor ** i));
      expect(samplesUntilSteady(falling)).toBeUndefined();
    }
  });

  test('does not take a fall of large steps for noise because its windows are small', () => {
    const falling = [900, 700, 540, 420, 330, 255, 200, 155, 120, 95, 72, 56];
    for (const windowSamples of [2, 3, 4, 5])
      expect(samplesUntilSteady(falling, { ...rule, windowMilliseconds: 1, windowSamples })).toBeUndefined();
  });

  test('reaches it soon after the samples have stopped falling', () => {
    const random = seededRandom(9);
    const levelling = repeated(200, (i) => 100 * (1 + 4 * 0.8 ** i) * Math.exp(0.01 * random.normal()));
    const count = samplesUntilSteady(levelling)!;
    // 100 · 4 · 0.8^i is below 5 % of 100 from i = 20 on.
    expect(count).toBeGreaterThan(12);
    expect(count).toBeLessThan(45);
  });

  test('sees a step between two windows', () => {
    const step = repeated(16, (i) => (i < 4 ? 300 : 200));
    // The windows 300 | 200 differ, 200 | 200 do not.
    expect(samplesUntilSteady(step, rule)).toBe(12);
  });

  test('takes medians within the tolerance for the same, and others not', () => {
    const slow = (share: number): number[] => [
      ...repeated(4, () => 1000),
      ...repeated(4, () => 1000 * share),
    ];
    expect(samplesUntilSteady(slow(1.019), rule)).toBe(8);
    expect(samplesUntilSteady(slow(0.981), rule)).toBe(8);
    expect(samplesUntilSteady(slow(1.021), rule)).toBeUndefined();
    expect(samplesUntilSteady(slow(0.979), rule)).toBeUndefined();
    expect(samplesUntilSteady(slow(0.979), { ...rule, tolerance: 0.03 })).toBe(8);
  });

  test('never leaves it again', () => {
    const detector = new SteadyStateDetector(rule);
    expect(detector.steady).toBe(false);
    for (const sample of repeated(8, () => 100)) detector.add(sample);
    expect(detector.steady).toBe(true);
    for (const sample of repeated(100, (i) => 100 * 2 ** i)) expect(detector.add(sample)).toBe(true);
    expect(detector.steady).toBe(true);
  });
});

/** A warm-up that begins half as slow again and decays over time: what is left of it when the steady state is declared. */
function decaying(latency: number, constant: number, random: Random): { left: number; after: number[] } {
  const detector = new SteadyStateDetector(rule);
  let elapsed = 0;
  const excess = (): number => 0.5 * Math.exp(-elapsed / constant);
  const next = (): number => {
    const sample = latency * (1 + excess()) * Math.exp(0.02 * random.normal());
    elapsed += sample;
    return sample;
  };
  while (!detector.steady) detector.add(next());
  const left = excess();
  return { left, after: Array.from({ length: 6000 / latency }, next) };
}

describe('a decaying warm-up', () => {
  const random = seededRandom(3);

  test.each([5, 20, 100])(
    'of %d ms queries that decays within a window is over when it is said to be',
    (latency) => {
      for (const constant of [100, 250])
        for (let i = 0; i < 100; i++) expect(decaying(latency, constant, random).left).toBeLessThan(0.025);
    },
  );

  test('that decays over seconds is said to be over too early, and what is left is seen as drift', () => {
    let [early, seen] = [0, 0];
    for (let i = 0; i < 100; i++) {
      const { left, after } = decaying(20, 3000, random);
      const { share, p } = driftOf(after);
      if (left > 0.02) early += 1;
      if (p <= 0.05 && share < -0.05) seen += 1;
    }
    expect(early).toBeGreaterThan(95);
    expect(seen).toBeGreaterThan(95);
  });
});
