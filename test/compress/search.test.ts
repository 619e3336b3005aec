import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import {
  openEvaluator,
  sqnr,
  totalError,
  type Evaluator,
  type FloatLinear,
  type OutputError,
  type TriedLinear,
} from '../../src/compress/evaluate.js';
import type { RowSample } from '../../src/compress/observe/sample.js';
import {
  formats,
  isWeightFormat,
  quantizeOptionsSchema,
  type QuantizeOptions,
} from '../../src/compress/quantize/options.js';
import { dequantizeInt8, int8Grid, nearest, quantizeInt8 } from '../../src/compress/quantize/rounding.js';
import {
  channelTransform,
  readingTransformed,
  searchDivisors,
  searchInputRange,
  searchTransform,
  searchWeightClip,
  type SampledLinear,
} from '../../src/compress/quantize/search.js';
import { rangeOf, transformed, type ReadValue } from '../../src/compress/quantize/value.js';
import { roundedWeight } from '../../src/compress/quantize/weight.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { multiply, transpose } from './reference.js';

const [rows, inputs, outputs] = [200, 48, 24];

let evaluator: Evaluator;
beforeAll(async () => {
  evaluator = await openEvaluator(await nodeEngine(), 1);
});
afterAll(() => evaluator.close());

const options = (more: object): QuantizeOptions => quantizeOptionsSchema.parse(more);

/** How far a candidate with the linear's own bias lies from the linear, both on the same rows. */
const errorOf = async (
  sample: RowSample,
  linear: FloatLinear,
  candidate: Omit<TriedLinear, 'bias'>,
): Promise<OutputError> => {
  const output = await evaluator.output(sample, linear);
  return evaluator.error(output, sample, { ...candidate, bias: linear.bias });
};

const sampled = async (sample: RowSample, linears: readonly FloatLinear[]): Promise<SampledLinear[]> =>
  Promise.all(linears.map(async (linear) => ({ ...linear, output: await evaluator.output(sample, linear) })));

/** A value with channels of very different extents and centres, as behind a LayerNorm, and a few outliers. */
function valueOf(seed: number): ReadValue {
  const random = seededRandom(seed);
  const [spread, centre] = [0, 1].map((kind) =>
    Float64Array.from({ length: inputs }, () =>
      kind === 0 ? Math.exp(1.5 * random.normal()) : random.normal(),
    ),
  ) as [Float64Array, Float64Array];
  const values = Float32Array.from({ length: rows * inputs }, (_, i) => {
    const outlier = random.uniform() < 0.002 ? 6 : 1;
    return centre[i % inputs]! + spread[i % inputs]! * outlier * random.normal();
  });
  const column = (c: number): number[] => Array.from({ length: rows }, (_, r) => values[r * inputs + c]!);
  const each = (of: (values: number[]) => number): Float64Array =>
    Float64Array.from({ length: inputs }, (_, c) => of(column(c)));
  const [min, max] = [each((v) => Math.min(...v)), each((v) => Math.max(...v))];
  const meanSquare = each((v) => v.reduce((sum, x) => sum + x * x, 0) / rows);
  return {
    ...{ min, max, lower: min, upper: max, meanSquare },
    sample: { rows, values },
    moments: undefined,
  };
}

function linearOf(seed: number): FloatLinear {
  const random = seededRandom(seed);
  const normals = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal() / 7);
  return { weight: normals(inputs * outputs), bias: normals(outputs) };
}

/** Float64 outputs of a linear, `[rows, outputs]`. */
const applied = (x: ArrayLike<number>, { weight, bias }: FloatLinear): Float64Array =>
  multiply(x, transpose(weight, outputs), inputs).map((sum, i) => sum + bias[i % outputs]!);

const seeds = [1, 2, 3];

