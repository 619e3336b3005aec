import { describe, expect, it } from 'vitest';
import { colourScale, dashScale, shapeScale } from '../../src/report/charts/theme.js';

describe('the looks of series', () => {
  const series = Array.from({ length: 30 }, (_, index) => `variant ${index}`);

  it.each([
    ['dash', dashScale],
    ['shape', shapeScale],
  ])('are told apart by colour and %s where there are more than colours', (_, scale) => {
    const looks = series.map((_, index) =>
      JSON.stringify([colourScale(series).range[index], scale(series).range[index]]),
    );
    expect(new Set(colourScale(series).range).size).toBeLessThan(series.length);
    expect(new Set(looks).size).toBe(series.length);
  });

  it('stay the same where only some are shown', () => {
    const shown = [series[9]!, series[2]!];
    expect(dashScale(series, shown).range).toEqual([dashScale(series).range[9], dashScale(series).range[2]]);
    expect(dashScale(series, shown).domain).toEqual(shown);
  });
});
