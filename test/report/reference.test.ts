import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { optionsIn, suiteReference } from '../../src/report/reference.js';
import { suiteSchema } from '../../src/suite/schema.js';

describe('the reference of suites and recipes', () => {
  it('in docs/ is what is written from the schemas: npm run docs', () => {
    // Prettier has put the columns of the file in line.
    const flat = (text: string): string =>
      text
        .replace(/-{3,}/g, '---')
        .replace(/[ \t]+/g, ' ')
        .trim();
    const file = readFileSync(join(packageRoot(), 'docs', 'reference', 'suites.md'), 'utf8');
    expect(flat(file)).toBe(flat(suiteReference()));
  });

  it('has a word on every field, also of those in lists and in alternatives', () => {
    const options = optionsIn(suiteSchema);
    expect(options.filter(({ description }) => description === '').map(({ name }) => name)).toEqual([]);
    const names = options.map(({ name }) => name);
    for (const name of [
      'models[].synthetic',
      'recipes[].published.rows[].batch',
      'head.neighbours',
      'load.server.p99',
    ])
      expect(names).toContain(name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('an option', () => {
  const schema = z.strictObject({
    bound: z.number().positive().max(9).default(3).describe('A bound.').meta({ unit: 'ms' }),
    sizes: z.array(z.number().int()).optional().meta({ description: 'Sizes.', unit: 'images' }),
    either: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('a'), left: z.string() }),
      z.strictObject({ kind: z.literal('b'), right: z.string() }),
    ]),
    list: z.array(z.strictObject({ name: z.string() })).min(1),
    pair: z.tuple([z.number(), z.number()]),
    names: z.record(z.string(), z.number()),
  });

  it('is told with its range, its unit, its default, and whether it must be given', () => {
    const all = new Map(optionsIn(schema).map(({ name, ...option }) => [name, option]));
    expect(all.get('bound')).toEqual({
      ...{ type: 'number > 0 and ≤ 9', unit: 'ms', fallback: '3', required: false, description: 'A bound.' },
    });
    expect(all.get('sizes')).toMatchObject({ type: 'list of integer', unit: 'images', required: false });
    expect(all.get('list[].name')).toMatchObject({ required: true });
    // Each of them only beside its own kind.
    expect(all.get('either.left')).toMatchObject({ required: false });
    expect(all.get('either.right')).toMatchObject({ required: false });
    expect([all.get('pair')?.type, all.get('names')?.type]).toEqual(['list of number', 'a map']);
  });
});