describe('the error of a candidate', () => {
  it.each([true, false])('is that of a float64 reference (inputs quantised: %s)', async (quantizes) => {
    const [value, linear] = [valueOf(1), linearOf(2)];
    const weight = dequantizeInt8(quantizeInt8(linear.weight, inputs, true));
    const input = quantizes ? rangeOf(value, 0.9) : undefined;
    const found = await errorOf(value.sample, linear, { weight, input });
    const x = Float64Array.from(value.sample.values, (v) => {
      if (!input) return v;
      const q = Math.min(255, Math.max(0, Math.round(v / input.scale) + input.zeroPoint));
      return (q - input.zeroPoint) * input.scale;
    });
    const y = applied(value.sample.values, linear);
    const error = applied(x, { weight, bias: linear.bias }).map((v, i) => y[i]! - v);
    const squared = error.reduce((sum, e) => sum + e * e, 0);
    const signal = y.reduce((sum, v) => sum + v * v, 0);
    expect(totalError(found) / squared).toBeCloseTo(1, 2);
    expect(found.signal / signal).toBeCloseTo(1, 4);
    expect(sqnr(found)).toBeCloseTo(10 * Math.log10(signal / squared), 1);
    for (let o = 0; o < outputs; o++) {
      const mean = error.reduce((sum, e, i) => sum + (i % outputs === o ? e / rows : 0), 0);
      expect(found.mean[o]).toBeCloseTo(mean, 3);
    }
  });

  it('is infinite decibels where there is none, with or without a signal', async () => {
    const silent = { weight: new Float32Array(inputs * outputs), bias: new Float32Array(outputs) };
    for (const linear of [linearOf(1), silent]) {
      const exact = await errorOf(valueOf(1).sample, linear, {
        weight: linear.weight,
        input: undefined,
      });
      expect(sqnr(exact)).toBe(Infinity);
    }
  });
});

