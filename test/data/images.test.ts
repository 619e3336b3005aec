import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { square } from '../../src/base/size.js';
import { fromCmyk } from '../../src/data/images/convert.js';
import { decodeImage } from '../../src/data/images/decode.js';
import { ImageError } from '../../src/data/images/error.js';
import { SIGNATURE_BYTES, signatureOf, twins } from '../../src/data/images/perceptual.js';
import type { Picture } from '../../src/data/images/picture.js';
import { resized, resizedAndCut } from '../../src/data/images/resize.js';
import { ShapeError, type Resizing } from '../../src/data/resizing.js';
import type { Interpolation } from '../../src/data/resample.js';
import { arraysIn } from './support/arrays.js';

const fixtures = join(packageRoot(), 'test', 'data', 'fixtures', 'images');
/** Pixels that Pillow 13 gives: make.py made them. */
const expected = await arraysIn(join(fixtures, 'expected.npz'));
const inFolder = await arraysIn(join(fixtures, 'folder', 'expected.npz'));

const decoded = async (path: string, exif = false): Promise<Picture> =>
  decodeImage(await readFile(join(fixtures, path)), { exif });

/** Kinds of which Pillow gives other pixels, or which are not decoded here. */
const refused = [
  ...['a.bmp', 'grey.bmp', 'palette.bmp', 'one.bmp', 'rgba.bmp', 'one.pbm', 'grey16.pgm'],
  ...['float.tif', 'int.tif', 'lab.tif', 'animated.gif', 'transparent.gif'],
].map((name) => `other/${name}`);
const decodable = [...expected.keys()].filter(
  (name) => !name.startsWith('resize') && !refused.includes(name),
);

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
}

/** A TIFF of one strip, with numbers of 16 bits as tags. */
function tiffOf(tags: Readonly<Record<number, number>>, pixels: readonly number[]): Buffer {
  const all: Record<number, number> = { ...tags, 259: 1, 273: 8, 278: tags[257]!, 279: pixels.length };
  const directory = Buffer.alloc(2 + 12 * Object.keys(all).length + 4);
  directory.writeUInt16LE(Object.keys(all).length);
  const file = 8 + pixels.length;
  // The bits of each sample, where they are several, stand behind the directory.
  const samples = tags[277]!;
  const bits = Buffer.alloc(samples > 2 ? 2 * samples : 0);
  for (let at = 0; at < bits.length; at += 2) bits.writeUInt16LE(tags[258]!, at);
  for (const [index, [tag, value]] of Object.entries(all).entries()) {
    const at = 2 + 12 * index;
    const several = tag === '258' && samples > 1;
    directory.writeUInt16LE(Number(tag), at);
    directory.writeUInt16LE(3, at + 2);
    directory.writeUInt32LE(several ? samples : 1, at + 4);
    directory.writeUInt32LE(several ? file + directory.length : value, at + 8);
  }
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1');
  header.writeUInt32LE(file, 4);
  return Buffer.concat([header, Buffer.from(pixels), directory, bits]);
}

function pngPart(name: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length);
  ends.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
}

/** `[height, width, 3]` to `[3, height, width]`. */
function planes(values: Uint8Array): Uint8Array {
  const plane = values.length / 3;
  return Uint8Array.from(values, (_, at) => values[3 * (at % plane) + Math.floor(at / plane)]!);
}

