import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { openBlas, type Blas } from '../../src/compress/linalg/blas.js';
import {
  cholesky,
  inverseDiagonal,
  solveLower,
  solveLowerTransposed,
  timesLower,
} from '../../src/compress/linalg/cholesky.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { maxDifference } from './support.js';
import { multiply, solve, transpose } from './reference.js';

let blas: Blas;
beforeAll(async () => {
  blas = await openBlas(await nodeEngine(), 2);
});
afterAll(() => blas.close());

function randomMatrix(rows: number, columns: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: rows * columns }, () => random.normal());
}

function positiveDefinite(n: number, seed: number): Float64Array {
  const x = randomMatrix(n, n + 5, seed);
  const a = multiply(x, transpose(x, n), n + 5);
  for (let i = 0; i < n; i++) a[i * n + i]! += 0.1;
  return a;
}

// Around and beyond the width of a panel.
describe.each([1, 7, 128, 129, 300])('for a matrix of side %i', (n) => {
  const a = positiveDefinite(n, n);

  it('the factor is lower triangular and multiplies to the matrix', async () => {
    const l = await cholesky(a, n, blas);
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(l[i * n + j]).toBe(0);
    expect(maxDifference(multiply(l, transpose(l, n), n), a)).toBeLessThan(1e-9 * n);
  });

  it('substitution solves L·X = B and Lᵀ·X = B', async () => {
    const l = await cholesky(a, n, blas);
    const b = randomMatrix(n, 3, n + 1);
    const lower = await solveLower(l, n, b, 3, blas);
    expect(maxDifference(multiply(l, lower, n), b)).toBeLessThan(1e-9);
    const upper = await solveLowerTransposed(l, n, b, 3, blas);
    expect(maxDifference(multiply(transpose(l, n), upper, n), b)).toBeLessThan(1e-9);
  });

  it('the diagonal of the inverse agrees with elimination', async () => {
    const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
    const inverse = solve(a, identity, n);
    const diagonal = await inverseDiagonal(await cholesky(a, n, blas), n, blas);
    for (let i = 0; i < n; i++) expect(diagonal[i]! / inverse[i * n + i]!).toBeCloseTo(1, 7);
  });
});

describe('a matrix that is wider than what is solved for together', () => {
  const n = 1100;
  const l = randomMatrix(n, n, 1).map((value, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return i === j ? 1 + Math.abs(value) : i > j ? value / n : 0;
  });

  it('has the inverse’s diagonal that plain substitution gives', async () => {
    const diagonal = await inverseDiagonal(l, n, blas);
    for (const j of [0, 1, 700, 1023, 1024, 1099]) {
      const x = new Float64Array(n);
      for (let i = j; i < n; i++) {
        let sum = i === j ? 1 : 0;
        for (let k = j; k < i; k++) sum -= l[i * n + k]! * x[k]!;
        x[i] = sum / l[i * n + i]!;
      }
      expect(diagonal[j]! / x.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 9);
    }
  });

  it('is multiplied as any matrix is', async () => {
    const w = randomMatrix(2, n, 2);
    expect(maxDifference(await timesLower(w, l, n, blas), multiply(w, l, n))).toBeLessThan(1e-10);
  });
});

describe('a matrix that is not positive definite', () => {
  it('is refused', async () => {
    await expect(cholesky(Float64Array.of(1, 2, 2, 1), 2, blas)).rejects.toThrow(
      /not positive definite: pivot 1 of 2/,
    );
  });
});
