import { describe, expect, it } from 'vitest';
import { kernelTimes } from '../../src/protocol/kernels.js';

describe('kernel times', () => {
  it('are the sums of the median times by operator and provider, the longest first', () => {
    const node = (opType: string, calls: number, milliseconds: number[], provider = 'CPU') => ({
      ...{ node: `${opType} ${calls}`, opType, provider, calls, milliseconds },
    });
    const nodes = [
      node('Add', 1, [1, 90, 2]),
      node('MatMul', 1, [5, 5, 5]),
      node('Add', 2, [0.5, 0.25, 0.5]),
      node('Add', 1, [4], 'GPU'),
    ];
    expect(kernelTimes(nodes)).toEqual([
      { opType: 'MatMul', provider: 'CPU', calls: 1, milliseconds: 5 },
      { opType: 'Add', provider: 'GPU', calls: 1, milliseconds: 4 },
      { opType: 'Add', provider: 'CPU', calls: 3, milliseconds: 2.5 },
    ]);
  });

  it('go by the time of a GPU where there is one', () => {
    const node = (opType: string, milliseconds: number, gpu: number) => ({
      ...{ node: opType, opType, provider: 'GPU', calls: 1 },
      ...{ milliseconds: [milliseconds], gpuMilliseconds: [gpu] },
    });
    expect(kernelTimes([node('Add', 9, 1), node('MatMul', 1, 3)])).toMatchObject([
      { opType: 'MatMul', gpuMilliseconds: 3 },
      { opType: 'Add', gpuMilliseconds: 1 },
    ]);
  });
});
