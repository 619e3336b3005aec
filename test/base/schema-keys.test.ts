import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { describeFault } from '../../src/base/schema.js';
import { keysAt } from '../../src/base/schema-keys.js';

const schema = z.strictObject({
  seed: z.number().default(1),
  load: z
    .strictObject({ server: z.strictObject({ batches: z.array(z.number()), p99: z.number() }) })
    .optional(),
  models: z.array(z.union([z.strictObject({ path: z.string() }), z.strictObject({ hub: z.string() })])),
  stages: z.record(z.string(), z.strictObject({ ratio: z.number() })).prefault({}),
});

describe('keys of a schema', () => {
  test.each([
    [[], ['seed', 'load', 'models', 'stages']],
    [['load'], ['server']],
    [
      ['load', 'server'],
      ['batches', 'p99'],
    ],
    [
      ['models', 0],
      ['path', 'hub'],
    ],
    [['stages', 'prune'], ['ratio']],
    [['seed'], []],
    [['none', 'at', 'all'], []],
  ])('at %j are %j', (path, keys) => {
    expect(keysAt(schema, path)).toEqual(keys);
  });
});

describe('an unknown key', () => {
  const faultOf = (value: unknown): { found: string; expected: string; path: readonly PropertyKey[] } => {
    const { error } = schema.safeParse(value);
    if (error === undefined) throw new Error('it was taken');
    return describeFault(error, value, schema);
  };

  test('is refused with the nearest and with all that there are', () => {
    const { path, found, expected } = faultOf({ sead: 1, models: [] });
    expect(path).toEqual(['sead']);
    expect(found).toContain('"seed"');
    for (const key of ['seed', 'load', 'models', 'stages']) expect(expected).toContain(key);
  });

  test('is named before the key that it was meant to be, and that is missing now', () => {
    const { path, found } = faultOf({ load: { server: { batches: [1], p95: 10 } }, models: [] });
    expect(path).toEqual(['load', 'server', 'p95']);
    expect(found).toContain('"p99"');
  });
});