describe.each(seeds)('the searches on sample %d', (seed) => {
  const value = valueOf(seed);
  const readers = [linearOf(seed + 10), linearOf(seed + 20)];

  /** Squared error at all outputs with a strength, everything quantised, as if nothing were searched. */
  async function errorAt(alpha: number, how: QuantizeOptions): Promise<number> {
    const transform = channelTransform(value, readers, alpha, how.shift && !isWeightFormat(how.format));
    const after = transformed(value, transform);
    const input = isWeightFormat(how.format) ? undefined : rangeOf(after, 1);
    let sum = 0;
    for (const reader of readers) {
      const linear = readingTransformed(reader, transform);
      const weight = roundedWeight(linear.weight, inputs, how);
      sum += totalError(await errorOf(after.sample, linear, { weight, input }));
    }
    return sum;
  }

  it.each(formats)('take an α that is no worse than any other, for %s', async (format) => {
    const how = options({ format, blockSize: 16 });
    const found = (await searchTransform(evaluator, value, readers, how))!;
    const best = await errorAt(found.alpha, how);
    for (const alpha of [0, 0.2, 0.5, 0.8, 1])
      expect(best).toBeLessThanOrEqual((await errorAt(alpha, how)) * 1.0001);
  });

  it('take the α that is given, and none when it is off', async () => {
    expect((await searchTransform(evaluator, value, readers, options({ alpha: 0.3 })))!.alpha).toBe(0.3);
    expect(await searchTransform(evaluator, value, readers, options({ alpha: 'off' }))).toBeUndefined();
  });

  it.each([true, false])('transform channels without changing what the readers give (shift: %s)', (shift) => {
    const transform = channelTransform(value, readers, 0.6, shift);
    if (!shift) expect(Math.max(...transform.shift.map(Math.abs))).toBe(0);
    const after = transformed(value, transform);
    for (const reader of readers) {
      const [before, now] = [
        applied(value.sample.values, reader),
        applied(after.sample.values, readingTransformed(reader, transform)),
      ];
      const largest = before.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
      for (const [i, v] of now.entries()) expect(Math.abs(v - before[i]!)).toBeLessThan(1e-5 * largest);
    }
  });

  it('take an input range that is no worse than the whole of it', async () => {
    const how = options({});
    const within = async (input: ReturnType<typeof rangeOf>): Promise<number> => {
      let sum = 0;
      for (const reader of readers) {
        const weight = roundedWeight(reader.weight, inputs, how);
        sum += totalError(await errorOf(value.sample, reader, { weight, input }));
      }
      return sum;
    };
    const known = await sampled(value.sample, readers);
    const found = await within(await searchInputRange(evaluator, value, known, how));
    for (const clip of [1, 0.8, 0.5])
      expect(found).toBeLessThanOrEqual((await within(rangeOf(value, clip))) * 1.0001);
    expect(await searchInputRange(evaluator, value, known, options({ clipInputs: false }))).toEqual(
      rangeOf(value, 1),
    );
  });

  it('divide channels where one reaches much further than the others, and leave alike ones alone', async () => {
    const random = seededRandom(seed);
    const readerOf = (values: Float32Array): ReadValue => {
      const column = (c: number): number[] => Array.from({ length: rows }, (_, r) => values[r * inputs + c]!);
      const each = (of: (values: number[]) => number): Float64Array =>
        Float64Array.from({ length: inputs }, (_, c) => of(column(c)));
      const [min, max] = [each((v) => Math.min(...v)), each((v) => Math.max(...v))];
      const meanSquare = each((v) => v.reduce((sum, x) => sum + x * x, 0) / rows);
      return { min, max, lower: min, upper: max, meanSquare, sample: { rows, values }, moments: undefined };
    };
    // As behind an activation: hardly anything below zero.
    const alike = Float32Array.from({ length: rows * inputs }, () => random.uniform() - 0.17);
    const apart = alike.map((x, i) => (i % inputs === 5 ? 30 * x : x));
    const [reader, how] = [linearOf(seed + 30), options({})];
    const wide = readerOf(apart);
    const [known] = await sampled(wide.sample, [reader]);
    const found = (await searchDivisors(evaluator, wide, [known!], how))!;
    const behind = transformed(wide, found.transform);
    const errorOfRange = async (value: ReadValue, linear: FloatLinear): Promise<number> => {
      const weight = roundedWeight(linear.weight, inputs, how);
      const candidate = { weight, bias: linear.bias, input: rangeOf(value, 1) };
      return totalError(await evaluator.error(known!.output, value.sample, candidate));
    };
    const divided = await errorOfRange(behind, readingTransformed(reader, found.transform));
    expect(divided).toBeLessThan(0.63 * (await errorOfRange(wide, reader)));
    expect(found.transform.shift.every((shift) => shift === 0)).toBe(true);

    const narrow = readerOf(alike);
    const same = await sampled(narrow.sample, [reader]);
    expect(await searchDivisors(evaluator, narrow, same, how)).toBeUndefined();
    for (const off of [{ divideNeurons: false }, { alpha: 'off' }, { format: 'dynamic' }, { format: 'w8' }])
      expect(await searchDivisors(evaluator, wide, [known!], options(off))).toBeUndefined();
  });

  it.each([false, true])(
    'take weight ranges that are no worse than the whole of them, for every output, pairs bounded: %s',
    async (boundPairs) => {
      const [linear, input] = [(await sampled(value.sample, readers))[0]!, rangeOf(value, 1)];
      const clips = await searchWeightClip(evaluator, value, linear, input, options({ boundPairs }));
      const squared = async (clip: Float32Array): Promise<Float32Array> => {
        const weight = nearest(
          linear.weight,
          inputs,
          int8Grid(linear.weight, inputs, true, clip, boundPairs),
        );
        return (await errorOf(value.sample, linear, { weight, input })).squared;
      };
      const searched = await squared(clips);
      const whole = await squared(new Float32Array(outputs).fill(1));
      for (let o = 0; o < outputs; o++) expect(searched[o]).toBeLessThanOrEqual(whole[o]! * 1.0001);
      expect(Math.min(...clips)).toBeGreaterThanOrEqual(0.7 - 1e-6);
      expect(Math.max(...clips) > 1).toBe(boundPairs);
    },
  );
});
