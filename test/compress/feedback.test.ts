import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { openBlas, type Blas } from '../../src/compress/linalg/blas.js';
import { ridgeOf, withRidge } from '../../src/compress/linalg/covariance.js';
import type { Moments } from '../../src/compress/observe/moments.js';
import { withFeedback } from '../../src/compress/quantize/feedback.js';
import { quantizeOptionsSchema, type Format } from '../../src/compress/quantize/options.js';
import {
  blockwiseGrid,
  int8Grid,
  packedBlocks,
  dequantizeBlockwise,
  toNearest,
  type Grid,
} from '../../src/compress/quantize/rounding.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { solve, multiply, transpose } from './reference.js';
import { logitsOf, openBench, pixelsOf, type Bench } from './support.js';

let bench: Bench;
let blas: Blas;
beforeAll(async () => {
  bench = await openBench();
  blas = await openBlas(bench.engine, 1);
});
afterAll(() => blas.close());

const ROWS = 4000;

/** Moments of inputs that share a few causes, each with a spread of its own. */
function momentsOf(n: number, seed: number): Moments {
  const random = seededRandom(seed);
  const causes = Float64Array.from({ length: n * 6 }, () => random.normal());
  const covariance = multiply(causes, transpose(causes, n), 6);
  for (let i = 0; i < n; i++) covariance[i * n + i]! += 0.1 + random.uniform();
  const spread = Float64Array.from({ length: n }, () => Math.exp(random.normal()));
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) covariance[i * n + j]! *= spread[i]! * spread[j]!;
  return { rows: ROWS, mean: new Float64Array(n), covariance };
}

const weightsOf = (count: number, seed: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

function meant(steps: Int8Array, n: number, { scales, blockSize }: Grid): Float64Array {
  const blocks = Math.ceil(n / blockSize);
  return Float64Array.from(steps, (step, index) => {
    const block = Math.floor(index / n) * blocks + Math.floor((index % n) / blockSize);
    return step * scales[block]!;
  });
}

/** tr(E · Σ · Eᵀ), the mean squared error of the outputs. */
function outputError(
  weight: Float32Array,
  steps: Int8Array,
  n: number,
  grid: Grid,
  { covariance }: Moments,
): number {
  const errors = meant(steps, n, grid).map((value, index) => weight[index]! - value);
  const times = multiply(errors, covariance, n);
  return times.reduce((sum, value, index) => sum + value * errors[index]!, 0);
}

/** OBQ by its textbook: round an input, take what that costs off the others by the inverse, eliminate it from the inverse. */
function brainSurgeon(weight: Float32Array, n: number, grid: Grid, { covariance, rows }: Moments): Int8Array {
  const identity = Float64Array.from({ length: n * n }, (_, index) => Number(index % (n + 1) === 0));
  const inverse = solve(withRidge(covariance, n, ridgeOf(covariance, n, rows)), identity, n);
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => covariance[b * n + b]! - covariance[a * n + a]!,
  );
  const left = Float64Array.from(weight);
  const steps = new Int8Array(weight.length);
  const blocks = Math.ceil(n / grid.blockSize);
  for (const i of order) {
    const pivot = inverse[i * n + i]!;
    for (let o = 0; o < weight.length / n; o++) {
      const scale = grid.scales[o * blocks + Math.floor(i / grid.blockSize)]!;
      const step = Math.min(grid.greatest, Math.max(grid.least, Math.round(left[o * n + i]! / scale)));
      steps[o * n + i] = step;
      const error = (left[o * n + i]! - step * scale) / pivot;
      for (let j = 0; j < n; j++) left[o * n + j]! -= error * inverse[i * n + j]!;
    }
    const column = Float64Array.from({ length: n }, (_, j) => inverse[j * n + i]!);
    for (let a = 0; a < n; a++)
      for (let b = 0; b < n; b++) inverse[a * n + b]! -= (column[a]! * column[b]!) / pivot;
    // What is rounded moves no more: its row and column are gone.
    for (let j = 0; j < n; j++) inverse[i * n + j] = inverse[j * n + i] = 0;
  }
  return steps;
}

