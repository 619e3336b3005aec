import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { openBlas, type Blas } from '../../src/compress/linalg/blas.js';
import { eigenOf } from '../../src/compress/linalg/eigen.js';
import { pruneAttentionOptionsSchema } from '../../src/compress/prune-attention/options.js';
import { narrowingOf, type HeadMoments, type NarrowHead } from '../../src/compress/prune-attention/scores.js';
import { pruneAttention } from '../../src/compress/prune-attention/stage.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { refusalOf } from '../support/refusal.js';
import { multiply, transpose } from './reference.js';
import { logitsOf, maxDifference, openBench, type Bench } from './support.js';

let bench: Bench;
let blas: Blas;
beforeAll(async () => {
  bench = await openBench();
  blas = await openBlas(await nodeEngine(), 1);
});
afterAll(() => blas.close());

const [d, size] = [6, 2];

/** Vectors whose channels vary together, `[count, d]`. */
function vectors(count: number, seed: number, centred: boolean): Float64Array {
  const random = seededRandom(seed);
  const mixing = Float64Array.from({ length: d * d }, (_, i) => random.normal() / (1 + (i % d)));
  const free = Float64Array.from({ length: count * d }, () => random.normal());
  const mixed = multiply(free, mixing, d).map((value, i) => value + (i % d) / 3);
  const mean = Array.from({ length: d }, (_, c) =>
    mixed.reduce((sum, value, i) => sum + (i % d === c ? value / count : 0), 0),
  );
  return centred ? mixed.map((value, i) => value - mean[i % d]!) : mixed;
}

const second = (of: Float64Array): Float64Array =>
  multiply(transpose(of, of.length / d), of, of.length / d).map((sum) => (sum * d) / of.length);

/** Solves a system of equations by Gaussian elimination with pivots. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < rows.length; column++) {
    const pivot = rows.slice(column).reduce((a, b) => (Math.abs(b[column]!) > Math.abs(a[column]!) ? b : a));
    rows.splice(rows.indexOf(pivot), 1);
    rows.splice(column, 0, pivot);
    for (const row of rows.slice(column + 1)) {
      const factor = row[column]! / pivot[column]!;
      for (let j = column; j < row.length; j++) row[j]! -= factor * pivot[j]!;
    }
  }
  const x = right.map(() => 0);
  for (let i = rows.length - 1; i >= 0; i--) {
    const rest = rows[i]!.slice(0, -1).reduce((sum, value, j) => sum + (j > i ? value * x[j]! : 0), 0);
    x[i] = (rows[i]!.at(-1)! - rest) / rows[i]![i]!;
  }
  return x;
}

/** The pairs of some queries and keys: their products, and how far those lie from others. */
describe.each([1, 2, 3])('a head of sample %d', (seed) => {
  const [queries, keys] = [vectors(40, seed, false), vectors(30, seed + 10, true)];
  const moments: HeadMoments = { queries: second(queries), keys: second(keys) };
  const row = (of: Float64Array, i: number, width: number): number[] => [
    ...of.subarray(i * width, (i + 1) * width),
  ];
  const pairs = Array.from({ length: 40 * 30 }, (_, at) => [Math.floor(at / 30), at % 30] as const);
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const scores = pairs.map(([i, j]) => dot(row(queries, i, d), row(keys, j, d)));
  const narrowScores = ({ query, key }: NarrowHead, width: number): number[] => {
    const [q, k] = [multiply(queries, transpose(query, width), d), multiply(keys, transpose(key, width), d)];
    return pairs.map(([i, j]) => dot(row(q, i, width), row(k, j, width)));
  };
  const meanSquare = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value ** 2 / values.length, 0);
  const errorOf = (found: readonly number[]): number => meanSquare(found.map((s, at) => s - scores[at]!));

  it('gives the same scores as long as nothing goes', async () => {
    const whole = await (await narrowingOf(moments, d, 'least-squares', blas))(d);
    expect(errorOf(narrowScores(whole, d))).toBeLessThan(1e-12 * meanSquare(scores));
    expect(whole.error).toBe(0);
    expect(whole.variance / meanSquare(scores)).toBeCloseTo(1, 9);
  });

  it.each(['least-squares', 'none'] as const)(
    'has the error over all pairs that is told: %s',
    async (how) => {
      const narrow = await (await narrowingOf(moments, d, how, blas))(size);
      expect(narrow.error / errorOf(narrowScores(narrow, size))).toBeCloseTo(1, 6);
    },
  );

  it('makes of what stays what dense least squares over all pairs make of it, and of its keys likewise', async () => {
    const narrow = await (await narrowingOf(moments, d, 'least-squares', blas))(size);
    const found = narrowScores(narrow, size);
    const [q, k] = [
      multiply(queries, transpose(narrow.query, size), d),
      multiply(keys, transpose(narrow.key, size), d),
    ];
    for (const features of [
      // Any maps of all keys beside these queries, and of all queries beside these keys.
      pairs.map(([i, j]) => row(q, i, size).flatMap((a) => row(keys, j, d).map((b) => a * b))),
      pairs.map(([i, j]) => row(k, j, size).flatMap((a) => row(queries, i, d).map((b) => a * b))),
    ]) {
      const count = features[0]!.length;
      const normal = Array.from({ length: count }, (_, a) =>
        Array.from({ length: count }, (_, b) => features.reduce((sum, f) => sum + f[a]! * f[b]!, 0)),
      );
      const right = Array.from({ length: count }, (_, a) =>
        features.reduce((sum, f, at) => sum + f[a]! * scores[at]!, 0),
      );
      const weights = solved(normal, right);
      const apart = features.map((f, at) => dot(f, weights) - found[at]!);
      expect(meanSquare(apart)).toBeLessThan(1e-10 * meanSquare(scores));
    }
  });

  it('loses less than channels that are chosen, and then made up for by least squares', async () => {
    const best = await (await narrowingOf(moments, d, 'least-squares', blas))(size);
    for (let a = 0; a < d; a++)
      for (let b = 0; b < a; b++) {
        const of = (i: number, from: Float64Array): number[] => [from[i * d + a]!, from[i * d + b]!];
        const features = pairs.map(([i, j]) => of(i, queries).flatMap((x) => of(j, keys).map((y) => x * y)));
        const normal = [0, 1, 2, 3].map((x) =>
          [0, 1, 2, 3].map((y) => features.reduce((sum, f) => sum + f[x]! * f[y]!, 0)),
        );
        const right = [0, 1, 2, 3].map((x) => features.reduce((sum, f, at) => sum + f[x]! * scores[at]!, 0));
        const weights = solved(normal, right);
        expect(best.error).toBeLessThanOrEqual(errorOf(features.map((f) => dot(f, weights))) * 1.000001);
      }
  });
});

