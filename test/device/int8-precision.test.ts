import { describe, expect, it } from 'vitest';
import { int8Precision } from '../../src/device/int8-precision.js';
import { environment } from '../support/rows.js';

const of = (arch: string, features: readonly string[]): object =>
  int8Precision({
    ...environment,
    cpu: { ...environment.cpu, features: [...features] },
    os: { ...environment.os, arch },
  });

describe('INT8 products without saturation', () => {
  it.each(['x64', 'x86_64'])('are chosen on %s without VNNI', (arch) => {
    expect(of(arch, ['avx2', 'fma'])).toEqual({ x64QuantPrecision: true });
    expect(of(arch, ['avx2', 'avx512f', 'avx512bw'])).toEqual({ x64QuantPrecision: true });
  });

  it.each(['avx_vnni', 'avx512_vnni'])('are left to the runtime where there is %s', (feature) => {
    expect(of('x64', ['avx2', feature])).toEqual({});
  });

  it('are left to the runtime on other architectures', () => {
    expect(of('arm64', ['asimddp'])).toEqual({});
    expect(of('aarch64', [])).toEqual({});
  });
});
