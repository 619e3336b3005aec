import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { serializeModel } from '../../src/onnx/file.js';
import { defaultSessionOptions } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { openStream, rowsOf } from '../../src/compress/observe/blocks.js';
import { channelTap } from '../../src/compress/observe/channels.js';
import { extremeTap } from '../../src/compress/observe/extremes.js';
import { momentsTap } from '../../src/compress/observe/moments.js';
import { normGainTap } from '../../src/compress/observe/norm-gain.js';
import { sampleTap } from '../../src/compress/observe/sample.js';
import { openModel } from '../../src/compress/observe/opened.js';
import { keptOpen, type KeptSessions } from '../../src/compress/observe/sessions.js';
import type { Calibration } from '../../src/compress/context.js';
import type { Tap } from '../../src/compress/observe/taps.js';
import { withoutHead } from '../../src/vit/vit.js';
import type { BlockValueName } from '../../src/vit/graph/block.js';
import { maxDifference, logitsOf, openBench, type Bench } from './support.js';
import { multiply, transpose } from './reference.js';

/** Takes a block's value whole, as no stage does: what the reductions are computed from here, in float64. */
function wholeTap(name: BlockValueName): Tap<Float64Array> {
  const parts: number[] = [];
  let output = '';
  return {
    emit: (_g, values) => {
      output = values[name].name;
      return [values[name]];
    },
    add: (outputs) => {
      for (const value of outputs[output]!.data as Float32Array) parts.push(value);
    },
    result: () => Float64Array.from(parts),
  };
}

