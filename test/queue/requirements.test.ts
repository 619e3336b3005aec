import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRequirements, requirementsText } from '../../src/queue/requirements.js';
import { refusalOf } from '../support/refusal.js';

describe('requirements', () => {
  it('are labels, values and bounds, with sizes in bytes', () => {
    expect(readRequirements('vnni, memory>=8GiB,arch = arm64, cores<=4')).toEqual([
      { label: 'vnni', op: 'has', value: null },
      { label: 'memory', op: '>=', value: 8 * 2 ** 30 },
      { label: 'arch', op: 'is', value: 'arm64' },
      { label: 'cores', op: '<=', value: 4 },
    ]);
  });

  it('are read as they are written', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9_-]{0,10}$/);
    const requirement = fc.oneof(
      fc.record({ label, op: fc.constant('has'), value: fc.constant(null) }),
      fc.record({ label, op: fc.constant('is'), value: fc.stringMatching(/^[a-z0-9.-]{1,10}$/) }),
      fc.record({ label, op: fc.constantFrom('>=', '<='), value: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(requirement, { minLength: 1, maxLength: 5 }), (needs) => {
        const text = requirementsText(needs);
        expect(readRequirements(text)).toEqual(needs);
      }),
    );
  });

  it.each(['', 'vnni,', 'memory>=lots', '>=8', 'a b', 'memory>8GiB'])(
    'are refused where one is "%s"',
    async (text) => {
      const fault = await refusalOf(() => Promise.resolve().then(() => readRequirements(text)));
      expect([fault.source, fault.expected]).toEqual(['--needs', expect.stringMatching(/label|number/)]);
    },
  );
});