describe('eigenvectors', () => {
  it.each([1, 2, 17])(
    'of a symmetric matrix of %d rows are its own, perpendicular, the largest first',
    (n) => {
      const random = seededRandom(n);
      const half = Float64Array.from({ length: n * n }, () => random.normal());
      const matrix = half.map((value, i) => value + half[(i % n) * n + Math.floor(i / n)]!);
      const { values, vectors: found } = eigenOf(matrix, n);
      expect([...values]).toEqual([...values].sort((a, b) => b - a));
      const scaled = found.map((value, i) => value * values[Math.floor(i / n)]!);
      expect(maxDifference(multiply(found, matrix, n), scaled)).toBeLessThan(1e-12 * n);
      const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
      expect(maxDifference(multiply(found, transpose(found, n), n), identity)).toBeLessThan(1e-13 * n);
    },
  );
});

describe('the stage', () => {
  const optionsOf = (options: object): ReturnType<typeof pruneAttentionOptionsSchema.parse> =>
    pruneAttentionOptionsSchema.parse({ images: 32, ...options });

  it('leaves narrower queries and keys, and logits that are nearer than without making up for what goes', async () => {
    const apart: number[] = [];
    for (const compensation of ['least-squares', 'none'] as const) {
      const { vit, report } = await pruneAttention(
        bench.vit,
        bench.context,
        optionsOf({ ratio: 0.5, compensation }),
      );
      const width = bench.vit.config.hiddenSize / bench.vit.config.heads;
      expect(vit.config.queryKeySizes).toEqual(bench.vit.config.mlpSizes.map(() => width / 2));
      expect(vit.weights.get('layers.0.k.weight')?.dims).toEqual([
        bench.vit.config.hiddenSize / 2,
        bench.vit.config.hiddenSize,
      ]);
      for (const { error } of report.blocks) expect(error).toBeGreaterThanOrEqual(0);
      apart.push(maxDifference(await logitsOf(bench, vit), bench.reference));
    }
    expect(apart[0]).toBeLessThan(apart[1]! / 2);
  });

  it('refuses a ratio that removes nothing', async () => {
    const found = await refusalOf(() =>
      pruneAttention(bench.vit, bench.context, optionsOf({ ratio: 0.01, multiple: 32 })),
    );
    expect(found.place).toBe('prune-attention.ratio');
    expect(found.found).toContain('0.01');
  });
});
