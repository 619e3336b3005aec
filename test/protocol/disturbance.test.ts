import { describe, expect, it } from 'vitest';
import { disturbancesOf, otherCores, placedAlike, usualPace } from '../../src/protocol/disturbance.js';
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

  it('is a core that was slow for more than a moment while queries were timed, though nobody else was seen', () => {
    const paced = (...paces: number[]) => [...quiet, seen('steady', { at: 4000, otherLoad: 0, paces })];
    // Six looks of thirty took 1.4 times as long, of which one interrupt that took longer.
    const slow = paced(...Array<number>(24).fill(0.82), ...Array<number>(5).fill(1.148), 9);
    expect(disturbancesOf(slow, undefined, 0.82)).toEqual([
      { kind: 'slowed', share: 0.2, factor: expect.closeTo(1.4, 9) as number },
    ]);
    // Where nobody knows what is usual, nothing is unusual.
    expect(disturbancesOf(slow, undefined)).toEqual([]);
    expect(disturbancesOf(paced(...Array<number>(19).fill(0.82), 1.2), undefined, 0.82)).toEqual([]);
    expect(disturbancesOf(quiet, undefined, 0.82)).toEqual([]);
    // One look of few says nothing.
    expect(disturbancesOf(paced(0.82, 0.82, 0.82, 9), undefined, 0.82)).toEqual([]);
    const before = [seen('warmup', { at: 1, paces: [2, 2, 2] }), ...paced(0.82)];
    expect(disturbancesOf(before, undefined, 0.82)).toEqual([]);
  });

  it('takes for usual what most rounds have, however slow the others were', () => {
    const round = (...paces: number[]) => [seen('steady', { at: 4000, paces })];
    expect(usualPace([round(0.8, 0.8, 3), round(0.82), round(2, 2, 2)])).toBe(0.82);
    expect(usualPace([quiet, round(0.9)])).toBe(0.9);
    expect(usualPace([quiet, []])).toBeUndefined();
  });

  it('is a processor that was held back while queries were timed, and not before', () => {
    const before = [seen('prepare', { at: 1, throttling: ['under-voltage'] }), ...quiet];
    expect(disturbancesOf(before, undefined)).toEqual([]);
    const held = [...quiet, seen('steady', { at: 4000, otherLoad: 0, throttling: ['frequency capped'] })];
    expect(disturbancesOf(held, undefined)).toEqual([{ kind: 'throttled', reasons: ['frequency capped'] }]);
  });
});
