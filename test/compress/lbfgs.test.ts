import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { minimise, type Objective } from '../../src/compress/linalg/lbfgs.js';
import { multiply, solve, transpose } from './reference.js';

const bounds = { tolerance: 1e-9, maxIterations: 500 };
const asItIs = (gradient: Float64Array): Promise<Float64Array> => Promise.resolve(gradient.slice());

/** ½ xᵀAx − bᵀx with a symmetric A whose eigenvalues span some decades. */
function quadratic(n: number, seed: number): { a: Float64Array; b: Float64Array; objective: Objective } {
  const random = seededRandom(seed);
  const root = Float64Array.from({ length: n * n }, (_, i) => random.normal() * 10 ** (-(i % n) / 4));
  const a = multiply(transpose(root, n), root, n).map((value, i) => value + (i % (n + 1) === 0 ? 1e-2 : 0));
  const b = Float64Array.from({ length: n }, () => random.normal());
  const objective: Objective = (at) => {
    const product = multiply(a, at, n);
    const value = at.reduce((sum, x, i) => sum + x * (product[i]! / 2 - b[i]!), 0);
    return Promise.resolve({ value, gradient: product.map((each, i) => each - b[i]!) });
  };
  return { a, b, objective };
}

describe('L-BFGS', () => {
  it('finds what elimination finds of a quadratic function', async () => {
    for (const seed of [1, 2, 3]) {
      const { a, b, objective } = quadratic(12, seed);
      const { at, gradient, converged } = await minimise(objective, new Float64Array(12), asItIs, bounds);
      expect(converged).toBe(true);
      expect(gradient).toBeLessThanOrEqual(1e-9);
      const exact = solve(a, b, 12);
      for (const [i, value] of at.entries())
        expect(Math.abs(value - exact[i]!)).toBeLessThan(1e-5 * (1 + Math.abs(exact[i]!)));
    }
  });

  it('needs one step where the preconditioner is the inverse of the Hessian', async () => {
    const { a, objective } = quadratic(12, 4);
    const inverse = (gradient: Float64Array): Promise<Float64Array> =>
      Promise.resolve(solve(a, gradient, 12));
    const { iterations, converged } = await minimise(objective, new Float64Array(12), inverse, {
      ...bounds,
      tolerance: 1e-8,
    });
    expect(converged).toBe(true);
    expect(iterations).toBeLessThanOrEqual(2);
  });

  it('finds the minimum of a curved valley, from a step that overshoots', async () => {
    const rosenbrock: Objective = ([x = 0, y = 0]) =>
      Promise.resolve({
        value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
        gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
      });
    const { at, converged } = await minimise(rosenbrock, Float64Array.of(-1.2, 1), asItIs, bounds);
    expect(converged).toBe(true);
    expect(at[0]).toBeCloseTo(1, 6);
    expect(at[1]).toBeCloseTo(1, 6);
  });

  it('says so when it may not go on for long enough, and when there is no number to go by', async () => {
    const { objective } = quadratic(12, 1);
    const cut = await minimise(objective, new Float64Array(12), asItIs, { ...bounds, maxIterations: 2 });
    expect(cut).toMatchObject({ iterations: 2, converged: false });
    const broken: Objective = (at) => Promise.resolve({ value: NaN, gradient: at.map(() => NaN) });
    expect(await minimise(broken, Float64Array.of(1), asItIs, bounds)).toMatchObject({ converged: false });
  });
});
