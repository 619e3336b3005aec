import { describe, expect, it } from 'vitest';
import type { KernelTime } from '../../src/protocol/kernels.js';
import type { Substitution } from '../../src/base/substitution.js';
import {
  agreementDifference,
  differenceFailure,
  finiteFailure,
  kernelFailure,
  outputDifference,
  type Difference,
} from '../../src/run/checks.js';

const CPU = 'CPUExecutionProvider';

const firstOf = (found: Difference | undefined) => found && differenceFailure(found, found.apart[0]);
const outputFailure = (...of: Parameters<typeof outputDifference>) => firstOf(outputDifference(...of));
const agreementFailure = (...of: Parameters<typeof agreementDifference>) =>
  firstOf(agreementDifference(...of));

function kernel(opType: string, calls: number, provider = CPU): KernelTime {
  return { opType, provider, calls, milliseconds: 1 };
}

/** An artifact with three linears in INT8 and none in blocks. */
const int8 = { kernels: { MatMulIntegerToFloat: 3, MatMulNBits: 0, DynamicQuantizeMatMul: 0 } };

describe('the kernels of a variant', () => {
  it('are right when as many ran as the model has, in each part of the batch', () => {
    const ran = [kernel('MatMulIntegerToFloat', 3), kernel('Softmax', 2)];
    expect(kernelFailure(int8, ran, 1, CPU)).toBeUndefined();
    expect(kernelFailure(int8, [kernel('MatMulIntegerToFloat', 6)], 2, CPU)).toBeUndefined();
  });

  it.each([
    ['none of them ran', [kernel('MatMul', 3)], 1, 'MatMulIntegerToFloat', 0, 3],
    [
      'one ran in float',
      [kernel('MatMulIntegerToFloat', 2), kernel('MatMul', 1)],
      1,
      'MatMulIntegerToFloat',
      2,
      3,
    ],
    [
      'only one part of the batch ran in them',
      [kernel('MatMulIntegerToFloat', 3)],
      2,
      'MatMulIntegerToFloat',
      3,
      6,
    ],
    [
      'others than the model has ran as well',
      [kernel('MatMulIntegerToFloat', 3), kernel('MatMulNBits', 1)],
      1,
      'MatMulNBits',
      1,
      0,
    ],
  ])('are wrong when %s', (_, ran, parts, opType, found, expected) => {
    expect(kernelFailure(int8, ran, parts, CPU)).toEqual({
      kind: 'kernels-missing',
      opType,
      ran: found,
      expected,
    });
  });

  it('are wrong when one ran elsewhere, whatever it is', () => {
    const ran = [kernel('MatMulIntegerToFloat', 3), kernel('Cast', 1, 'WebGpuExecutionProvider')];
    expect(kernelFailure(int8, ran, 1, CPU)).toEqual({
      ...{ kind: 'other-provider', opType: 'Cast', ran: 'WebGpuExecutionProvider', asked: CPU },
    });
  });
});

describe('the outputs of a timed pass', () => {
  /** Of test images 0, 1 and 2. */
  const accuracy = Float32Array.of(1, -2, 10, 20, 0.5, 0.25);
  const imageOf = (index: number): number => [2, 0, 1, 2][index]!;
  const timed = (...values: number[]) => [
    { first: 0, classes: 2, values: Float32Array.from(values.slice(0, 4)) },
    { first: 2, classes: 2, values: Float32Array.from(values.slice(4)) },
  ];

  it('are right when they are those of the accuracy pass, image by image', () => {
    expect(
      outputFailure(int8, timed(0.5, 0.25, 1, -2, 10, 20, 0.5, 0.25), imageOf, accuracy),
    ).toBeUndefined();
  });

  it('are right when they differ in their last bits', () => {
    expect(
      outputFailure(int8, timed(0.501, 0.249, 1, -2.01, 10.1, 20, 0.5, 0.25), imageOf, accuracy),
    ).toBeUndefined();
  });

  it('may be further off where other images in the batch change them, but not those of another', () => {
    const dynamic = { kernels: { DynamicQuantizeMatMul: 3, MatMulNBits: 0 } };
    const [near, far] = [
      timed(0.59, 0.25, 1.3, -2, 10, 17, 0.5, 0.27),
      timed(1, -2, 0.5, 0.25, 10, 20, 0.5, 0.25),
    ];
    expect(outputFailure(int8, near, imageOf, accuracy)).toMatchObject({ image: 2, logit: 0 });
    expect(outputFailure(dynamic, near, imageOf, accuracy)).toBeUndefined();
    expect(outputFailure(dynamic, far, imageOf, accuracy)).toMatchObject({ image: 2, logit: 0, here: 1 });
  });

  it.each([
    [
      'another value',
      timed(0.5, 0.25, 1, -2, 10, 19, 0.5, 0.25),
      { image: 1, logit: 1, here: 19, there: 20 },
    ],
    [
      'the images in another order',
      timed(0.5, 0.25, 10, 20, 1, -2, 0.5, 0.25),
      { image: 0, logit: 0, here: 10 },
    ],
  ])('are wrong with %s', (_, outputs, found) => {
    const failure = outputFailure(int8, outputs, imageOf, accuracy);
    expect(failure).toMatchObject({ kind: 'logits-differ', from: 'accuracy-pass', ...found });
  });

  it('are wrong when the accuracy pass has no such image', () => {
    const without = outputFailure(int8, timed(0.5, 0.25, 1, -2), imageOf, accuracy.subarray(0, 4));
    expect(without).toMatchObject({ image: 2, there: null });
  });
});

