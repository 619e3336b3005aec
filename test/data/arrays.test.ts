import { cp, readFile, writeFile } from 'node:fs/promises';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { imagesIn } from '../../src/data/arrays/contents.js';
import { NpyError, readNpy } from '../../src/data/arrays/npy.js';
import { channelsOfImages } from '../../src/data/dataset.js';
import { openDeclared } from '../../src/data/sets/open.js';
import { useFolderWithCache } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { npzOf } from './support/arrays.js';
import { declare, inSets, pythonRead, pythonReadSplits, read } from './support/oracle.js';

const own = useFolderWithCache();

describe('arrays of NumPy', () => {
  test('of both splits in one file, with names of the classes', async () => {
    const { labels, splits } = await read(inSets('arrays', 'both.npz'));
    expect(labels).toEqual(['ä', 'bee', 'c']);
    expect(splits).toEqual(pythonReadSplits('arrays/both.npz'));
  });

  test('as MedMNIST has them: grey, labels in a column, classes by their numbers', async () => {
    const { labels, splits } = await read(inSets('arrays', 'med.npz'));
    expect(labels).toEqual(['0', '1', '2']);
    expect(splits).toEqual(pythonReadSplits('arrays/med.npz'));
    expect((await refusalOf(() => read(inSets('arrays', 'med.npz'), { test: 'test' }))).place).toBe('splits');
    expect((await read(inSets('arrays', 'med.npz'), { test: 'val' })).splits).toEqual(splits);
  });

  test('in a file for each split', async () => {
    expect((await read(inSets('arrays', 'files'))).splits).toEqual(pythonReadSplits('arrays/both.npz'));
  });

  test.each(['apart', 'columns', 'big-endian', 'texts', 'bytes', 'stored'])(
    'of one split: %s',
    async (name) => {
      const { splits } = await read(inSets('arrays', `${name}.npz`), { holdout: 0.5 });
      expect(splits['all']).toEqual(pythonRead('arrays/forms'));
    },
  );

  test('of other names, where a user says which', async () => {
    const path = inSets('arrays', 'other-names.npz');
    const said = { holdout: 0.5, image: 'pictures', label: 'kinds' };
    expect((await read(path, said)).splits['all']).toEqual(pythonRead('arrays/forms'));
    expect(await refusalOf(() => read(path, { holdout: 0.5 }))).toMatchObject({
      source: path,
      place: 'arrays',
    });
    expect((await refusalOf(() => read(path, { ...said, label: 'kind' }))).found).toContain('"kinds"');
  });

  test('may have names of classes beyond ASCII, in bytes of UTF-8 as well', () => {
    const wide = Uint32Array.from('käse\0wurst', (character) => character.codePointAt(0) ?? 0);
    expect(readNpy(namesOf('<U5', Buffer.from(wide.buffer))).values).toEqual(['käse', 'wurst']);
    expect(readNpy(namesOf('|S6', Buffer.from('käse\0wurst\0'))).values).toEqual(['käse', 'wurst']);
    expect(() => readNpy(namesOf('|S6', Buffer.from('käse\0\0wurst\0', 'latin1')))).toThrow('UTF-8');
  });

  test.each<[dims: readonly number[], found: readonly [number, number, number, string]]>([
    [
      [5, 9, 11, 4],
      [9, 11, 4, 'together'],
    ],
    [
      [5, 13, 64, 32],
      [64, 32, 13, 'apart'],
    ],
    [
      [5, 2, 3, 3],
      [2, 3, 3, 'together'],
    ],
    [
      [5, 1, 9, 4],
      [9, 4, 1, 'apart'],
    ],
  ])(
    'of the shape %j have the height, the width and the channels %j',
    (dims, [height, width, channels, order]) => {
      const values = new Uint8Array(dims.reduce((product, dim) => product * dim, 1));
      const { pixels, ...shape } = imagesIn({ dims, type: 'u1', values });
      expect(shape).toEqual({ count: 5, height, width, channels, order });
      expect(pixels).toHaveLength(values.length);
    },
  );

  test.each([[[5, 4, 4, 4]], [[5, 9, 9, 9]], [[5, 600, 601, 602]], [[5, 4, 8, 4]]])(
    'of the shape %j may be read in two ways, or in none',
    (dims) => {
      const values = new Uint8Array(0);
      expect(() => imagesIn({ dims, type: 'u1', values })).toThrow(NpyError);
    },
  );

  test('are opened as a data set', async () => {
    const { train, test: scored } = await openDeclared(declare(inSets('arrays', 'both.npz')));
    expect([train.count, scored.count]).toEqual([4, 3]);
    expect([...scored.classes].sort()).toEqual([0, 1, 2]);
    expect(channelsOfImages(train)).toBe(3);
  });

  test('have as many channels in both splits', async () => {
    const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 89) % 251);
    const write = (channels: number): Promise<void> =>
      writeFile(
        own('bands.npz'),
        npzOf({
          x_train: { dims: [2, 5, 8, 9], values: noise(720) },
          y_train: { dims: [2], values: Uint8Array.of(0, 1) },
          x_test: { dims: [2, 8, 9, channels], values: noise(144 * channels).reverse() },
          y_test: { dims: [2], values: Uint8Array.of(1, 0) },
        }),
      );
    await write(5);
    const { train, test: scored } = await openDeclared(declare(own('bands.npz')));
    expect([train, scored].map(channelsOfImages)).toEqual([5, 5]);
    await write(4);
    expect(await refusalOf(() => openDeclared(declare(own('bands.npz'))))).toMatchObject({
      ...{ source: own('bands.npz'), place: 'x_test[1]', found: 'an image of 4 channels' },
    });
  });
});

