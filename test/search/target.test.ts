import { describe, expect, it } from 'vitest';
import { parseTarget, targetWords, type Target } from '../../src/search/target.js';
import { refusalOf } from '../support/refusal.js';

const none: Target = { latency: undefined, memory: undefined, accuracyLoss: undefined };

describe('a target', () => {
  it.each<[string, Target]>([
    ['latency=6x', { ...none, latency: { speed: 6 } }],
    ['latency=2.5×', { ...none, latency: { speed: 2.5 } }],
    ['latency=30ms', { ...none, latency: { milliseconds: 30 } }],
    ['latency=1.5s', { ...none, latency: { milliseconds: 1500 } }],
    ['memory=-75%', { ...none, memory: { share: 0.25 } }],
    ['memory=−75%', { ...none, memory: { share: 0.25 } }],
    ['memory=200MiB', { ...none, memory: { bytes: 200 * 1024 ** 2 } }],
    ['memory=1.5GiB', { ...none, memory: { bytes: 1.5 * 1024 ** 3 } }],
    ['accuracy-loss=0pt', { ...none, accuracyLoss: 0 }],
    [
      ' memory = -50% , accuracy-loss=0.5pt,latency=3x ',
      { latency: { speed: 3 }, memory: { share: 0.5 }, accuracyLoss: 0.5 },
    ],
  ])('"%s" is understood', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it.each<[string, string | undefined, RegExp]>([
    ['', undefined, /an empty goal/],
    ['latency', undefined, /^latency$/],
    ['latency=', 'latency', /^$/],
    ['latency=6', 'latency', /^6$/],
    ['latency=1x', 'latency', /1x/],
    ['latency=0ms', 'latency', /0ms/],
    ['latency=-5ms', 'latency', /-5ms/],
    ['memory=76%', 'memory', /76%/],
    ['memory=-100%', 'memory', /-100%/],
    ['memory=200', 'memory', /^200$/],
    ['accuracy-loss=0.5', 'accuracy-loss', /^0.5$/],
    ['accuracy-loss=0.5%', 'accuracy-loss', /0.5%/],
    ['speed=3x', undefined, /"speed"/],
    ['toString=3x', undefined, /"toString"/],
    ['latency=3x,latency=4x', 'latency', /twice/],
    ['latency=3x=4x', undefined, /3x=4x/],
    ['latency=3x,', undefined, /an empty goal/],
  ])('"%s" is refused, with its place', async (text, place, found) => {
    const fault = await refusalOf(() => parseTarget(text));
    expect(fault.source).toBe('--target');
    expect(fault.place).toBe(place);
    expect(fault.found).toMatch(found);
  });

  it('is said again in words, goal by goal', () => {
    expect(targetWords(parseTarget('latency=6x,memory=-76%,accuracy-loss=0.5pt'))).toEqual([
      '6× as fast as fp32',
      '76 % less peak memory than fp32',
      '0.5 points of accuracy lost',
    ]);
    expect(targetWords(parseTarget('latency=30ms,memory=1GiB'))).toEqual([
      '30 ms a batch',
      '1024 MiB of peak memory',
    ]);
  });
});

it.each(['latency=NNNx', 'latency=NNNs', 'latency=NNNms', 'memory=NNNGiB'])(
  '%s: digits without end',
  async (text) => {
    const fault = await refusalOf(() => parseTarget(text.replace('NNN', '9'.repeat(400))));
    expect(fault.source).toBe('--target');
  },
);
