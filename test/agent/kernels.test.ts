import { describe, expect, it } from 'vitest';
import { nodeTimes } from '../../src/agent/kernels.js';

const call = (node: string, milliseconds: number, provider = 'CPU') => ({
  ...{ node, opType: 'Add', provider, milliseconds },
});

describe('node times', () => {
  it('are the sums by node in each query but the first, in the order of the calls', () => {
    const calls = [
      ...[call('b', 100), call('a', 50), call('b', 101)],
      ...[call('b', 1), call('a', 4), call('b', 2)],
      ...[call('b', 3), call('a', 5), call('b', 7)],
    ];
    expect(nodeTimes(calls, 3)).toEqual([
      { node: 'b', opType: 'Add', provider: 'CPU', calls: 2, milliseconds: [3, 10] },
      { node: 'a', opType: 'Add', provider: 'CPU', calls: 1, milliseconds: [4, 5] },
    ]);
  });

  it('keep the time of a GPU where there is one', () => {
    const onGpu = (milliseconds: number, gpuMilliseconds: number) => ({
      ...call('a', milliseconds),
      gpuMilliseconds,
    });
    expect(nodeTimes([onGpu(9, 9), onGpu(1, 5)], 2)).toMatchObject([
      { milliseconds: [1], gpuMilliseconds: [5] },
    ]);
  });

  it('are refused when a node does not run in every query', () => {
    expect(() => nodeTimes([call('a', 1), call('a', 1), call('a', 1)], 2)).toThrow(
      'the runtime ran a 3 times in 2 queries',
    );
  });
});
