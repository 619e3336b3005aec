import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { binomialCumulative, binomialProbability } from '../../src/stats/binomial.js';
import { noncentralStudentTail } from '../../src/stats/noncentral-student.js';
import { normalQuantile, normalTail } from '../../src/stats/normal.js';
import { studentQuantile, studentTail } from '../../src/stats/student.js';

const rows = z.array(z.array(z.number())).min(10);
const oracle = z
  .strictObject({
    normalTail: rows,
    normalQuantile: rows,
    studentTail: rows,
    studentQuantile: rows,
    binomialProbability: rows,
    binomialCumulative: rows,
    noncentralStudentTail: rows,
  })
  .parse(JSON.parse(readFileSync(new URL('distributions.json', import.meta.url), 'utf8')));

/** The largest relative error over rows of arguments and, last, the value to fifty digits. Below 1e-290 a double has fewer digits. */
function worst(table: readonly number[][], of: (...given: number[]) => number): number {
  const errors = table
    .filter((row) => Math.abs(row.at(-1)!) > 1e-290)
    .map((row) => Math.abs(of(...row.slice(0, -1)) / row.at(-1)! - 1));
  expect(errors.length).toBeGreaterThan(5);
  return Math.max(...errors);
}

// Every bound is the one that the function's description gives.
describe('against values computed with fifty digits', () => {
  test('the normal distribution, far into its tail', () => {
    expect(worst(oracle.normalTail, (z) => normalTail(z))).toBeLessThan(4e-14);
  });

  test('the quantile of the normal distribution', () => {
    const table = oracle.normalQuantile.filter(([p]) => p! > 0.01 && p !== 0.5);
    expect(worst(table, (p) => normalQuantile(p))).toBeLessThan(3e-16);
    expect(normalQuantile(0.5)).toBe(0);
  });

  test.each([
    [150, 7e-14, 4e-13],
    [1000, 2e-12, 2e-12],
    [100_000, 5e-10, 5e-10],
  ])("Student's t distribution with up to %d degrees of freedom", (most, tail, quantile) => {
    const upTo = (table: readonly number[][]) => table.filter((row) => row[1]! <= most);
    expect(worst(upTo(oracle.studentTail), (t, degrees) => studentTail(t, degrees))).toBeLessThan(tail);
    expect(worst(upTo(oracle.studentQuantile), (p, degrees) => studentQuantile(p, degrees))).toBeLessThan(
      quantile,
    );
  });

  test.each([
    [1000, 1e-12],
    [100_000, 2e-10],
  ])('the binomial distribution of up to %d trials', (most, bound) => {
    const table = oracle.binomialProbability.filter((row) => row[0]! <= most);
    expect(worst(table, (n, k, p) => binomialProbability(n, k, p))).toBeLessThan(bound);
  });

  test('sums of the binomial distribution', () => {
    expect(worst(oracle.binomialCumulative, (n, k, p) => binomialCumulative(n, k, p))).toBeLessThan(1e-11);
  });

  test('the noncentral t distribution, in its absolute error', () => {
    for (const [t, degrees, shift, tail] of oracle.noncentralStudentTail)
      expect(Math.abs(noncentralStudentTail(t!, degrees!, shift!) - tail!)).toBeLessThan(2e-9);
  });
});
