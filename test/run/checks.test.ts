import { describe, expect, it } from 'vitest';
import type { KernelTime } from '../../src/protocol/kernels.js';
import { kernelFault, outputFault } from '../../src/run/checks.js';

const CPU = 'CPUExecutionProvider';

function kernel(opType: string, calls: number, provider = CPU): KernelTime {
  return { opType, provider, calls, milliseconds: 1 };
}

/** An artifact with three linears in INT8 and none in blocks. */
const int8 = { kernels: { MatMulIntegerToFloat: 3, MatMulNBits: 0, DynamicQuantizeMatMul: 0 } };

describe('the kernels of a variant', () => {
  it('are right when as many ran as the model has, in each part of the batch', () => {
    const ran = [kernel('MatMulIntegerToFloat', 3), kernel('Softmax', 2)];
    expect(kernelFault(int8, ran, 1, CPU)).toBeUndefined();
    expect(kernelFault(int8, [kernel('MatMulIntegerToFloat', 6)], 2, CPU)).toBeUndefined();
  });

  it.each([
    ['none of them ran', [kernel('MatMul', 3)], 1, 'MatMulIntegerToFloat ran 0 times', 'has 3'],
    ['one ran in float', [kernel('MatMulIntegerToFloat', 2), kernel('MatMul', 1)], 1, 'ran 2 times', 'has 3'],
    [
      'only one part of the batch ran in them',
      [kernel('MatMulIntegerToFloat', 3)],
      2,
      'ran 3 times',
      'has 6',
    ],
    [
      'others than the model has ran as well',
      [kernel('MatMulIntegerToFloat', 3), kernel('MatMulNBits', 1)],
      1,
      'MatMulNBits ran 1 times',
      'has 0',
    ],
  ])('are wrong when %s', (_, ran, parts, found, expected) => {
    const fault = kernelFault(int8, ran, parts, CPU);
    expect(fault).toContain(found);
    expect(fault).toContain(expected);
  });

  it('are wrong when one ran elsewhere, whatever it is', () => {
    const ran = [kernel('MatMulIntegerToFloat', 3), kernel('Cast', 1, 'WebGpuExecutionProvider')];
    expect(kernelFault(int8, ran, 1, CPU)).toBe(`Cast ran on WebGpuExecutionProvider instead of ${CPU}`);
  });
});

describe('the outputs of a timed pass', () => {
  /** Of test images 0, 1 and 2. */
  const accuracy = Float32Array.of(1, -2, 10, 20, 0.5, 0.25);
  const indices = [2, 0, 1, 2];
  const timed = (...values: number[]) => [
    { first: 0, classes: 2, values: Float32Array.from(values.slice(0, 4)) },
    { first: 2, classes: 2, values: Float32Array.from(values.slice(4)) },
  ];

  it('are right when they are those of the accuracy pass, image by image', () => {
    expect(outputFault(int8, timed(0.5, 0.25, 1, -2, 10, 20, 0.5, 0.25), indices, accuracy)).toBeUndefined();
  });

  it('are right when they differ in their last bits', () => {
    expect(
      outputFault(int8, timed(0.501, 0.249, 1, -2.01, 10.1, 20, 0.5, 0.25), indices, accuracy),
    ).toBeUndefined();
  });

  it('may be further off where other images in the batch change them, but not those of another', () => {
    const dynamic = { kernels: { DynamicQuantizeMatMul: 3, MatMulNBits: 0 } };
    const [near, far] = [
      timed(0.59, 0.25, 1.3, -2, 10, 17, 0.5, 0.27),
      timed(1, -2, 0.5, 0.25, 10, 20, 0.5, 0.25),
    ];
    expect(outputFault(int8, near, indices, accuracy)).toContain('logit 0 of test image 2');
    expect(outputFault(dynamic, near, indices, accuracy)).toBeUndefined();
    expect(outputFault(dynamic, far, indices, accuracy)).toContain('logit 0 of test image 2 is 1');
  });

  it.each([
    ['another value', timed(0.5, 0.25, 1, -2, 10, 19, 0.5, 0.25), 'logit 1 of test image 1 is 19'],
    [
      'the images in another order',
      timed(1, -2, 0.5, 0.25, 10, 20, 0.5, 0.25),
      'logit 0 of test image 2 is 1',
    ],
    ['no number', timed(0.5, 0.25, 1, -2, 10, 20, NaN, 0.25), 'logit 0 of test image 2 is NaN'],
    ['an infinity', timed(0.5, 0.25, Infinity, -2, 10, 20, 0.5, 0.25), 'logit 0 of test image 0 is Infinity'],
  ])('are wrong with %s', (_, outputs, words) => {
    expect(outputFault(int8, outputs, indices, accuracy)).toContain(words);
  });

  it('are wrong when the accuracy pass has no such image', () => {
    expect(outputFault(int8, timed(0.5, 0.25, 1, -2), [2, 0], accuracy.subarray(0, 4))).toContain(
      'test image 2',
    );
  });
});
