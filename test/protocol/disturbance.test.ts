import { describe, expect, it } from 'vitest';
import { disturbancesOf, otherCores, placedAlike } from '../../src/protocol/disturbance.js';
import type { Conditions } from '../../src/protocol/conditions.js';
import type { ConditionsRecord } from '../../src/protocol/measurement.js';

const seen = (phase: ConditionsRecord['phase'], conditions: Conditions): ConditionsRecord => ({
  phase,
  conditions,
});

const quiet = [seen('warmup', { at: 1000, otherLoad: 0.9 }), seen('steady', { at: 3000, otherLoad: 0.02 })];

describe('what disturbs a timed round', () => {
  it('is nothing where others take little, and cores stay where they are', () => {
    expect(disturbancesOf(quiet, { before: 50, after: 60 })).toEqual([]);
    expect(disturbancesOf(quiet, undefined)).toEqual([]);
    expect(disturbancesOf([], undefined)).toEqual([]);
  });

  it('is what others take, with what the hypervisor takes, each look by the time it stands for', () => {
    const loaded = [
      ...quiet,
      seen('steady', { at: 3500, otherLoad: 1, stolen: 0.5 }),
      // In a span that is too short the device does not tell.
      seen('steady', { at: 3550 }),
    ];
    // 2 s at 0.02 and half a second at 1.5.
    const expected = (2 * 0.02 + 0.5 * 1.5) / 2.5;
    expect(otherCores(loaded)).toBeCloseTo(expected, 12);
    expect(disturbancesOf(loaded, undefined)).toEqual([{ kind: 'other-load', cores: otherCores(loaded) }]);
  });

  it('is a processor that moved, either way', () => {
    for (const placement of [
      { before: 50, after: 275 },
      { before: 275, after: 50 },
    ])
      expect(disturbancesOf(quiet, placement)).toEqual([{ kind: 'moved', ...placement }]);
    expect(placedAlike(50, 55)).toBe(true);
    expect(placedAlike(275, 50)).toBe(false);
  });

  it('is a processor that was held back while queries were timed, and not before', () => {
    const before = [seen('prepare', { at: 1, throttling: ['under-voltage'] }), ...quiet];
    expect(disturbancesOf(before, undefined)).toEqual([]);
    const held = [...quiet, seen('steady', { at: 4000, otherLoad: 0, throttling: ['frequency capped'] })];
    expect(disturbancesOf(held, undefined)).toEqual([{ kind: 'throttled', reasons: ['frequency capped'] }]);
  });
});
