import { describe, expect, it } from 'vitest';
import { readBytes, readDuration, readPoints, readShare, readWhole } from '../../src/base/quantities.js';

describe('quantities as users write them', () => {
  it('are read to the last bit', () => {
    expect(['1%', '2 %', '0.02', '.5', '300%', '0'].map(readShare)).toEqual([0.01, 0.02, 0.02, 0.5, 3, 0]);
    expect(['0.3pt', '0.3 pp', '100pt'].map(readPoints)).toEqual([0.003, 0.003, 1]);
    expect(['200MiB', '1.5 GB', '8gib', '1KiB'].map((text) => readBytes(text))).toEqual([
      200 * 2 ** 20,
      1.5e9,
      8 * 2 ** 30,
      1024,
    ]);
    expect([readBytes('500', true), readBytes('0', true)]).toEqual([500, 0]);
    expect(['30ms', '1.5s', '5min', '36h', '90d', '12w'].map(readDuration)).toEqual([
      30,
      1500,
      300_000,
      36 * 3.6e6,
      90 * 24 * 3.6e6,
      12 * 7 * 24 * 3.6e6,
    ]);
    expect(['0', '20', '999999999'].map(readWhole)).toEqual([0, 20, 999_999_999]);
  });

  it('are refused where they are none, or could be two things', () => {
    const long = '9'.repeat(400);
    for (const text of ['', '2', '1', '-1%', '2%%', 'two', `${long}%`])
      expect(readShare(text)).toBeUndefined();
    for (const text of ['', '2', '2%', '-1pt', `${long}pt`]) expect(readPoints(text)).toBeUndefined();
    for (const text of ['', '200', '200XB', '-1MiB', 'MiB', `${long}B`])
      expect(readBytes(text)).toBeUndefined();
    for (const text of ['', '5', '5m', '1h30', '-1s', `${long}w`]) expect(readDuration(text)).toBeUndefined();
    for (const text of ['', '1.5', '1e3', '-1', '1000000000']) expect(readWhole(text)).toBeUndefined();
  });
});