describe('logits', () => {
  it.each([
    ['NaN', [1, 2, NaN, 4], { image: 8, logit: 0, found: 'NaN' }],
    ['infinite', [1, Infinity, 3, 4], { image: 7, logit: 1, found: 'Infinity' }],
    ['infinite below', [-Infinity, NaN, 3, 4], { image: 7, logit: 0, found: '-Infinity' }],
  ])('that are %s are a failure, with the first of them', (_, values, found) => {
    const records = [
      { first: 0, classes: 2, values: Float32Array.of(0, 0) },
      { first: 1, classes: 2, values: Float32Array.from(values) },
    ];
    const failure = finiteFailure(records, (index) => index + 6);
    expect(failure).toEqual({ kind: 'logits-not-finite', ...found });
  });

  it('that are finite are none, however large', () => {
    const records = [{ first: 0, classes: 2, values: Float32Array.of(3e38, -3e38) }];
    expect(finiteFailure(records, (index) => index)).toBeUndefined();
  });
});

describe('the logits of a device', () => {
  const reference = Float32Array.of(10, -2);
  const off = (share: number) => [{ first: 0, classes: 2, values: Float32Array.of(10 + 10 * share, -2) }];
  const float = { MatMulNBits: 0 };
  const half = (computedIn: 'float16' | 'float32'): Substitution => ({
    ...{ kind: 'float16-linears', linears: 3, computedIn },
  });

  it.each<[string, Record<string, number>, Substitution[], number, number]>([
    ['of float32 alone', float, [], 0.004, 0.006],
    ['of float16 weights in float32', float, [half('float32')], 0.004, 0.006],
    ['of float16', float, [half('float16')], 0.09, 0.11],
    ['with quantised kernels', { MatMulNBits: 3 }, [{ kind: 'weights-only', linears: 3 }], 0.09, 0.11],
    ['of an older version, in words', float, [{ kind: 'text', text: 'in float16' }], 0.09, 0.11],
  ])(
    '%s may lie as far from the CPU’s as that arithmetic explains',
    (_, kernels, substitutions, near, far) => {
      expect(agreementFailure({ kernels, substitutions }, off(near), reference)).toBeUndefined();
      expect(agreementFailure({ kernels, substitutions }, off(far), reference)).toMatchObject({
        ...{ kind: 'logits-differ', from: 'local-cpu', image: 0, logit: 0 },
      });
    },
  );

  it('tells every image that lies apart, with all that came of it', () => {
    const three = Float32Array.of(10, -2, 3, 4, NaN, 1);
    const found = agreementDifference(
      { kernels: float, substitutions: [] },
      [{ first: 0, classes: 2, values: three }],
      Float32Array.of(10, -2, 3, 5, 1, 1),
    );
    expect(found?.images).toBe(3);
    expect(found?.apart.map(({ image, logit }) => [image, logit])).toEqual([
      [1, 1],
      [2, 0],
    ]);
    expect(found?.apart[0].logits).toEqual(Float32Array.of(3, 4));
  });
});
