import { expect, it } from 'vitest';
import { optional } from '../../src/base/optional.js';
import { refusalOf } from '../support/refusal.js';

const part = { packages: ['a', '@b/c'], source: 'the dashboard', what: 'what serves it' };

it('an optional part that is there is given as it is', async () => {
  expect((await optional(part, () => import('node:path'))).sep).toBeTypeOf('string');
});

it('one that is missing is refused with its packages, what needs it and what to do', async () => {
  const missing = 'edgeflex-has-no-such-package';
  const { source, found, hint } = await refusalOf(() => optional(part, () => import(missing)));
  expect(source).toBe('the dashboard');
  for (const fact of ['"a", "@b/c"', missing]) expect(found).toContain(fact);
  expect(hint).toContain('--include=optional a @b/c');
});
