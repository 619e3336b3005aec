import { describe, expect, it } from 'vitest';
import { stageFacts } from '../../src/compress/facts.js';
import { findStage } from '../../src/compress/registry.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { localProfile } from '../../src/device/local/kind.js';
import type { ArtifactFacts, KeptStage } from '../../src/run/artifacts/artifact.js';
import { exactHere, maySaturate, sessionOf } from '../../src/run/exact-products.js';
import { defaultSessionOptions } from '../../src/runtime/engine.js';

type Facts = Pick<ArtifactFacts, 'kernels' | 'stages' | 'raw'>;

/** A stage `quantize` as it reports itself. */
function quantized(options: object): KeptStage {
  const parsed = quantizeOptionsSchema.parse(options);
  const report = { format: parsed.format, images: 1, linears: [], kept: [], returned: [] };
  const facts = findStage('quantize')?.summarise(report, parsed) ?? stageFacts({ headline: [] });
  return {
    ...{ stage: 'quantize', version: 1, options: parsed, facts, report, seconds: 1 },
    ...{ parameters: 1, constantBytes: 1 },
  };
}
const int8 = { MatMulIntegerToFloat: 72 };
const raw = {
  ...{ output: 'logits', classes: 10, batch: null, freeAxes: [], exact: false, rangeOfBatch: false },
};

const cases: readonly (readonly [string, Facts, boolean])[] = [
  ['a float model', { kernels: {}, stages: [] }, false],
  ['weights alone in 8 bits', { kernels: { MatMulNBits: 72 }, stages: [quantized({ format: 'w8' })] }, false],
  ['INT8 in bounded pairs', { kernels: int8, stages: [quantized({})] }, false],
  ['INT8 as it comes', { kernels: int8, stages: [quantized({ boundPairs: false })] }, true],
  [
    'INT8 as it comes for some linears, in bounded pairs for the others',
    { kernels: int8, stages: [quantized({ boundPairs: false, keep: ['layers.0.*'] }), quantized({})] },
    true,
  ],
  [
    'INT8 in bounded pairs by two stages',
    { kernels: int8, stages: [quantized({ keep: ['layers.0.*'] }), quantized({})] },
    false,
  ],
  ['INT8 of a stage that says nothing of pairs', { kernels: int8, stages: [] }, true],
  ['a file with INT8', { kernels: {}, stages: [], raw: { ...raw, integer: true } }, true],
  ['a file of floats', { kernels: {}, stages: [], raw: { ...raw, integer: false } }, false],
];

describe('INT8 products', () => {
  const precise = { ...defaultSessionOptions, threads: 1, x64QuantPrecision: true };
  const without = { ...defaultSessionOptions, threads: 1 };

  it.each(cases)('of %s: %#', (_, artifact, may) => {
    expect(maySaturate(artifact)).toBe(may);
    expect(exactHere(artifact)).toEqual(may ? { x64QuantPrecision: true } : {});
    const device = { profile: localProfile({ name: 'here' }), session: precise };
    expect(sessionOf(device, artifact)).toEqual(may ? precise : without);
    expect(sessionOf({ ...device, session: without }, artifact)).toEqual(without);
  });

  it.each([true, false])('are made as the profile says where it does: %s', (x64QuantPrecision) => {
    const profile = localProfile({ name: 'here', session: { x64QuantPrecision } });
    const session = { ...defaultSessionOptions, threads: 1, x64QuantPrecision };
    for (const [, artifact] of cases) expect(sessionOf({ profile, session }, artifact)).toEqual(session);
  });
});
