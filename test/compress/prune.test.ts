import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { openBlas, type Blas } from '../../src/compress/linalg/blas.js';
import { allocate, type BlockCost } from '../../src/compress/prune/allocation.js';
import { narrowed, orderMlp } from '../../src/compress/prune/compensation.js';
import { ridgeOf } from '../../src/compress/linalg/covariance.js';
import { importanceOf } from '../../src/compress/prune/importance.js';
import type { MlpObservation, NarrowMlp } from '../../src/compress/prune/mlp.js';
import { compensations, importances, pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { prune } from '../../src/compress/prune/stage.js';
import { rankBlocks } from '../../src/compress/prune/ranked.js';
import { parameterCount, withWeights, type ViT } from '../../src/vit/vit.js';
import { float32 } from '../../src/onnx/tensor.js';
import { copyOf, logitsOf, maxDifference, openBench, type Bench } from './support.js';
import { multiply, solve, transpose } from './reference.js';

let bench: Bench;
let blas: Blas;
beforeAll(async () => {
  bench = await openBench();
  blas = await openBlas(bench.engine, 2);
});
afterAll(() => blas.close());

const [neurons, hidden, rows] = [24, 10, 4000];

/** Neurons that depend on each other, as after GELU: a few sources mixed, rectified, shifted. */
function activations(seed: number): Float64Array {
  const random = seededRandom(seed);
  const mix = Float64Array.from({ length: 8 * neurons }, () => random.normal());
  const sources = Float64Array.from({ length: rows * 8 }, () => random.normal());
  return multiply(sources, mix, 8).map(
    (x, i) => Math.max(-0.1, x) + 0.1 * random.normal() + (i % neurons) / 20,
  );
}

function observationOf(x: Float64Array, seed = 2): MlpObservation {
  const random = seededRandom(seed);
  const normals = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
  const n = x.length / neurons;
  const means = (of: (v: number) => number): Float64Array =>
    Float64Array.from({ length: neurons }, (_, i) => {
      let sum = 0;
      for (let r = 0; r < n; r++) sum += of(x[r * neurons + i]!);
      return sum / n;
    });
  const mean = means((v) => v);
  const centred = x.map((v, i) => v - mean[i % neurons]!);
  return {
    neurons,
    hidden,
    parts: 1,
    fc1: normals(neurons * hidden),
    fc1Bias: normals(neurons),
    fc2: normals(hidden * neurons),
    fc2Bias: normals(hidden),
    moments: { rows: n, mean, covariance: multiply(transpose(centred, n), centred, n).map((sum) => sum / n) },
    meanAbs: means(Math.abs),
  };
}

/** FC2's output, `[rows, hidden]`. */
function outputOf(
  x: Float64Array,
  width: number,
  fc2: ArrayLike<number>,
  bias: ArrayLike<number>,
): Float64Array {
  return multiply(x, transpose(fc2, hidden), width).map((sum, i) => sum + bias[i % hidden]!);
}

/** Mean over rows of the squared error that a narrow MLP makes at FC2's output. */
function measuredLoss(
  x: Float64Array,
  mlp: MlpObservation,
  narrow: NarrowMlp,
  kept: readonly number[],
): number {
  const before = outputOf(x, neurons, mlp.fc2, mlp.fc2Bias);
  const picked = Float64Array.from({ length: rows * kept.length }, (_, i) => {
    return x[Math.floor(i / kept.length) * neurons + kept[i % kept.length]!]!;
  });
  const after = outputOf(picked, kept.length, narrow.fc2, narrow.fc2Bias);
  return before.reduce((sum, value, i) => sum + (value - after[i]!) ** 2, 0) / rows;
}

describe.each(compensations)('an MLP narrowed with compensation "%s"', (compensation) => {
  const x = activations(1);
  const mlp = observationOf(x);

  it('makes the error that was predicted, at every width', async () => {
    const ordered = await orderMlp(mlp, await importanceOf('flap', mlp, blas), compensation, blas);
    for (const width of [1, 5, 12, 20, 24]) {
      const loss = measuredLoss(
        x,
        mlp,
        await narrowed(mlp, ordered, width, blas),
        ordered.order.slice(0, width),
      );
      const excess = ordered.loss[width]! - loss;
      // The ridge of least squares stands for noise in every neuron, so that what is predicted is a little more.
      expect(excess).toBeGreaterThan(-1e-6);
      expect(excess).toBeLessThan(compensation === 'least-squares' ? 1e-2 * ordered.outputVariance : 1e-6);
    }
  });

  it('loses nothing at full width and more the narrower it is', async () => {
    const ordered = await orderMlp(mlp, await importanceOf('obs', mlp, blas), compensation, blas);
    expect(ordered.loss[neurons]).toBe(0);
    // Without compensation a neuron may hide another's absence; on the whole less is worse.
    if (compensation !== 'none')
      for (let width = 0; width < neurons; width++)
        expect(ordered.loss[width]!).toBeGreaterThanOrEqual(ordered.loss[width + 1]! - 1e-9);
    expect(ordered.loss[2]!).toBeGreaterThan(ordered.loss[20]!);
  });

  it('keeps the rows of FC1 of the neurons that stay', async () => {
    const scores = Float64Array.from({ length: neurons }, (_, i) => (i * 7) % neurons);
    const ordered = await orderMlp(mlp, scores, compensation, blas);
    const { fc1, fc1Bias } = await narrowed(mlp, ordered, 3, blas);
    for (const [slot, neuron] of ordered.order.slice(0, 3).entries()) {
      expect(scores[neuron]).toBe(neurons - 1 - slot);
      expect(fc1.subarray(slot * hidden, (slot + 1) * hidden)).toEqual(
        mlp.fc1.subarray(neuron * hidden, (neuron + 1) * hidden),
      );
      expect(fc1Bias[slot]).toBe(mlp.fc1Bias[neuron]);
    }
  });
});

describe('compensation', () => {
  it('by least squares agrees with the normal equations solved by elimination', async () => {
    const x = activations(3);
    const mlp = observationOf(x);
    const ordered = await orderMlp(mlp, await importanceOf('variance', mlp, blas), 'least-squares', blas);
    const width = 10;
    const { fc2 } = await narrowed(mlp, ordered, width, blas);
    const { covariance } = mlp.moments;
    const ridge = ridgeOf(covariance, neurons, rows);
    const sigma = (i: number, j: number): number => covariance[i * neurons + j]! + (i === j ? ridge : 0);
    const [kept, gone] = [ordered.order.slice(0, width), ordered.order.slice(width)];
    const ss = Float64Array.from({ length: width ** 2 }, (_, i) =>
      sigma(kept[Math.floor(i / width)]!, kept[i % width]!),
    );
    const sp = Float64Array.from({ length: width * gone.length }, (_, i) =>
      sigma(kept[Math.floor(i / gone.length)]!, gone[i % gone.length]!),
    );
    const b = solve(ss, sp, width);
    for (let r = 0; r < hidden; r++)
      for (let s = 0; s < width; s++) {
        let expected = mlp.fc2[r * neurons + kept[s]!]!;
        for (const [p, neuron] of gone.entries())
          expected += mlp.fc2[r * neurons + neuron]! * b[s * gone.length + p]!;
        expect(fc2[r * width + s]!).toBeCloseTo(expected, 8);
      }
  });

  it('loses least by least squares, then with means, most without, for every importance', async () => {
    const x = activations(4);
    const mlp = observationOf(x);
    for (const importance of importances) {
      const scores = await importanceOf(importance, mlp, blas);
      const [none, mean, squares] = await Promise.all(
        compensations.map(async (each) => (await orderMlp(mlp, scores, each, blas)).loss[12]!),
      );
      expect(squares).toBeLessThan(mean!);
      expect(mean).toBeLessThan(none!);
    }
  });

  it('is exact where a neuron is constant (means) or the sum of two others (least squares)', async () => {
    const x = activations(5);
    for (let r = 0; r < rows; r++) {
      x[r * neurons] = 0.7;
      x[r * neurons + 1] = x[r * neurons + 2]! + x[r * neurons + 3]!;
    }
    const mlp = observationOf(x);
    const last = (gone: number): Float64Array =>
      Float64Array.from({ length: neurons }, (_, i) => (i === gone ? -1 : i));
    const constant = await orderMlp(mlp, last(0), 'mean', blas);
    expect(constant.loss[neurons - 1]! / constant.outputVariance).toBeLessThan(1e-9);
    const sum = await orderMlp(mlp, last(1), 'least-squares', blas);
    expect(sum.loss[neurons - 1]! / sum.outputVariance).toBeLessThan(1e-3);
    expect(
      (await orderMlp(mlp, last(1), 'mean', blas)).loss[neurons - 1]! / sum.outputVariance,
    ).toBeGreaterThan(1e-2);
  });

  it('OBS ranks a neuron by the loss that removing it alone causes', async () => {
    const mlp = observationOf(activations(6));
    const scores = await importanceOf('obs', mlp, blas);
    for (const neuron of [0, 7, 23]) {
      const last = Float64Array.from({ length: neurons }, (_, i) => (i === neuron ? -1 : i));
      const alone = (await orderMlp(mlp, last, 'least-squares', blas)).loss[neurons - 1]!;
      expect(scores[neuron]! / alone).toBeCloseTo(1, 6);
    }
  });
});

describe('the allocation of widths', () => {
  const random = seededRandom(9);
  const curve = (size: number): BlockCost => {
    const loss = new Float64Array(size + 1);
    for (let w = size - 1; w >= 0; w--) loss[w] = loss[w + 1]! + random.uniform();
    return { neurons: size, loss };
  };

  it('loses as little as trying everything', () => {
    for (let trial = 0; trial < 20; trial++) {
      const blocks = [curve(12), curve(16), curve(8)];
      const total = 16 + 4 * random.integer(5);
      const widths = allocate(blocks, total, 4)!;
      expect(widths.reduce((sum, w) => sum + w, 0)).toBeLessThanOrEqual(total);
      const lossOf = (chosen: readonly number[]): number =>
        chosen.reduce((sum, w, block) => sum + blocks[block]!.loss[w]!, 0);
      let least = Infinity;
      for (let a = 4; a <= 12; a += 4)
        for (let b = 4; b <= 16; b += 4)
          for (let c = 4; c <= 8; c += 4) if (a + b + c <= total) least = Math.min(least, lossOf([a, b, c]));
      expect(lossOf(widths)).toBeCloseTo(least, 12);
    }
  });

  it('keeps to the cap, and says when nothing fits', () => {
    const blocks = [curve(16), curve(16)];
    expect(Math.max(...allocate(blocks, 32, 4, 8)!)).toBeLessThanOrEqual(8);
    expect(allocate(blocks, 4, 4)).toBeUndefined();
  });
});

describe('the prune stage', () => {
  const options = (more: object): ReturnType<typeof pruneOptionsSchema.parse> =>
    pruneOptionsSchema.parse({ images: 128, ...more });

  it('removes neurons physically: narrower tensors, fewer parameters', async () => {
    const { vit, report } = await prune(
      bench.vit,
      bench.context,
      options({ ratio: 0.5, allocation: 'uniform' }),
    );
    expect(vit.config.mlpSizes).toEqual([256, 256, 256, 256]);
    expect(vit.weights.get('layers.1.fc1.weight')!.dims).toEqual([256, 128]);
    expect(vit.weights.get('layers.1.fc2.weight')!.dims).toEqual([128, 256]);
    expect(parameterCount(bench.vit.config) - parameterCount(vit.config)).toBe(4 * 256 * (128 + 1 + 128));
    expect(report).toMatchObject({ neuronsBefore: 2048, neuronsAfter: 1024, images: 128 });
    const logits = await logitsOf(bench, vit);
    expect(maxDifference(logits, bench.reference)).toBeGreaterThan(1e-3);
  });

  it('leaves the function as it is when the neurons that go do nothing', async () => {
    const dead = new Float32Array(512 * 128);
    const alive = await bench.vit.weights.get('layers.2.fc2.weight')!.read();
    const fc2 = new Float32Array(alive.slice().buffer);
    for (let r = 0; r < 128; r++) for (let i = 0; i < 512; i += 2) fc2[r * 512 + i] = 0;
    expect(dead.length).toBe(fc2.length);
    const vit = withWeights(bench.vit, [['layers.2.fc2.weight', float32([128, 512], fc2)]]);
    const before = await logitsOf(bench, vit);
    // An eighth of all neurons: the dead half of one block of four.
    const { vit: pruned } = await prune(vit, bench.context, options({ ratio: 0.125, importance: 'flap' }));
    expect(pruned.config.mlpSizes).toEqual([512, 512, 256, 512]);
    expect(maxDifference(await logitsOf(bench, pruned), before)).toBeLessThan(1e-4);
  });

  it('stays closer to the model with least squares than with means, and with means than without', async () => {
    const distance = async (compensation: string): Promise<number> => {
      const { vit } = await prune(
        bench.vit,
        bench.context,
        options({ ratio: 0.5, allocation: 'uniform', compensation }),
      );
      const logits = await logitsOf(bench, vit);
      return logits.reduce((sum, value, i) => sum + (value - bench.reference[i]!) ** 2, 0);
    };
    const [none, mean, squares] = [
      await distance('none'),
      await distance('mean'),
      await distance('least-squares'),
    ];
    expect(squares).toBeLessThan(mean);
    expect(mean).toBeLessThan(none);
  });

  /** Tensors of a model, multiplied by a constant. */
  const scaled = async (vit: ViT, by: number, which: RegExp): Promise<ViT> => {
    const names = [...vit.weights.keys()].filter((name) => which.test(name));
    expect(names).not.toEqual([]);
    const entries = names.map(async (name) => {
      const values = await copyOf(vit, name);
      return [
        name,
        float32(
          vit.weights.get(name)!.dims,
          values.map((value) => value * by),
        ),
      ] as const;
    });
    return withWeights(vit, await Promise.all(entries));
  };

  it('finds narrowing as costly in a stream that is sixteen times as large: every reader begins with a LayerNorm', async () => {
    const whole = /^(patch|cls|positions)|\.(o|fc2)\./;
    const loud = await scaled(bench.vit, 16, whole);
    expect(maxDifference(await logitsOf(bench, loud), bench.reference)).toBeLessThan(1e-2);
    const images = await bench.context.calibration.images(128);
    const costs = (vit: ViT): ReturnType<typeof rankBlocks> =>
      rankBlocks(vit, bench.context, options({ ratio: 0.5 }), images, blas, 1);
    const [before, after] = [await costs(bench.vit), await costs(loud)];
    for (const [block, { neurons, loss }] of before.entries())
      for (const width of [0, 32, neurons / 2, neurons - 32])
        expect(after[block]!.loss[width]! / loss[width]!).toBeCloseTo(1, 1);
  });

  it('starves no block for another whose stream is larger', async () => {
    const loud = await scaled(bench.vit, 30, /^layers\.[23]\.(o|fc2)\./);
    const { vit } = await prune(loud, bench.context, options({ ratio: 0.5 }));
    for (const width of vit.config.mlpSizes.slice(0, 2)) expect(width).toBeGreaterThanOrEqual(128);
  });

  it('keeps the widths to multiples and the number of neurons to the ratio', async () => {
    const { vit, report } = await prune(bench.vit, bench.context, options({ ratio: 0.3, multiple: 16 }));
    for (const width of vit.config.mlpSizes) expect(width % 16).toBe(0);
    expect(Math.abs(report.neuronsAfter - 2048 * 0.7)).toBeLessThanOrEqual(16);
  });

  it('refuses to prune everything', async () => {
    await expect(prune(bench.vit, bench.context, options({ ratio: 0.99 }))).rejects.toThrow(
      /prune\.ratio: found 0\.99, which leaves fewer than 32 of 2048 neurons/,
    );
    await expect(
      prune(bench.vit, bench.context, options({ ratio: 0.99, allocation: 'uniform' })),
    ).rejects.toThrow(/prune\.ratio/);
  });
});
