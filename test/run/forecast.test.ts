import { describe, expect, it } from 'vitest';
import type { Cell } from '../../src/run/cell.js';
import { Forecast, leastSeconds } from '../../src/run/forecast.js';

const timed = { kind: 'performance', batch: 1, tier: 'quick', rounds: 5 } as const;
const scored = { kind: 'accuracy', batch: 8 } as const;

/** What a forecast looks at of a cell. */
function cellOf(id: number, scenario: object): Cell {
  const subject = { session: { device: { profile: { name: 'here' } } } };
  return { id, subject, scenario } as unknown as Cell;
}

const [one, other, accuracy] = [cellOf(1, timed), cellOf(2, timed), cellOf(3, scored)];

describe('how long a round will take', () => {
  it('is what those of its cell took, else those of its scenario, else what the tier asks for', () => {
    const forecast = new Forecast();
    expect(forecast.seconds(one)).toBe(leastSeconds(one.scenario));
    forecast.add(one, 10, 0);
    forecast.add(one, 12, 0);
    expect([forecast.seconds(one), forecast.seconds(other)]).toEqual([11, 11]);
    forecast.add(other, 20, 0);
    expect([forecast.seconds(one), forecast.seconds(other)]).toEqual([11, 20]);
  });

  it('holds what others caused in one round against all timed rounds alike', () => {
    const forecast = new Forecast();
    forecast.add(one, 10, 40);
    for (let i = 0; i < 3; i++) forecast.add(other, 5, 0);
    // 40 s over four rounds: another of either cell takes ten more than of its own, and not fifty.
    expect([forecast.seconds(one), forecast.seconds(other)]).toEqual([20, 15]);
    expect(forecast.seconds(accuracy)).toBe(leastSeconds(accuracy.scenario));
  });
});