describe('arrays are refused in one message with the place', () => {
  test.each([
    ['objects', 'array images', 'objects of Python'],
    ['floats', 'array images', 'floats (f8)'],
    ['float-labels', 'array labels', 'f4'],
    ['too-large', 'array images', 'the value'],
    ['ambiguous', 'array images', '(4, 3, 5, 3)'],
    ['flat', 'array images', '(4, 297)'],
    ['fewer-labels', 'array labels', '3 labels'],
    ['one-hot', 'array labels', '(4, 3)'],
    ['no-labels', 'arrays', 'without its labels'],
    ['neither', 'arrays', 'a, b'],
    ['negative', 'images[0]', 'label -1'],
    ['empty', 'array images', '(0, 9, 11, 3)'],
    ['records', 'array images', 'records'],
    ['same-names', 'names of the classes', '"a" twice'],
  ])('%s', async (name, place, found) => {
    const path = inSets('bad', `${name}.npz`);
    const fault = await refusalOf(() => read(path, { holdout: 0.5 }));
    expect(fault.source).toBe(path);
    expect(fault.place).toContain(place);
    expect(fault.found).toContain(found);
  });

  test('truncated', async () => {
    const path = own('a.npz');
    const whole = await readFile(inSets('arrays', 'both.npz'));
    for (const length of [0, 10, whole.length - 30]) {
      await writeFile(path, whole.subarray(0, length));
      expect(await refusalOf(() => read(path))).toMatchObject({ source: path, place: 'the archive' });
    }
  });

  test('with more than fits into memory, whatever it says of its size', async () => {
    const path = own('bomb.npz');
    for (const said of [2 ** 32 - 2, 1000]) {
      await writeFile(path, bombOf(said));
      const before = process.memoryUsage().rss;
      const { source, place } = await refusalOf(() => read(path, { holdout: 0.5 }));
      expect([source, place]).toEqual([path, said > 1000 ? 'images.npy' : 'the archive']);
      expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
    }
  });

  test('in a folder, one split alone', async () => {
    await cp(inSets('arrays', 'files', 'train.npz'), own('train.npz'));
    expect(await refusalOf(() => read(own()))).toMatchObject({ source: own(), place: 'splits' });
  });
});

/** An array of two texts, as NumPy stores it. */
function namesOf(type: string, texts: Buffer): Buffer {
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (2,), }`;
  const begin = Buffer.from([...Buffer.from('\x93NUMPY', 'latin1'), 1, 0, header.length, 0]);
  return Buffer.concat([begin, Buffer.from(header), texts]);
}

/** An archive of labels and of 300 MB of zeros, compressed, that says that they are so many bytes. */
function bombOf(said: number): Buffer {
  const zeros = deflateRawSync(Buffer.alloc(300 * 2 ** 20), { level: 1 });
  const files = ['images.npy', 'labels.npy'].map((name) => ({ name, local: 0 }));
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const { name } of files) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(zeros.length, 14);
    fields.writeUInt32LE(said, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), zeros]);
    const record = Buffer.concat([
      Buffer.from('PK\x01\x02\x14\x00', 'latin1'),
      fields,
      Buffer.alloc(10),
      Buffer.from(Uint32Array.of(at).buffer),
      Buffer.from(name),
    ]);
    parts.push(local);
    central.push(record);
    at += local.length;
  }
  const list = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}
