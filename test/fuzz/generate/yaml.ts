import fc from 'fast-check';
import { parse } from 'yaml';
import { damagedBytes } from './bytes.js';
import { damagedJson } from './json.js';

/** What YAML has and JSON has not. */
const lines = [
  ...['&a', '*a', '<<: *a', '<<: {}', '? {}', '? [a, b]\n: c', '!!binary abc', '!!set {a}', '!<tag:x> y'],
  ...[
    '---',
    '...',
    '%YAML 1.1',
    '%TAG ! tag:x,2000:',
    '|',
    '>-',
    '\t',
    '- - - -',
    'a: &a [*a, *a]',
    '"\\x',
    "'",
  ],
  ...[
    '!!timestamp 2001-01-01',
    '!!omap [a: 1]',
    '.inf',
    '.nan',
    '~',
    '0o17',
    '1e999',
    '{a: 1, a: 2}',
    '[',
    '{',
  ],
  ...['a: &a {b: &b [1, 1]}\nc: &c [*b, *b]\nd: [*c, *c]', '!!js/function x', '__proto__: 1', '!!str', '? '],
];

/** References that each stand for ten of the one before. */
const laughs = fc.integer({ min: 1, max: 12 }).map((levels) => {
  const level = (index: number): string =>
    `a${index}: &a${index} [${Array<string>(10)
      .fill(index === 0 ? '1' : `*a${index - 1}`)
      .join(', ')}]`;
  return Array.from({ length: levels }, (_, index) => level(index)).join('\n');
});

/** More of one thing than anybody writes. */
const many = fc
  .tuple(
    fc.constantFrom(
      'key',
      'flow key',
      'item',
      'depth',
      'flow depth',
      'anchor',
      'document',
      'space',
      'comment',
    ),
    fc.integer({ min: 100, max: 30_000 }),
  )
  .map(([what, count]) => {
    const each = (line: (index: number) => string): string =>
      Array.from({ length: count }, (_, index) => line(index)).join('');
    switch (what) {
      case 'key':
        return each((index) => `k${index}: 1\n`);
      case 'flow key':
        return `{${each((index) => `k${index}: 1, `)}}`;
      case 'item':
        return each(() => '- 1\n');
      case 'depth':
        return each(() => '- ');
      case 'flow depth':
        return `${'['.repeat(count)}${']'.repeat(count)}`;
      case 'anchor':
        return each((index) => `- &a${index} 1\n- *a${index}\n`);
      case 'document':
        return each(() => '---\na\n');
      case 'space':
        return `a:${' '.repeat(count)}\n${'\n'.repeat(count)}b`;
      default:
        return '# c\n'.repeat(count);
    }
  });

/**
 * Valid YAML with faults of structure, of its text, or with what YAML has besides.
 *
 * @param seeds - what is valid
 */
export function damagedYaml(...seeds: readonly string[]): fc.Arbitrary<Buffer> {
  const strange = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(
        fc.tuple(fc.nat(1000), fc.oneof(fc.constantFrom(...lines), laughs), fc.constantFrom('line', 'value')),
        { minLength: 1, maxLength: 4 },
      ),
    )
    .map(([seed, inserts]) => {
      const text = seed.split('\n');
      for (const [at, line, kind] of inserts) {
        const place = at % text.length;
        if (kind === 'line') text.splice(place, 0, line);
        else text[place] = `${text[place]!.split(':')[0]!}: ${line}`;
      }
      return Buffer.from(text.join('\n'));
    });
  return fc.oneof(
    { weight: 12, arbitrary: damagedJson(...seeds.map((seed): unknown => parse(seed))) },
    { weight: 10, arbitrary: strange },
    { weight: 5, arbitrary: damagedBytes(...seeds.map((seed) => Buffer.from(seed))) },
    { weight: 1, arbitrary: many.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: laughs.map((text) => Buffer.from(text)) },
  );
}
