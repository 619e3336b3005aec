import { describe, expect, it } from 'vitest';
import { kernelTimes } from '../../src/agent/kernels.js';

describe('kernel times', () => {
  it('are the sums by operator and provider, for one run, the longest first', () => {
    const call = (opType: string, milliseconds: number, provider = 'CPU') => ({
      ...{ node: `${opType}-${milliseconds}`, opType, provider, milliseconds },
    });
    const calls = [
      call('Add', 1),
      call('MatMul', 5),
      call('Add', 2),
      call('MatMul', 7),
      call('Add', 4, 'GPU'),
    ];
    expect(kernelTimes(calls, 2)).toEqual([
      { opType: 'MatMul', provider: 'CPU', calls: 1, milliseconds: 6 },
      { opType: 'Add', provider: 'GPU', calls: 0.5, milliseconds: 2 },
      { opType: 'Add', provider: 'CPU', calls: 1, milliseconds: 1.5 },
    ]);
  });
});
