import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/base/random.js';
import { stoppingOf, stoppingRuleOf, type StoppingRule } from '../../src/run/stopping.js';
import { pairedRatio } from '../../src/stats/ratio.js';
import type { TimedRound } from '../../src/store/timed-rounds.js';
import type { Stopping } from '../../src/store/stopping.js';
import { covers, shareOf } from '../support/simulate.js';

const rule: StoppingRule = { asked: 0.01, maxRounds: 30, maxSeconds: 1000 };

/** Rounds of one query each, so that rounds' medians are what is given; nothing disturbed them. */
function rounds(...medians: number[]): TimedRound[] {
  return medians.map((median, round) => ({ round, samples: [median], conditions: [], placement: undefined }));
}

/** A round as others disturbed it: slower, and seen to be so. */
function disturbed(round: TimedRound, factor = 3): TimedRound {
  const conditions = { at: 1000, otherLoad: 0.9 };
  return {
    ...round,
    samples: round.samples.map((each) => each * factor),
    conditions: [{ phase: 'steady', conditions }],
  };
}

/** Latencies by round. */
function samplesOf(of: readonly TimedRound[]): Map<number, readonly number[]> {
  return new Map(of.map(({ round, samples }) => [round, samples]));
}

/** So many rounds of the baseline, and of a variant that is twice as fast, their ratio off by the same share up and down. */
function wobbling(count: number, share: number): [TimedRound[], TimedRound[]] {
  const baseline = Array.from({ length: count }, () => 20);
  return [rounds(...baseline), rounds(...baseline.map((_, i) => 10 * (1 + (i % 2 === 0 ? share : -share))))];
}

describe('a comparison', () => {
  it('stops when its interval is as narrow as was asked for, and says how narrow it is', () => {
    const [baseline, variant] = wobbling(10, 0.005);
    const { low, high, value } = pairedRatio(samplesOf(baseline), samplesOf(variant))!;
    const stopping = stoppingOf(baseline, variant, rule)!;
    expect(stopping).toMatchObject({ reason: 'precision', asked: 0.01 });
    // Half of the width, on the scale of ratios: the ends are the value times and divided by it.
    expect(value * (1 + stopping.reached!)).toBeCloseTo(high, 9);
    expect(value / (1 + stopping.reached!)).toBeCloseTo(low, 9);
    expect(stoppingOf(baseline, variant, { ...rule, asked: stopping.reached! * 0.99 })).toBeUndefined();
  });

  it('goes on while there are few rounds, however narrow the interval', () => {
    expect(stoppingOf(...wobbling(9, 1e-6), rule)).toBeUndefined();
    expect(stoppingOf(...wobbling(10, 1e-6), rule)).toMatchObject({ reason: 'precision' });
  });

  it('stops at its cap of rounds, and has what it asked for if that is so', () => {
    expect(stoppingOf(...wobbling(29, 0.2), rule)).toBeUndefined();
    const capped = stoppingOf(...wobbling(30, 0.2), rule)!;
    expect(capped).toMatchObject({ reason: 'cap', asked: 0.01 });
    expect(capped.reached).toBeGreaterThan(0.05);
    const few = { ...rule, maxRounds: 4 };
    expect(stoppingOf(...wobbling(4, 1e-6), few)).toMatchObject({ reason: 'precision' });
    expect(stoppingOf(rounds(2), rounds(1), { ...rule, maxRounds: 1 })).toEqual({
      ...{ reason: 'cap', asked: 0.01, reached: null },
    });
  });

  it('stops when either side has been timed for too long', () => {
    const slow = wobbling(3, 0.2)[0].map((round) => ({ ...round, samples: Array<number>(100).fill(1000) }));
    const fast = rounds(1000, 1010, 990);
    expect(stoppingOf(slow, fast, { ...rule, maxSeconds: 299 })).toMatchObject({ reason: 'cap' });
    expect(stoppingOf(slow, fast, { ...rule, maxSeconds: 301 })).toBeUndefined();
    expect(stoppingOf(fast, slow, { ...rule, maxSeconds: 299 })).toMatchObject({ reason: 'cap' });
  });

  it('does not believe rounds that others disturbed', () => {
    const [baseline, variant] = wobbling(12, 0.005);
    // Wild rounds of one side or the other that were seen to be disturbed leave the interval as narrow as it is without them.
    const theirs = baseline.map((round) => (round.round === 3 ? disturbed(round) : round));
    const own = variant.map((round) => (round.round === 8 ? disturbed(round, 0.4) : round));
    const kept = (all: TimedRound[]): TimedRound[] => all.filter(({ round }) => round !== 3 && round !== 8);
    const { low, high } = pairedRatio(samplesOf(kept(baseline)), samplesOf(kept(variant)))!;
    const stopping = stoppingOf(theirs, own, rule)!;
    expect(stopping.reason).toBe('precision');
    expect(stopping.reached).toBeCloseTo(Math.sqrt(high / low) - 1, 9);
    // With one more of them there are too few left to be stopped at.
    const less = own.map((round) => (round.round === 5 ? disturbed(round) : round));
    expect(stoppingOf(theirs, less, rule)).toBeUndefined();
  });

  it('is decided by nothing but its cap where others disturbed most rounds', () => {
    const [baseline, variant] = wobbling(30, 1e-6);
    const own = variant.map((round) => (round.round < 15 ? disturbed(round, 1) : round));
    expect(stoppingOf(baseline.slice(0, 29), own.slice(0, 29), rule)).toBeUndefined();
    expect(stoppingOf(baseline, own, rule)).toEqual({ reason: 'cap', asked: 0.01, reached: null });
  });

  it('compares rounds whose cores lay alike, and no others', () => {
    const [near, far] = [
      { before: 50, after: 50 },
      { before: 275, after: 275 },
    ];
    const [baseline, variant] = wobbling(12, 0.005);
    const theirs = baseline.map((round) => ({ ...round, placement: near }));
    const own = variant.map((round) =>
      round.round < 2
        ? { ...round, samples: round.samples.map((each) => 2 * each), placement: far }
        : { ...round, placement: near },
    );
    expect(stoppingOf(theirs, own, rule)).toMatchObject({ reason: 'precision' });
    expect(stoppingOf(theirs.slice(0, 11), own.slice(0, 11), rule)).toBeUndefined();
  });

  it('has a rule only where the suite asks for a precision', () => {
    const performance = { batches: [1], tier: 'quick', rounds: 3 } as const;
    expect(stoppingRuleOf({ ...performance, batches: [1] })).toBeUndefined();
    expect(stoppingRuleOf({ ...performance, batches: [1], precision: 0.02 })).toEqual({
      ...{ asked: 0.02, maxRounds: 30, maxSeconds: 300 },
    });
    const own = stoppingRuleOf({ ...performance, batches: [1], precision: 0.02, maxRounds: 7 });
    expect(own).toMatchObject({ maxRounds: 7 });
  });
});