describe('observing a block', () => {
  let bench: Bench;
  let whole: Float64Array;
  const images = 24;
  const rows = images * 17;
  const width = 512;

  beforeAll(async () => {
    bench = await openBench();
    const stream = await openStream(bench.context, bench.vit, await bench.context.calibration.images(images));
    await stream.advance(bench.vit, 0);
    const tap = wholeTap('fc2');
    await stream.observe(bench.vit, 1, [tap]);
    whole = tap.result();
    expect(whole.length).toBe(rows * width);
  });

  const observe = async <T>(tap: (rowsPerBatch: number, batches: number) => Tap<T>): Promise<T> => {
    const stream = await openStream(bench.context, bench.vit, await bench.context.calibration.images(images));
    await stream.advance(bench.vit, 0);
    const read = rowsOf(stream, bench.vit.config, 1, 'fc2');
    expect(read.rows).toBe(rows);
    const made = tap(read.rowsPerBatch, stream.images / stream.batchSize);
    await stream.observe(bench.vit, 1, [made]);
    return made.result();
  };

  const channel = (c: number): Float64Array =>
    Float64Array.from({ length: rows }, (_, r) => whole[r * width + c]!);

  it('gives each channel’s min, max, means and E[x²] as a float64 reference has them', async () => {
    const found = await observe((rowsPerBatch) => channelTap('fc2', rows, rowsPerBatch));
    for (let c = 0; c < width; c += 37) {
      const values = channel(c);
      const mean = (of: (x: number) => number): number => values.reduce((sum, x) => sum + of(x), 0) / rows;
      expect(found.min[c]).toBe(Math.min(...values));
      expect(found.max[c]).toBe(Math.max(...values));
      expect(found.mean[c]).toBeCloseTo(
        mean((x) => x),
        6,
      );
      expect(found.meanAbs[c]).toBeCloseTo(mean(Math.abs), 6);
      expect(found.meanSquare[c]).toBeCloseTo(
        mean((x) => x * x),
        6,
      );
    }
  });

  it('gives exact percentiles, though every batch is seen only once', async () => {
    const percentiles = [75, 99, 99.9];
    const found = await observe((rowsPerBatch) => channelTap('fc2', rows, rowsPerBatch, percentiles));
    for (const percentile of percentiles) {
      const { lower, upper } = found.percentiles.get(percentile)!;
      const beyond = Math.floor((1 - percentile / 100) * rows);
      for (let c = 0; c < width; c += 37) {
        const sorted = channel(c).sort();
        expect(upper[c]).toBe(sorted[rows - 1 - beyond]);
        expect(lower[c]).toBe(sorted[beyond]);
      }
    }
  });

  it('gives mean and covariance to float32 accuracy', async () => {
    const found = await observe((rowsPerBatch) => momentsTap('fc2', rowsPerBatch));
    const mean = Float64Array.from({ length: width }, (_, c) => channel(c).reduce((a, x) => a + x, 0) / rows);
    const centred = whole.map((x, i) => x - mean[i % width]!);
    const reference = multiply(transpose(centred, rows), centred, rows).map((sum) => sum / rows);
    expect(found.rows).toBe(rows);
    expect(maxDifference(found.mean, mean)).toBeLessThan(1e-6);
    expect(maxDifference(found.covariance, reference)).toBeLessThan(1e-5);
  });

  it('gives the mean and covariance of weighted rows, which are those of rows that are there so many times', async () => {
    const counts = Array.from({ length: rows }, (_, row) => (row % 17 === 0 ? 3 : 1));
    const total = counts.reduce((sum, count) => sum + count, 0);
    const found = await observe((rowsPerBatch) =>
      momentsTap(
        'fc2',
        rowsPerBatch,
        Float32Array.from(counts.slice(0, rowsPerBatch), (count) => (count * rows) / total),
      ),
    );
    const mean = Float64Array.from({ length: width }, (_, c) =>
      channel(c).reduce((sum, x, row) => sum + (counts[row]! * x) / total, 0),
    );
    const centred = whole.map((x, i) => x - mean[i % width]!);
    const weighted = centred.map((x, i) => x * counts[Math.floor(i / width)]!);
    const reference = multiply(transpose(weighted, rows), centred, rows).map((sum) => sum / total);
    expect(maxDifference(found.mean, mean)).toBeLessThan(1e-6);
    expect(maxDifference(found.covariance, reference)).toBeLessThan(1e-5);
  });

  it('gives by how much a LayerNorm behind the block magnifies a squared error', async () => {
    const { hiddenSize, layerNormEpsilon } = bench.vit.config;
    const found = await observe(() => normGainTap(layerNormEpsilon));
    const stream = await openStream(bench.context, bench.vit, await bench.context.calibration.images(images));
    await stream.advance(bench.vit, 0);
    const residual = wholeTap('residual');
    await stream.observe(bench.vit, 1, [residual]);
    const tokens = residual.result();
    let gain = 0;
    for (let row = 0; row < rows; row++) {
      const token = tokens.subarray(row * hiddenSize, (row + 1) * hiddenSize);
      const mean = token.reduce((sum, x) => sum + x, 0) / hiddenSize;
      const variance = token.reduce((sum, x) => sum + (x - mean) ** 2, 0) / hiddenSize;
      gain += 1 / (variance + layerNormEpsilon) / rows;
    }
    expect(found / gain).toBeCloseTo(1, 5);
  });

  it('samples rows that were there, the same for the same seed', async () => {
    const sample = async (seed: number): Promise<Float32Array> => {
      const tap = await observe((rowsPerBatch, batches) =>
        sampleTap(bench.engine, ['fc2'] as const, 12, batches, () => rowsPerBatch, seededRandom(seed)),
      );
      return tap.fc2.values;
    };
    const first = await sample(5);
    const known = new Set<string>();
    for (let r = 0; r < rows; r++) known.add(whole.subarray(r * width, (r + 1) * width).join());
    for (let at = 0; at < first.length; at += width)
      expect(known.has(Float64Array.from(first.subarray(at, at + width)).join())).toBe(true);
    expect(await sample(5)).toEqual(first);
    expect(await sample(6)).not.toEqual(first);
  });

  it('finds the largest absolute value', async () => {
    const found = await observe(() => extremeTap(['fc2', 'residual']));
    expect(found.get('fc2')).toBe(whole.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
    expect(found.get('residual')).toBeGreaterThan(0);
  });

  it('a stream that stands before the last block gives the logits of the whole graph', async () => {
    const calibration = await bench.context.calibration.images(images);
    const stream = await openStream(bench.context, bench.vit, calibration);
    for (let layer = 0; layer < 3; layer++) await stream.advance(bench.vit, layer);
    const pixels: number[] = [];
    for await (const batch of calibration.batches()) for (const value of batch) pixels.push(value);
    const whole = await logitsOf(bench, bench.vit, Float32Array.from(pixels));
    expect(maxDifference(await stream.logits(bench.vit), whole)).toBeLessThan(1e-4);
  });
});

describe('sessions that stay open for further images', () => {
  it.each([
    ['all parts', Infinity, 5],
    ['the first of a model that is too large for all of them', 1, 1],
  ])('give what sessions give that are opened each time: %s', async (_, limit, kept) => {
    const bench = await openBench();
    const [open, engine] = [new Set<object>(), bench.engine];
    let opened = 0;
    const counting = {
      ...engine,
      open: async (...how: Parameters<typeof engine.open>) => {
        const session = await engine.open(...how);
        opened += 1;
        open.add(session);
        return { ...session, close: () => (open.delete(session), session.close()) };
      },
    };
    const context = { ...bench.context, engine: counting };
    const images = await bench.context.calibration.images(24);
    const logits = async (sessions?: KeptSessions): Promise<Float32Array> => {
      const stream = await openStream(context, bench.vit, images, sessions);
      for (let layer = 0; layer < 3; layer++) await stream.advance(bench.vit, layer);
      return stream.logits(bench.vit);
    };
    const each = await logits();
    expect(open.size).toBe(0);
    const sessions = keptOpen(context, limit);
    opened = 0;
    expect(await logits(sessions)).toEqual(each);
    expect([opened, open.size]).toEqual([5, kept]);
    expect(await logits(sessions)).toEqual(each);
    expect([opened, open.size]).toEqual([10 - kept, kept]);
    await sessions.close();
    expect(open.size).toBe(0);
  });
});

it.each(['logits', 'features'])('opens a model as a whole and in parts with the same %s', async (kind) => {
  const { context, vit: classifier } = await openBench();
  const vit = kind === 'logits' ? classifier : withoutHead(classifier);
  const images = await context.calibration.images(24);
  const [whole, parts] = [await openModel(context, vit), await openModel(context, vit, 0)];
  const [expected, found] = [await whole.outputs(images), await parts.outputs(images)];
  await whole.close();
  await parts.close();
  expect(found).toHaveLength(24 * (kind === 'logits' ? 10 : 128));
  for (const [at, value] of found.entries()) expect(value).toBeCloseTo(expected[at]!, 4);
});

describe('calibration images', () => {
  it('held-out ones are never among those to calibrate on, even when all are asked for', async () => {
    const bench = await openBench();
    const [all, held] = [
      await bench.context.calibration.images(10_000),
      await bench.context.calibration.holdout(10_000),
    ];
    expect(all.count + held.count).toBe(bench.data.train.count);
    const pixels = async (of: Calibration): Promise<Set<string>> => {
      const set = new Set<string>();
      for await (const batch of of.batches())
        for (let at = 0; at < batch.length; at += 3072) set.add(batch.subarray(at, at + 3072).join());
      return set;
    };
    const [calibrated, checked] = [await pixels(all), await pixels(held)];
    for (const image of checked) expect(calibrated.has(image)).toBe(false);
  });
});

it('the moments of a wide input are those of a float64 reference, though only blocks of its Gram matrix are made', async () => {
  const engine = await nodeEngine();
  const [batches, height, n] = [2, 9, 1100];
  const random = seededRandom(7);
  const values = Array.from({ length: batches }, () =>
    Float32Array.from({ length: height * n }, (_, at) => random.normal() + (at % n) / 100),
  );
  const g = new GraphBuilder('wide');
  const x = g.input('x', 'float32', [height, n]);
  const tap = momentsTap('fc2', height);
  for (const output of tap.emit(g, { fc2: x })) g.output(output);
  const session = await engine.open(await serializeModel(g.finish()), {
    ...defaultSessionOptions,
    threads: 2,
  });
  for (const batch of values) tap.add(await session.run({ x: engine.tensor('float32', batch, [height, n]) }));
  await session.close();
  const { rows, mean, covariance } = tap.result();
  expect(rows).toBe(batches * height);
  const column = (c: number): number[] =>
    values.flatMap((batch) => Array.from({ length: height }, (_, r) => batch[r * n + c]!));
  const average = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
  for (const i of [0, 5, 383, 384, 1099]) {
    expect(mean[i]).toBeCloseTo(average(column(i)), 5);
    for (const j of [0, 5, 383, 384, 1099]) {
      const [a, b] = [column(i), column(j)];
      const [m, k] = [average(a), average(b)];
      expect(covariance[i * n + j]).toBeCloseTo(average(a.map((value, r) => (value - m) * (b[r]! - k))), 4);
    }
  }
});
