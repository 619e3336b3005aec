import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { InputError, type InputFault } from '../../src/base/errors.js';
import { seededRandom } from '../../src/base/random.js';
import { checked, describeFault, faultAt, readYaml } from '../../src/base/schema.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const inFolder = useFolder();

const schema = z.strictObject({
  name: z.string(),
  seed: z.number().int().default(1),
  tier: z.enum(['rapid', 'quick']).optional(),
  ratio: z.number().gt(0).lt(1).optional(),
  batch: z.number().int().min(1).max(64).optional(),
  devices: z.array(z.string()).min(1).optional(),
  options: z.record(z.string(), z.unknown()).optional(),
  model: z
    .union([
      z.strictObject({ path: z.string(), name: z.string().optional() }),
      z.strictObject({ synthetic: z.enum(['vit-tiny', 'vit-huge']), size: z.number() }),
    ])
    .optional(),
  alpha: z.union([z.literal('search'), z.literal('off'), z.number().min(0).max(1)]).optional(),
  block: z.union([z.literal(16), z.literal(32)]).optional(),
  device: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('local'), threads: z.number() }),
      z.strictObject({ kind: z.literal('ssh'), host: z.string() }),
    ])
    .optional(),
  code: z
    .string()
    .regex(/^[a-z]+$/, 'small letters')
    .optional(),
});

async function written(text: string): Promise<string> {
  const path = inFolder('some.yaml');
  await writeFile(path, text);
  return path;
}

async function read(text: string): Promise<z.output<typeof schema>> {
  const file = await readYaml(await written(text), 'a thing');
  return checked(file, [], file.value, schema);
}

/** What is wrong with a text; its source begins with the file's path, which is left out. */
async function faultOf(text: string): Promise<InputFault> {
  const fault = await refusalOf(() => read(text));
  expect(fault.source.startsWith(inFolder('some.yaml'))).toBe(true);
  return { ...fault, source: fault.source.slice(inFolder('some.yaml').length) };
}

describe('readYaml', () => {
  test('gives the value, comments, anchors and all', async () => {
    const file = await readYaml(await written('# comment\na: &x [1, two]\nb: *x\n'), 'a thing');
    expect(file.value).toEqual({ a: [1, 'two'], b: [1, 'two'] });
  });

  test('knows the line of each value, and of what is around one that is not there', async () => {
    const file = await readYaml(await written('\na: 1\nb:\n  - x\n  - y: 2\n    z: 3\n'), 'a thing');
    expect(file.lineOf(['a'])).toBe(2);
    expect(file.lineOf(['b', 0])).toBe(4);
    expect(file.lineOf(['b', 1])).toBe(5);
    expect(file.lineOf(['b', 1, 'z'])).toBe(6);
    expect(file.lineOf(['b', 1, 'missing', 'deeper'])).toBe(5);
    expect(file.lineOf(['missing'])).toBe(2);
  });

  test('refuses a file that is not there, and a folder', async () => {
    const path = inFolder('missing.yaml');
    const missing = await refusalOf(() => readYaml(path, 'a suite'));
    expect(missing).toMatchObject({ source: path, expected: 'a suite' });
    expect(missing.found).toBe('no such file or folder');
    expect((await refusalOf(() => readYaml(inFolder(), 'a suite'))).found).toBe('a directory');
  });

  test.each([
    ['name: x\nseed: [1, 2\n', 'line 3, column 1'],
    ['name: x\n  seed: 2\n', 'line 1, column 7'],
    ['name: x\n\tseed: 2\n', 'line 2, column 1'],
    ['name: "x\n', 'line 2, column 1'],
    ['a: 1\n---\nb: 2\n', 'line 2, column 1'],
  ])('refuses %j and says where', async (text, place) => {
    const path = await written(text);
    const fault = await refusalOf(() => readYaml(path, 'a suite'));
    expect(fault).toMatchObject({ source: path, place, expected: 'a suite in YAML' });
    expect(fault.found).not.toBe('');
  });

  test.each([
    ['an anchor that is nowhere', 'a: *nowhere\n'],
    ['a value that holds itself', 'a: &a [1, *a]\n'],
    [
      'references that multiply without end',
      `a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: &c [${'*b,'.repeat(20)}]\nd: [${'*c,'.repeat(20)}]\n`,
    ],
  ])('refuses %s', async (_what, text) => {
    const path = await written(text);
    const fault = await refusalOf(() => readYaml(path, 'a suite'));
    expect(fault.source).toBe(path);
    expect(fault.expected).toContain('a suite in YAML');
    expect(fault.found).not.toContain('\n');
  });
});