describe('rounding with feedback', () => {
  it.each([40, 150])('of %d inputs is the optimal brain surgeon, step by step', async (n) => {
    const [weight, moments] = [weightsOf(8 * n, n), momentsOf(n, n + 1)];
    const grid = blockwiseGrid(weight, n, 4, 32);
    const steps = await (await withFeedback(moments, blas))(weight, n, grid);
    const expected = brainSurgeon(weight, n, grid, moments);
    // Ties and last bits of float64 apart.
    const differing = steps.filter((step, index) => step !== expected[index]).length;
    expect(differing).toBeLessThanOrEqual(0.01 * steps.length);
    expect(outputError(weight, steps, n, grid, moments)).toBeLessThan(
      0.6 * outputError(weight, toNearest(weight, n, grid), n, grid, moments),
    );
  });

  it('keeps to a grid that clips, and to int8', async () => {
    const n = 96;
    const [weight, moments] = [weightsOf(5 * n, 1), momentsOf(n, 2)];
    const clipped = int8Grid(weight, n, true, new Float32Array(5).fill(0.3));
    const rounding = await withFeedback(moments, blas);
    const steps = await rounding(weight, n, clipped);
    expect(Math.max(...steps)).toBe(127);
    expect(Math.min(...steps)).toBe(-127);
    const grid = int8Grid(weight, n, true);
    expect(outputError(weight, await rounding(weight, n, grid), n, grid, moments)).toBeLessThan(
      outputError(weight, toNearest(weight, n, grid), n, grid, moments),
    );
  });

  it('of inputs that do not vary together is rounding to the nearest', async () => {
    const n = 64;
    const weight = weightsOf(4 * n, 3);
    const covariance = new Float64Array(n * n);
    for (let i = 0; i < n; i++) covariance[i * n + i] = 1 + i;
    const grid = blockwiseGrid(weight, n, 4, 16);
    const steps = await (
      await withFeedback({ rows: ROWS, mean: new Float64Array(n), covariance }, blas)
    )(weight, n, grid);
    expect(steps).toEqual(toNearest(weight, n, grid));
  });

  it.each([95, 96])('keeps pairs of %d inputs within their bound', async (n) => {
    const [weight, moments] = [weightsOf(5 * n, 1), momentsOf(n, 2)];
    const grid = int8Grid(weight, n, true, new Float32Array(5).fill(0.5), true);
    const steps = await (await withFeedback(moments, blas))(weight, n, grid);
    const sums: number[] = [];
    for (let o = 0; o < 5; o++)
      for (let i = 0; i + 1 < n; i += 2) {
        const [a, b] = [steps[o * n + i]!, steps[o * n + i + 1]!];
        sums.push(a * b > 0 ? Math.abs(a + b) : 0);
      }
    expect(Math.max(...sums)).toBe(128);
    expect(outputError(weight, steps, n, grid, moments)).toBeLessThan(
      outputError(weight, toNearest(weight, n, grid), n, grid, moments),
    );
  });

  it('packs to what its steps stand for', async () => {
    const n = 70;
    const [weight, moments] = [weightsOf(3 * n, 4), momentsOf(n, 5)];
    for (const bits of [4, 8] as const) {
      const grid = blockwiseGrid(weight, n, bits, 32);
      const steps = await (await withFeedback(moments, blas))(weight, n, grid);
      const back = dequantizeBlockwise(packedBlocks(steps, n, bits, grid), n);
      expect(Float64Array.from(back)).toEqual(meant(steps, n, grid).map(Math.fround));
    }
  });
});

it.each<[Format, number]>([
  ['w4', 0.85],
  ['w8a8', 1],
])('a model in %s stays nearer to its float one with feedback', async (format, most) => {
  const pixels = await pixelsOf(await bench.context.calibration.holdout(128));
  const float = await logitsOf(bench, bench.vit, pixels);
  const errorOf = async (rounding: 'nearest' | 'feedback'): Promise<number> => {
    const options = quantizeOptionsSchema.parse({ format, rounding, images: 64, rows: 256 });
    const { vit } = await quantize(bench.vit, bench.context, options);
    const logits = await logitsOf(bench, vit, pixels);
    return logits.reduce((sum, value, index) => sum + (value - float[index]!) ** 2, 0);
  };
  expect(await errorOf('feedback')).toBeLessThan(most * (await errorOf('nearest')));
});