describe('an image is decoded as Pillow does', () => {
  test('of many kinds', () => {
    expect(decodable.length).toBeGreaterThan(40);
  });

  test.each(decodable)('%s', async (name) => {
    const { dims, values } = expected.get(name)!;
    const { width, height, pixels } = await decoded(name);
    expect([height, width, 3]).toEqual(dims);
    // Another version of a codec may round otherwise.
    const lossy = /jpe?g|\/lossy|animated-alpha/.test(name);
    expect(largestDifference(pixels, values as Uint8Array)).toBeLessThanOrEqual(lossy ? 2 : 0);
  });

  test.each(refused)('or refused by its name: %s', async (name) => {
    await expect(decoded(name)).rejects.toThrow(ImageError);
  });

  test('turned by its EXIF only where that is asked for', async () => {
    const upright = expected.get('png/exif8.png')!;
    const [height, width] = upright.dims as [number, number];
    const turned = await decoded('png/exif8.png', true);
    expect([turned.height, turned.width]).toEqual([width, height]);
    // Orientation 8: the first row is the first column, from below.
    const at = (x: number, y: number): number => turned.pixels[3 * (y * height + x)]!;
    for (const [x, y] of [
      [0, 0],
      [5, 2],
      [28, 20],
    ] as const)
      expect(at(y, width - 1 - x)).toBe(Number(upright.values[3 * (y * width + x)]));
  });

  test('with four inks that are inverted, whether Adobe says so or not', async () => {
    const bytes = await readFile(join(fixtures, 'jpeg', 'cmyk.jpg'));
    const marker = bytes.indexOf('Adobe');
    bytes.write('Other', marker, 'latin1');
    const { pixels } = await decodeImage(bytes, { exif: false });
    expect(
      largestDifference(pixels, expected.get('jpeg/cmyk.jpg')!.values as Uint8Array),
    ).toBeLessThanOrEqual(2);
  });

  test('no ink is white, black ink is black', () => {
    expect([...fromCmyk(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0))]).toEqual([
      ...[255, 255, 255, 0, 0, 0, 0, 255, 255],
    ]);
  });

  test('turned by its orientation where it is a TIFF, as Pillow does unasked', async () => {
    const grey = [...[1, 2], ...[3, 4], ...[5, 6]];
    const tags = { 256: 2, 257: 3, 258: 8, 262: 1, 277: 1, 274: 6 };
    const { width, height, pixels } = await decodeImage(tiffOf(tags, grey), { exif: false });
    expect([width, height]).toEqual([3, 2]);
    expect([...pixels].filter((_, at) => at % 3 === 0)).toEqual([...[5, 3, 1], ...[6, 4, 2]]);
  });

  test.each([
    ['YCbCr', { 256: 2, 257: 1, 258: 8, 262: 6, 277: 3 }],
    ['zeros are white', { 256: 3, 257: 1, 258: 16, 262: 0, 277: 1 }],
    ['5 channels', { 256: 1, 257: 1, 258: 8, 262: 5, 277: 5, 338: 2 }],
  ])('not where a TIFF is of a kind that is not converted: %s', async (found, tags) => {
    const file = tiffOf(tags, [10, 20, 30, 40, 50, 60]);
    await expect(decodeImage(file, { exif: false })).rejects.toMatchObject({
      found: expect.stringContaining(found) as string,
    });
  });

  test('above 255 white where 16 bits of grey have one that is transparent', async () => {
    const header = Buffer.from([...[0, 0, 0, 2], ...[0, 0, 0, 1], ...[16, 0, 0, 0, 0]]);
    const rows = deflateSync(Buffer.from([0, ...[0, 77], ...[200, 0]]));
    const parts = [pngPart('IHDR', header), pngPart('tRNS', Buffer.from([0, 77])), pngPart('IDAT', rows)];
    const bytes = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts, pngPart('IEND')]);
    const { pixels } = await decodeImage(bytes, { exif: false });
    expect([...pixels]).toEqual([...[77, 77, 77], ...[255, 255, 255]]);
    // A bit of its header that is wrong.
    bytes.writeUInt8(bytes.readUInt8(19) ^ 4, 19);
    await expect(decodeImage(bytes, { exif: false })).rejects.toMatchObject({
      found: expect.stringContaining('IHDR') as string,
    });
  });

  test('not where the first frame of a GIF is a part of it', async () => {
    const bytes = await readFile(join(fixtures, 'other', 'a.gif'));
    bytes.writeUInt16LE(bytes.readUInt16LE(6) + 3, 6);
    await expect(decodeImage(bytes, { exif: false })).rejects.toMatchObject({
      found: expect.stringContaining('first frame') as string,
    });
  });

  test.each([
    ['folder-bad/cat/truncated.jpg', 'premature end'],
    ['folder-bad/cat/empty.jpg', 'an empty file'],
    ['folder-bad/cat/text.png', 'not a pict'],
  ])('not where it is damaged: %s', async (path, fact) => {
    await expect(decoded(path)).rejects.toThrow(fact);
    await expect(decoded(path)).rejects.toThrow(ImageError);
  });

  test('not where its PNG is cut', async () => {
    const bytes = await readFile(join(fixtures, 'png', 'rgb.png'));
    await expect(decodeImage(bytes.subarray(0, bytes.length / 2), { exif: false })).rejects.toThrow(
      ImageError,
    );
  });
});