describe('simulated comparisons', () => {
  /** Adds rounds until the rule says stop, as a run does. */
  function simulate(random: Random, noise: number, ratio: number): [Stopping, number, boolean] {
    const baseline: number[] = [];
    const variant: number[] = [];
    for (let round = 0; ; round++) {
      // What slows a round down as a whole hits both.
      const machine = 10 * Math.exp(0.1 * random.normal());
      baseline.push(machine * Math.exp((noise / Math.SQRT2) * random.normal()));
      variant.push((machine / ratio) * Math.exp((noise / Math.SQRT2) * random.normal()));
      const [theirs, own] = [rounds(...baseline), rounds(...variant)];
      const stopping = round < 2 ? undefined : stoppingOf(theirs, own, rule);
      if (stopping)
        return [stopping, round + 1, covers(pairedRatio(samplesOf(theirs), samplesOf(own))!, ratio)];
    }
  }

  // The interval is that of a fixed number of rounds; stopping because it is narrow costs it a point or so.
  it.each([
    ['quiet', 0.004, 'precision'],
    ['ordinary', 0.012, 'precision'],
    ['noisy', 0.02, 'precision'],
    ['too noisy', 0.05, 'cap'],
  ])('of a %s machine end, and their intervals cover the truth 93 to 97 times in 100', (_, noise, reason) => {
    let total = 0;
    let expected = 0;
    const coverage = shareOf(2000, 5, (random) => {
      const [stopping, count, covered] = simulate(random, noise, 1.7);
      expect(count).toBeLessThanOrEqual(30);
      expect(count).toBeGreaterThanOrEqual(10);
      total += count;
      if (stopping.reason === reason) expected += 1;
      if (stopping.reason === 'precision') expect(stopping.reached).toBeLessThanOrEqual(0.01);
      return covered;
    });
    expect(coverage).toBeGreaterThan(0.93);
    expect(coverage).toBeLessThan(0.97);
    expect(expected).toBeGreaterThan(1900);
    if (noise === 0.004) expect(total / 2000).toBeLessThan(10.1);
  });
});