describe('readYaml of a hostile file', () => {
  const times = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('');

  test.each([
    ['bytes', '262144', `a: "${'x'.repeat(300_000)}"`],
    ['keys', '20000 tokens', times(8_000, (i) => `k${i}: 1\n`)],
    ['keys in brackets', '20000 tokens', `{${times(8_000, (i) => `k${i}: 1, `)}}`],
    ['faults', '20000 tokens', '}'.repeat(100_000)],
    ['brackets', '100 deep', '['.repeat(5_000)],
    ['braces', '100 deep', '{a: '.repeat(5_000)],
    ['lists in lists', '100 deep', `${'- '.repeat(5_000)}a`],
    ['keys of keys', '100 deep', `${'? '.repeat(5_000)}a`],
    ['keys behind keys', '100 deep', `[a${': a'.repeat(4_000)}]`],
    ['indents', '100 deep', times(400, (i) => `${' '.repeat(i)}a:\n`)],
    [
      'aliases',
      '500 aliases',
      `${times(20, (i) => `a${i}: &a${i} x\n`)}${times(600, (i) => `k${i}: *a${i % 20}\n`)}`,
    ],
  ])('refuses too many %s', async (_what, found, text) => {
    const path = await written(text);
    const fault = await refusalOf(() => readYaml(path, 'a suite'));
    expect(fault.source).toBe(path);
    expect(fault.found).toContain(found);
  });

  test.each([
    ['a key that comes twice', 'name: x\nname: y\n', '"name"', 'line 2, column 1'],
    ['one further inside', 'a:\n  - { b: 1, c: 2, "b": 3 }\n', '"b"', 'line 2, column 19'],
    ['a number and a text that are one key', '1: x\n"1": y\n', '"1"', 'line 2, column 1'],
  ])('refuses %s', async (_what, text, key, place) => {
    const path = await written(text);
    const fault = await refusalOf(() => readYaml(path, 'a suite'));
    expect(fault).toMatchObject({ source: path, place });
    expect(fault.found).toContain(key);
  });

  test('names the line on which it is too much', async () => {
    const path = await written(`a: 1\nb: 2\nc: ${'['.repeat(200)}`);
    expect((await refusalOf(() => readYaml(path, 'a suite'))).place).toMatch(/^line 3, /);
  });

  test('takes what people write: hundreds of recipes, block texts with brackets, deep options', async () => {
    const text = [
      `list:\n${times(500, (i) => `  - name: r${i}\n    stages: [{ prune: { ratio: 0.5 } }]\n`)}`,
      `text: |\n${times(300, () => '  [ { : - ?\n')}`,
      `deep:\n${times(20, (i) => `${' '.repeat(2 * i + 2)}- a:\n`)}`,
    ].join('');
    const { value } = await readYaml(await written(text), 'a suite');
    expect((value as { list: unknown[] }).list).toHaveLength(500);
  });

  test('gives a value or a refusal for whatever it reads', async () => {
    const random = seededRandom(5);
    const parts = [
      '- ',
      '? ',
      ': ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      'a',
      '"',
      "'",
      '\n',
      '  ',
      '&a ',
      '*a',
      '!t ',
      '|',
      '#',
      '%',
    ];
    for (let turn = 0; turn < 60; turn++) {
      const few = Array.from({ length: 3 }, () => parts[random.integer(parts.length)]);
      const text = times(random.integer(2_000), () => few[random.integer(3)] ?? '');
      await readYaml(await written(text), 'a suite').catch((error: unknown) => {
        expect(error, JSON.stringify(text.slice(0, 60))).toBeInstanceOf(InputError);
      });
    }
  });
});