describe('an image is resized as Pillow does, to the last bit', () => {
  const cases = [...expected.keys()].filter((name) => name.includes('|to|'));

  test('by every filter', () => {
    expect(new Set(cases.map((name) => name.split('|')[1])).size).toBe(6);
  });

  test.each(cases)('%s', (name) => {
    const [, filter, width, height] = name.split('|');
    const from = expected.get(name.replace('|to|', '|from|'))!;
    const shape = { width: Number(width), height: Number(height) };
    const picture = { height: from.dims[0]!, width: from.dims[1]!, pixels: from.values as Uint8Array };
    const all = { left: 0, top: 0, ...shape };
    const { pixels } = resized(picture, shape, filter as Interpolation, all);
    expect(largestDifference(pixels, expected.get(name)!.values as Uint8Array)).toBe(0);
    const part = { left: 2, top: 3, width: 4, height: 5 };
    const cut = resized(picture, shape, filter as Interpolation, part);
    for (const [x, y] of [
      [0, 0],
      [3, 4],
    ] as const)
      expect(cut.pixels[3 * (y * 4 + x)]).toBe(pixels[3 * ((y + 3) * shape.width + x + 2)]);
  });

  test('and any number of channels each by itself', () => {
    const [width, height, channels] = [13, 9, 5];
    const pixels = Uint8Array.from({ length: width * height * channels }, (_, at) => (at * 89) % 251);
    for (const size of [square(6), { height: 3, width: 13 }]) {
      const resizing: Resizing = { size, interpolation: 'cubic', channels };
      const all = resizedAndCut({ width, height, channels, pixels }, resizing);
      const plane = size.height * size.width;
      expect(all).toHaveLength(channels * plane);
      for (let channel = 0; channel < channels; channel++) {
        const grey = Uint8Array.from(
          { length: 3 * width * height },
          (_, at) => pixels[channels * Math.floor(at / 3) + channel]!,
        );
        const alone = resizedAndCut({ width, height, pixels: grey }, { size, interpolation: 'cubic' });
        expect(all.subarray(channel * plane, (channel + 1) * plane)).toEqual(alone.subarray(0, plane));
      }
    }
  });

  const processors: Readonly<Record<string, Resizing>> = {
    A: {
      size: square(32),
      resizedTo: square(36),
      fit: 'shortest',
      cropRounding: 'even',
      interpolation: 'cubic',
    },
    B: { size: square(32), interpolation: 'linear' },
  };

  test.each([...inFolder.keys()])('and cut as torchvision and Transformers do: %s', async (name) => {
    const [processor = '', path = ''] = name.split('|');
    const pixels = resizedAndCut(await decoded(join('folder', path)), processors[processor]!);
    const lossy = /jpe?g$/i.test(path);
    expect(largestDifference(pixels, planes(inFolder.get(name)!.values as Uint8Array))).toBeLessThanOrEqual(
      lossy ? 2 : 0,
    );
  });

  test('but not to a shape that its processor does not give it', async () => {
    const picture = await decoded('png/rgb.png');
    expect(() => resizedAndCut(picture, { size: square(8), fit: 'uncut', interpolation: 'cubic' })).toThrow(
      ShapeError,
    );
    expect(() => resizedAndCut(picture, { size: square(8), fit: 'none', interpolation: 'cubic' })).toThrow(
      'height 21, width 29',
    );
  });
});

describe('images that are the same picture', () => {
  const all = async (names: readonly string[]): Promise<Uint8Array> =>
    Buffer.concat(await Promise.all(names.map(async (name) => signatureOf(await decoded(name)))));

  test('are found though they are coded anew, and others are not', async () => {
    const train = await all(['jpeg/420.jpg', 'png/grey.png', 'jpeg/progressive.jpg', 'folder/cat/wide.png']);
    const test = await all(['folder/dog/tall.png', 'png/rgb.png']);
    expect(train).toHaveLength(4 * SIGNATURE_BYTES);
    expect(twins(train, test)).toEqual([
      { train: 0, test: 1 },
      { train: 2, test: 1 },
    ]);
  });

  test('are found at another size', async () => {
    const picture = await decoded('png/rgb.png');
    const shape = { width: 61, height: 44 };
    const larger = resized(picture, shape, 'cubic', { left: 0, top: 0, ...shape });
    expect(twins(signatureOf(larger), signatureOf(picture))).toEqual([{ train: 0, test: 0 }]);
  });
});
