import fc from 'fast-check';
import { damagedBytes } from './bytes.js';

/** Names that objects have without being given them, or that paths go astray with. */
export const awkwardNames = [
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length', '', ' ', '0', '-1'],
  ...['../../x', '/etc/passwd', '\u0000', '\ud800', '\u001b[31m', 'ü', 'x'.repeat(5000)],
];

/** Numbers that sizes and counts go wrong at. */
export const awkwardNumbers = [
  ...[0, -0, -1, 1, 2, 0.5, 3, 1e-320, 255, 256, 65_536, 5e7, 1e9, 1e10],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 1e21, 1e308, -1e308],
];

/** Stands in a value for text that `JSON.stringify` could not write: so many brackets in each other, so many entries. */
const DEEP = '\u0001deep:';
const WIDE = '\u0001wide:';

/** Any value, most of them awkward. */
const awkwardValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...awkwardNumbers) },
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...awkwardNames) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { '': {} }) },
  { weight: 2, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 60_000 }).map((depth) => `${DEEP}${depth}`) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 60_000 }).map((count) => `${WIDE}${count}`) },
);

interface Edit {
  readonly kind: 'replace' | 'remove' | 'add' | 'rename' | 'copy';
  readonly at: number;
  readonly from: number;
  readonly key: string;
  readonly value: unknown;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom('replace', 'remove', 'add', 'rename', 'copy'),
  at: fc.nat(1_000_000),
  from: fc.nat(1_000_000),
  key: fc.oneof(fc.constantFrom(...awkwardNames), fc.string({ maxLength: 8 })),
  value: awkwardValue,
});

type Container = Record<string, unknown>;

/** All places in a value, the value itself included, by what holds them. */
function places(root: { readonly value: unknown }): [Container, string][] {
  const found: [Container, string][] = [];
  const walk = (holder: Container, key: string): void => {
    found.push([holder, key]);
    const value = holder[key];
    if (value !== null && typeof value === 'object')
      for (const inner of Object.keys(value)) walk(value as Container, inner);
  };
  walk(root, 'value');
  return found;
}

/** Sets what assignment could not: a key called `__proto__`. */
function put(holder: Container, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function apply(root: { value: unknown }, { kind, at, from, key, value: drawn }: Edit): void {
  // A copy of its own: one that is drawn twice could be put into itself.
  const value = structuredClone(drawn);
  const all = places(root);
  const [holder, name] = all[at % all.length]!;
  const here = holder[name];
  const other = all[from % all.length]!;
  const inside = here !== null && typeof here === 'object' ? (here as Container) : undefined;
  if (kind === 'replace') put(holder, name, value);
  else if (kind === 'copy') put(holder, name, structuredClone(other[0][other[1]]));
  else if (kind === 'add' && Array.isArray(inside)) inside.push(value);
  else if (kind === 'add' && inside !== undefined) put(inside, key, value);
  else if (holder === root) root.value = value;
  else if (Array.isArray(holder)) holder.splice(Number(name), 1);
  else if (kind === 'add') put(holder, key, value);
  else {
    Reflect.deleteProperty(holder, name);
    if (kind === 'rename') put(holder, key, here);
  }
}

/**
 * Valid values with up to five faults of structure.
 *
 * @param seeds - what is valid
 */
export function damagedValue(...seeds: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 5 })).map(([seed, edits]) => {
    const root = { value: structuredClone(seed) };
    for (const each of edits) apply(root, each);
    return root.value;
  });
}

/**
 * The text of a value in which places may be far deeper or wider than a value could be.
 *
 * @param value - what `damagedValue` gave
 */
export function textOf(value: unknown): string {
  return JSON.stringify(value)
    .replace(/"\\u0001deep:(\d+)"/g, (_, depth) => `${'['.repeat(Number(depth))}${']'.repeat(Number(depth))}`)
    .replace(/"\\u0001wide:(\d+)"/g, (_, count) => `[${'0,'.repeat(Number(count))}0]`);
}

/**
 * Valid JSON with faults of structure, or of its text.
 *
 * @param seeds - what is valid
 */
export function damagedJson(...seeds: readonly unknown[]): fc.Arbitrary<Buffer> {
  const texts = seeds.map((seed) => Buffer.from(JSON.stringify(seed)));
  return fc.oneof(
    { weight: 5, arbitrary: damagedValue(...seeds).map((value) => Buffer.from(textOf(value))) },
    { weight: 1, arbitrary: damagedBytes(...texts) },
  );
}
