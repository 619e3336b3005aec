import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { fitSum } from '../../src/search/fit.js';

const random = seededRandom(7);

function observations(coefficients: readonly number[], sizes: readonly number[], count: number) {
  return Array.from({ length: count }, () => {
    const amounts = sizes.map((size) => size * (0.2 + random.uniform()));
    return { amounts, figure: amounts.reduce((sum, amount, i) => sum + amount * coefficients[i]!, 0) };
  });
}

describe('a sum fitted to figures', () => {
  it('has the coefficients that the figures were made with, whatever their sizes, zeros included', () => {
    const truth = [3e-9, 0, 2e-3, 1.5];
    const fit = fitSum(observations(truth, [1e9, 1e6, 1e2, 1], 12));
    for (const [i, coefficient] of fit.coefficients.entries())
      expect(coefficient * [1e9, 1e6, 1e2, 1][i]!).toBeCloseTo(truth[i]! * [1e9, 1e6, 1e2, 1][i]!, 6);
    expect(fit.typicalError).toBeLessThan(1e-6);
    expect(fit.leaveOneOut).toHaveLength(12);
    expect(fit.predict([2e9, 5, 10, 1])).toBeCloseTo(6 + 0.02 + 1.5, 6);
  });

  it('is the textbook solution where a coefficient would be negative', () => {
    // Ordinary least squares gives (−1, 2); without negative numbers the best multiple of the second column is 9/7.
    const fit = fitSum([
      { amounts: [1, 1], figure: 1 },
      { amounts: [2, 1.5], figure: 1 },
      { amounts: [1, 2], figure: 3 },
    ]);
    expect(fit.coefficients[0]).toBe(0);
    // Relative errors: minimise (c − 1)² + (1.5c − 1)² + (2c/3 − 1)².
    const [a, b] = [1 + 1.5 + 2 / 3, 1 + 1.5 ** 2 + (2 / 3) ** 2];
    expect(fit.coefficients[1]).toBeCloseTo(a / b, 9);
  });

  it('meets the conditions of Karush, Kuhn and Tucker on noisy figures', () => {
    const noisy = observations([1, 0, 0.5, 0, 2], [1, 1, 1, 1, 1], 14).map(({ amounts, figure }) => ({
      amounts,
      figure: figure * (0.8 + 0.4 * random.uniform()),
    }));
    const fit = fitSum(noisy);
    for (const [kind, coefficient] of fit.coefficients.entries()) {
      // The gradient of half the sum of squared relative errors.
      const gradient = noisy.reduce(
        (sum, { amounts, figure }) => sum + ((fit.predict(amounts) / figure - 1) * amounts[kind]!) / figure,
        0,
      );
      expect(coefficient).toBeGreaterThanOrEqual(0);
      if (coefficient > 0) expect(Math.abs(gradient)).toBeLessThan(1e-6);
      else expect(gradient).toBeGreaterThan(-1e-6);
    }
  });

  it('knows how wrong it is: one observation that does not fit shows when it is left out', () => {
    const exact = observations([1, 2], [1, 1], 8);
    const fit = fitSum([...exact, { amounts: [1, 1], figure: 6 }]);
    expect(fit.leaveOneOut.at(-1)).toBeCloseTo(-0.5, 6);
  });
});