describe('describeFault', () => {
  test('names a value that is deeper than JSON can be written', () => {
    const value = JSON.parse(`{"name":${'['.repeat(50_000)}${']'.repeat(50_000)}}`) as unknown;
    const parsed = schema.safeParse(value);
    expect(parsed.success ? undefined : describeFault(parsed.error, value).found).toContain('too deep');
  });
});

describe('checked', () => {
  test('gives the value with its defaults', async () => {
    expect(await read('name: x\nratio: 0.5\n')).toEqual({ name: 'x', seed: 1, ratio: 0.5 });
  });

  test.each<[string, string, InputFault]>([
    [
      'an unknown key',
      'name: x\nsede: 2\n',
      {
        source: ':2',
        place: 'sede',
        found: 'the unknown key "sede" (did you mean "seed"?)',
        expected:
          'one of name, seed, tier, ratio, batch, devices, options, model, alpha, block, device, code',
      },
    ],
    [
      'a wrong type',
      'name: x\nseed: one\n',
      { source: ':2', place: 'seed', found: '"one"', expected: 'a number' },
    ],
    [
      'a fraction where a whole number belongs',
      'name: x\nseed: 1.5\n',
      { source: ':2', place: 'seed', found: '1.5', expected: 'an integer' },
    ],
    [
      'an infinite number',
      'name: x\nratio: .inf\n',
      { source: ':2', place: 'ratio', found: 'Infinity', expected: 'a number' },
    ],
    ['a missing key', 'seed: 2\n', { source: ':1', place: 'name', found: 'nothing', expected: 'a string' }],
    [
      'a word that is none of those allowed',
      'name: x\n\ntier: slow\n',
      { source: ':3', place: 'tier', found: '"slow"', expected: '"rapid" or "quick"' },
    ],
    [
      'a number at the open end of its range',
      'name: x\nratio: 1\n',
      { source: ':2', place: 'ratio', found: '1', expected: 'less than 1' },
    ],
    [
      'a number below an open range',
      'name: x\nratio: 0\n',
      { source: ':2', place: 'ratio', found: '0', expected: 'more than 0' },
    ],
    [
      'a number above a closed range',
      'name: x\nbatch: 65\n',
      { source: ':2', place: 'batch', found: '65', expected: 'at most 64' },
    ],
    [
      'a number below a closed range',
      'name: x\nbatch: 0\n',
      { source: ':2', place: 'batch', found: '0', expected: 'at least 1' },
    ],
    [
      'a list without an entry',
      'name: x\ndevices: []\n',
      { source: ':2', place: 'devices', found: '[]', expected: 'at least 1' },
    ],
    [
      'a wrong entry of a list',
      'name: x\ndevices:\n  - a\n  - 5\n',
      { source: ':4', place: 'devices.1', found: '5', expected: 'a string' },
    ],
    [
      'a list where keys belong',
      'name: x\noptions: [1]\n',
      {
        source: ':2',
        place: 'options',
        found: '[1]',
        expected: expect.stringMatching(/^an object/) as string,
      },
    ],
    [
      'a text that does not fit its pattern',
      'name: x\ncode: A1\n',
      { source: ':2', place: 'code', found: '"A1"', expected: 'small letters' },
    ],
    [
      'an empty file',
      '',
      {
        source: ':1',
        place: 'the whole file',
        found: 'no content',
        expected: expect.stringMatching(/^an object with name/) as string,
      },
    ],
    [
      'a text where a list belongs',
      'name: x\ndevices: a\n',
      { source: ':2', place: 'devices', found: '"a"', expected: 'a list' },
    ],
    [
      'a file of one word',
      'x\n',
      {
        source: ':1',
        place: 'the whole file',
        found: '"x"',
        expected: expect.stringMatching(/^an object with name/) as string,
      },
    ],
  ])('refuses %s', async (_what, text, fault) => {
    expect(await faultOf(text)).toEqual(fault);
  });

  describe('of a union', () => {
    test('speaks of the alternative that was meant', async () => {
      expect(await faultOf('name: x\nmodel:\n  synthetic: vit-foo\n  size: 32\n')).toMatchObject({
        source: ':3',
        place: 'model.synthetic',
        expected: '"vit-tiny" or "vit-huge"',
      });
      expect(await faultOf('name: x\nmodel:\n  synthetic: vit-tiny\n  size: big\n')).toMatchObject({
        source: ':4',
        place: 'model.size',
        found: '"big"',
      });
      expect(await faultOf('name: x\nmodel: { path: 5 }\n')).toMatchObject({
        place: 'model.path',
        found: '5',
      });
    });

    test('names a key that the alternative does not know', async () => {
      expect(await faultOf('name: x\nmodel:\n  synthetic: vit-tiny\n  size: 32\n  speed: 3\n')).toMatchObject(
        {
          source: ':5',
          place: 'model.speed',
          found: 'the unknown key "speed"',
        },
      );
    });

    test('lists the alternatives where the value is of no kind', async () => {
      expect(await faultOf('name: x\nalpha: serch\n')).toMatchObject({
        place: 'alpha',
        found: '"serch"',
        expected: '"search" or "off" or a number',
      });
      expect(await faultOf('name: x\nblock: 20\n')).toMatchObject({ found: '20', expected: '16 or 32' });
      expect(await faultOf('name: x\nmodel: 5\n')).toMatchObject({
        found: '5',
        expected: 'an object with path, name, synthetic, size',
      });
    });

    test('speaks of the range where the type is right', async () => {
      expect(await faultOf('name: x\nalpha: 1.5\n')).toMatchObject({ found: '1.5', expected: 'at most 1' });
    });

    test('lists the kinds that the word may name', async () => {
      expect(await faultOf('name: x\ndevice: { kind: usb }\n')).toMatchObject({
        place: 'device.kind',
        found: '"usb"',
        expected: '"local" or "ssh"',
      });
      expect(await faultOf('name: x\ndevice: { threads: 2 }\n')).toMatchObject({
        place: 'device.kind',
        found: 'nothing',
        expected: '"local" or "ssh"',
      });
    });
  });

  test('shortens what was found when it is long', async () => {
    const { found } = await faultOf(`name: x\nseed: ${'long '.repeat(100)}\n`);
    expect(found.length).toBeLessThanOrEqual(80);
    expect(found).toMatch(/^"long long .*…$/);
  });

  test('names the place of a part of a file from the top of the file', async () => {
    const file = await readYaml(await written('parts:\n  - name: x\n  - name: 5\n'), 'a thing');
    const part = (file.value as { parts: unknown[] }).parts[1];
    const fault = await refusalOf(() => checked(file, ['parts', 1], part, schema));
    expect(fault).toMatchObject({ source: `${file.path}:3`, place: 'parts.1.name', found: '5' });
  });
});

describe('faultAt', () => {
  test('names file, line and key in one message', async () => {
    const file = await readYaml(await written('a:\n  b: 1\n'), 'a thing');
    expect(faultAt(file, ['a', 'b'], 'one', 'two').message).toBe(
      `${file.path}:2: a.b: found one; expected two`,
    );
    expect(faultAt(file, [], 'one', 'two').message).toBe(
      `${file.path}:1: the whole file: found one; expected two`,
    );
  });
});
