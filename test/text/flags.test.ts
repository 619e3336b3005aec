import { expect, it } from 'vitest';
import type { Flag } from '../../src/analysis/figures/validity.js';
import { flagsText, signOf } from '../../src/text/flags.js';

const flags: readonly Flag[] = [
  { kind: 'never-steady', rounds: 1, of: 5 },
  { kind: 'drift', rounds: 3, of: 5, share: -0.101 },
  { kind: 'governor-changed', governors: ['performance', 'powersave'] },
  { kind: 'frequency-changed', least: 1500, most: 2400 },
  { kind: 'disturbed', rounds: 4, of: 6, by: [{ kind: 'other-load', cores: 0.9 }] },
  { kind: 'disturbed', rounds: 4, of: 6, by: [{ kind: 'throttled', reasons: ['under-voltage'] }] },
  { kind: 'disturbed', rounds: 4, of: 6, by: [{ kind: 'moved', before: 53, after: 271 }] },
  { kind: 'rounds-left-out', rounds: 1, of: 7, by: [{ kind: 'other-load', cores: 1.6 }] },
  { kind: 'placements-differ', nearest: 49, farthest: 280 },
  { kind: 'smoke-tier' },
  { kind: 'few-samples', queries: 60, tier: 'rapid', asked: 64 },
  { kind: 'processes-disagree', fastest: 12.3, slowest: 15.6 },
];

it('every doubt is told with its figures', () => {
  const text = flagsText(flags);
  for (const figure of ['1 of 5', '10.1 % faster', 'powersave', '1,500', '2,400 MHz', 'under-voltage'])
    expect(text).toContain(figure);
  for (const figure of ['4 of 6', '1 of 7', '1.6 cores', '53 ns', '271 ns', '49 to 280 ns', 'not decided'])
    expect(text).toContain(figure);
  for (const figure of ['0.90 of a core', 'smoke', '60 queries', 'rapid', '64', '12.3', '15.6 ms'])
    expect(text).toContain(figure);
});

it('a cell that only never got steady has a sign of its own', () => {
  expect(signOf([])).toBe('');
  expect(signOf(flags.slice(0, 1))).toBe('‡');
  expect(signOf(flags.slice(0, 2))).toBe('⚑');
});
