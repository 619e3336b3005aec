import { expect, it } from 'vitest';
import { settingsWords, untouched } from '../../src/search/settings.js';

it('schedules that merge as many tokens are told apart', () => {
  const words = [
    [8, 8, 8, 8, 8, 0],
    [14, 11, 8, 5, 2, 0],
    [0, 20, 0, 20, 0, 0],
  ].map((merges) => settingsWords({ ...untouched, merges, keep: [] }));
  expect(new Set(words).size).toBe(words.length);
  for (const each of words) expect(each).toMatch(/^40 tokens merged \(.*\), INT8$/);
});
