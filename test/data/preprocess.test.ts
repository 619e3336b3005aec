import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import { seededRandom } from '../../src/base/random.js';
import { sizeOf, square } from '../../src/base/size.js';
import { cifarLayout, IMAGE_BYTES, IMAGE_CHANNELS, IMAGE_SIDE } from '../../src/data/dataset.js';
import {
  channelsOf,
  defaultPreprocessing,
  PIXEL_VALUES,
  PIXELS,
  preprocessingGraph,
  timmPreprocessing,
  type Preprocessing,
} from '../../src/data/preprocess.js';
import { readPreprocessing } from '../../src/model/image-processor.js';
import { readImages } from '../../src/data/records.js';
import { greyOf } from '../../src/data/grey.js';
import { resizedAndCut } from '../../src/data/images/resize.js';
import { resizedShape, resizingOf, type Resizing } from '../../src/data/resizing.js';
import { serializeModel } from '../../src/onnx/file.js';
import { viewAs } from '../../src/onnx/tensor.js';
import { defaultSessionOptions, type Engine } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { readSafetensors } from '../../src/vit/safetensors.js';
import { temporaryDirectory } from './support/cifar.js';
import { filters, fixedPoint, resizedByPillow, toByte } from './support/pillow.js';

const suites = join(packageRoot(), 'suites');
const model = join(suites, 'models', 'vit-micro-shapes10');

let engine: Engine;
beforeAll(async () => {
  engine = await nodeEngine();
});

/** Runs the graph in ONNX Runtime. */
async function preprocessed(preprocessing: Preprocessing, pixels: Uint8Array): Promise<Float32Array> {
  const images = pixels.length / IMAGE_BYTES;
  const graph = await serializeModel(preprocessingGraph(preprocessing));
  const session = await engine.open(graph, { ...defaultSessionOptions, threads: 1 });
  const input = engine.tensor('uint8', pixels, [images, IMAGE_CHANNELS, IMAGE_SIDE, IMAGE_SIDE]);
  const output = (await session.run({ [PIXELS]: input }))[PIXEL_VALUES]!;
  expect(output.dims).toEqual([
    images,
    channelsOf(preprocessing),
    preprocessing.size.height,
    preprocessing.size.width,
  ]);
  const values = Float32Array.from(output.data as Float32Array);
  await session.close();
  return values;
}

/** Resizing alone: the values are those of the resized pixels. */
function onlyResized(side: number, interpolation: Preprocessing['interpolation']): Preprocessing {
  return { size: square(side), interpolation, rescale: 1, mean: [0, 0, 0], std: [1, 1, 1] };
}

function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((max, value, index) => Math.max(max, Math.abs(value - b[index]!)), 0);
}

async function images(): Promise<Uint8Array> {
  const random = seededRandom(5);
  const files = [{ path: join(suites, 'data', 'shapes10', 'test.bin'), records: 1000 }];
  return Buffer.concat([
    await readImages({ layout: cifarLayout, files }, [3, 400]),
    Buffer.from(Array.from({ length: IMAGE_BYTES }, () => random.integer(256))),
    // Black and white: where a filter overshoots most.
    Buffer.from(Array.from({ length: IMAGE_BYTES }, () => 255 * random.integer(2))),
  ]);
}

/** What Pillow makes of images, one after another. */
function reference(
  pixels: Uint8Array,
  size: number,
  filter: keyof typeof filters,
  store: (weight: number) => number,
): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < pixels.length; at += IMAGE_BYTES) {
    const image = pixels.subarray(at, at + IMAGE_BYTES);
    for (const exact of resizedByPillow(image, size, filters[filter], store)) bytes.push(toByte(exact));
  }
  return bytes;
}

describe('the preprocessing graph', () => {
  test('gives the pixel values that the model was trained with', async () => {
    const tensors = (await readSafetensors(join(model, 'parity.safetensors'))).tensors;
    const pixels = await tensors.get('pixels')!.read();
    const expected = viewAs(await tensors.get('pixel_values')!.read(), Float32Array);
    const preprocessing = await readPreprocessing(join(model, 'preprocessor_config.json'));
    const values = await preprocessed(preprocessing, Uint8Array.from(pixels));
    expect(maxDifference(values, expected)).toBeLessThanOrEqual(1e-6);
    expect(
      maxDifference(
        values,
        expected.map((value) => value + 1e-5),
      ),
    ).toBeGreaterThan(1e-6);
  });

  test('scales each channel by its own mean and deviation', async () => {
    const pixels = await images();
    const [mean, std] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ] as const;
    const values = await preprocessed(
      { size: square(IMAGE_SIDE), interpolation: 'linear', rescale: 1 / 255, mean, std },
      pixels,
    );
    const plane = IMAGE_SIDE * IMAGE_SIDE;
    const expected = Float64Array.from(pixels, (pixel, index) => {
      const channel = Math.floor(index / plane) % IMAGE_CHANNELS;
      return (pixel / 255 - mean[channel]!) / std[channel]!;
    });
    expect(maxDifference(values, expected)).toBeLessThanOrEqual(2e-6);
  });

  test.each([
    ['linear', 224],
    ['cubic', 224],
    ['linear', 16],
    ['cubic', 16],
    // Steps that are no whole numbers, and one that hardly changes anything.
    ['linear', 48],
    ['cubic', 20],
    ['cubic', 31],
  ] as const)('resizes exactly as Pillow, with its fixed-point weights: %s to %i', async (filter, size) => {
    const pixels = await images();
    const values = await preprocessed(onlyResized(size, filter), pixels);
    expect(maxDifference(values, reference(pixels, size, filter, fixedPoint))).toBe(0);
  });

  // At other sizes ties are common, and what they move in the first pass adds up in the second.
  test.each([
    ['linear', 224],
    ['cubic', 224],
    ['linear', 16],
    ['cubic', 16],
  ] as const)('resizes as exact weights would, up to ties of rounding: %s to %i', async (filter, size) => {
    const pixels = await images();
    const values = await preprocessed(onlyResized(size, filter), pixels);
    const expected = reference(pixels, size, filter, (weight) => weight);
    expect(maxDifference(values, expected)).toBeLessThanOrEqual(1);
    const differing = expected.filter((value, index) => value !== values[index]).length;
    expect(differing / values.length).toBeLessThan(0.001);
  });

  test.each([
    ['a plain grey', 'cubic', 128],
    ['white', 'cubic', 255],
    ['white', 'linear', 255],
  ] as const)('leaves %s as it is, up to the edges (%s)', async (_what, interpolation, grey) => {
    for (const size of [16, 224]) {
      const values = await preprocessed(
        onlyResized(size, interpolation),
        new Uint8Array(IMAGE_BYTES).fill(grey),
      );
      expect(new Set(values)).toEqual(new Set([grey]));
    }
  });

  // torchvision cuts at round((resized - size) / 2), halves to the even number: 3 / 2 → 2, 5 / 2 → 2, 1 / 2 → 0.
  test.each([
    [35, 2],
    [37, 2],
    [33, 0],
    [36, 2],
  ])('cuts the centre out of %i pixels where timm and torchvision do', async (resizedTo, first) => {
    const pixels = await images();
    const preprocessing = timmPreprocessing(
      { crop_pct: 32 / (resizedTo + 0.5), mean: [0, 0, 0], std: [1, 1, 1] },
      square(32),
    );
    expect(preprocessing.resizedTo).toEqual(square(resizedTo));
    const cut = await preprocessed({ ...preprocessing, rescale: 1 }, pixels);
    const whole = await preprocessed(onlyResized(resizedTo, 'cubic'), pixels);
    for (const y of [0, 13, 31])
      for (const x of [0, 17, 31]) expect(cut[y * 32 + x]).toBe(whole[(y + first) * resizedTo + x + first]);
  });

  test('takes the nearest pixel where nothing is to be interpolated', async () => {
    const pixels = await images();
    const [doubled, halved] = [
      await preprocessed(onlyResized(64, 'nearest'), pixels),
      await preprocessed(onlyResized(16, 'nearest'), pixels),
    ];
    const rows = pixels.length / IMAGE_SIDE;
    for (let row = 0; row < rows; row += 7)
      for (let x = 0; x < IMAGE_SIDE; x++) {
        const pixel = pixels[row * IMAGE_SIDE + x];
        for (const [dy, dx] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ] as const)
          expect(doubled[(2 * row + dy) * 64 + 2 * x + dx]).toBe(pixel);
        // A centre that falls between two pixels belongs to the second.
        if (row % 2 === 1 && x % 2 === 1) expect(halved[((row - 1) / 2) * 16 + (x - 1) / 2]).toBe(pixel);
      }
  });

  test('turns neither rows nor columns around', async () => {
    const pixels = new Uint8Array(IMAGE_BYTES);
    // Red rises to the right, green downwards.
    for (let y = 0; y < IMAGE_SIDE; y++)
      for (let x = 0; x < IMAGE_SIDE; x++) {
        pixels[y * IMAGE_SIDE + x] = 8 * x;
        pixels[(IMAGE_SIDE + y) * IMAGE_SIDE + x] = 8 * y;
      }
    const values = await preprocessed(onlyResized(64, 'linear'), pixels);
    const at = (channel: number, y: number, x: number): number => values[(channel * 64 + y) * 64 + x]!;
    expect([at(0, 5, 0), at(0, 5, 21), at(0, 50, 63)]).toEqual([0, 82, 248]);
    expect([at(1, 0, 5), at(1, 21, 5), at(1, 63, 50)]).toEqual([0, 82, 248]);
  });
});

describe('the preprocessing graph for rectangles and grey images', () => {
  const wide = { height: 12, width: 20 };
  const ways: Readonly<Record<string, Resizing>> = {
    'each side by itself': { size: wide, interpolation: 'cubic' },
    'up in one direction and down in the other': { size: { height: 8, width: 50 }, interpolation: 'linear' },
    'columns first': { size: { height: 5, width: 31 }, interpolation: 'cubic' },
    'covered and cut': timmPreprocessing({ crop_pct: 0.9 }, wide),
    squashed: timmPreprocessing({ crop_pct: 0.9, crop_mode: 'squash' }, wide),
    'cut alone': { size: wide, resizedTo: square(IMAGE_SIDE), fit: 'none', interpolation: 'linear' },
    'cut out of a square': { size: wide, resizedTo: square(24), fit: 'shortest', interpolation: 'linear' },
    grey: { size: wide, interpolation: 'cubic', grey: true },
  };

  test.each(Object.keys(ways))('resizes as images of other sizes are resized: %s', async (name) => {
    const resizing = ways[name]!;
    const channels = channelsOf(resizing);
    const plain = { rescale: 1, mean: Array(channels).fill(0), std: Array(channels).fill(1) };
    const pixels = await images();
    const values = await preprocessed({ ...resizingOf(resizing), ...plain }, pixels);
    const plane = resizing.size.height * resizing.size.width;
    for (let image = 0; image * IMAGE_BYTES < pixels.length; image++) {
      const own = pixels.subarray(image * IMAGE_BYTES, (image + 1) * IMAGE_BYTES);
      const interleaved = Uint8Array.from(
        own,
        (_, at) => own[(at % 3) * IMAGE_SIDE ** 2 + Math.floor(at / 3)]!,
      );
      const picture = { width: IMAGE_SIDE, height: IMAGE_SIDE, pixels: interleaved };
      const expected = resizedAndCut(picture, resizing).subarray(0, channels * plane);
      const given = values.subarray(image * channels * plane, (image + 1) * channels * plane);
      expect(maxDifference(given, expected)).toBe(0);
    }
  });

  // What Pillow 13 gives for convert('L').
  test.each([
    [[255, 0, 0], 76],
    [[0, 255, 0], 150],
    [[0, 0, 255], 29],
    [[10, 200, 30], 124],
    [[1, 2, 3], 2],
    [[254, 255, 253], 254],
    [[128, 64, 191], 98],
  ])('makes %o as grey as Pillow does', (colour, grey) => {
    expect([...greyOf(Uint8Array.from(colour))]).toEqual([grey, grey, grey]);
  });

  // What timm 1.0.31 gives (ResizeKeepRatio).
  test.each([
    [
      [21, 29],
      [36, 54],
      [39, 54],
    ],
    [
      [21, 29],
      [54, 36],
      [54, 75],
    ],
    [
      [32, 32],
      [73, 146],
      [146, 146],
    ],
    [
      [37, 100],
      [73, 146],
      [73, 197],
    ],
    [
      [100, 37],
      [36, 54],
      [146, 54],
    ],
    [
      [480, 640],
      [73, 146],
      [110, 146],
    ],
  ] as const)('covers as timm does: %o to %o', (given, wanted, shape) => {
    const resizing = { size: sizeOf(wanted), fit: 'cover', interpolation: 'cubic' } as const;
    expect(resizedShape(sizeOf(given), resizing)).toEqual(sizeOf(shape));
  });
});

describe('a preprocessor_config.json', () => {
  async function read(config: unknown): Promise<Preprocessing> {
    const path = join(await temporaryDirectory(), 'preprocessor_config.json');
    await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
    return readPreprocessing(path);
  }

  test('is read with its defaults', async () => {
    expect(await read({})).toEqual(defaultPreprocessing(square(224)));
    expect(await read({ size: 384, resample: 3 })).toEqual({
      ...defaultPreprocessing(square(384)),
      interpolation: 'cubic',
    });
    expect((await read({ size: { height: 64, width: 48 } })).size).toEqual({ height: 64, width: 48 });
  });

  test('may cut out the centre', async () => {
    expect(await read({ size: 256, do_center_crop: true, crop_size: 224 })).toEqual({
      ...defaultPreprocessing(square(224)),
      resizedTo: square(256),
    });
    expect(await read({ size: { shortest_edge: 64 }, do_center_crop: true })).toEqual({
      ...defaultPreprocessing(square(64)),
      fit: 'shortest',
    });
    expect(await read({ size: { shortest_edge: 64 } })).toEqual({
      ...defaultPreprocessing(square(64)),
      fit: 'uncut',
    });
  });

  test.each(['ViTImageProcessorFast', 'ViTFeatureExtractor', undefined])(
    'has what its class has where it is null, as Transformers reads it: %s',
    async (image_processor_type) => {
      const nothing = {
        ...{
          do_resize: null,
          size: null,
          resample: null,
          do_center_crop: null,
          crop_size: null,
          do_pad: null,
        },
        ...{ do_rescale: null, rescale_factor: null, do_normalize: null, image_mean: null, image_std: null },
      };
      expect(await read({ image_processor_type, ...nothing })).toEqual(defaultPreprocessing(square(224)));
    },
  );

  test('has what its class has: DeiT cuts out the centre, CLIP has means of its own', async () => {
    expect(await read({ image_processor_type: 'DeiTImageProcessor' })).toEqual({
      ...defaultPreprocessing(square(224)),
      ...{ resizedTo: square(256), interpolation: 'cubic' },
    });
    const clip = await read({ image_processor_type: 'CLIPImageProcessorFast', size: { shortest_edge: 224 } });
    expect(clip.mean[0]).toBeCloseTo(0.48145466, 8);
    expect(clip).toMatchObject({ interpolation: 'cubic', fit: 'shortest' });
    // A size without a name is the shorter side there, and both sides of a ViT.
    expect(await read({ image_processor_type: 'CLIPImageProcessor', size: 64, crop_size: 64 })).toMatchObject(
      {
        fit: 'shortest',
      },
    );
  });

  test('may switch steps off', async () => {
    const off = { do_resize: false, do_rescale: false, do_normalize: false, image_mean: [1, 1, 1] };
    expect(await read(off)).toEqual({ ...onlyResized(IMAGE_SIDE, 'linear'), fit: 'none' });
  });

  test.each([
    ['{', 'the whole file'],
    [{ do_center_crop: true, size: 64, crop_size: { height: 32, width: 65 } }, 'height 32, width 65'],
    [{ size: { longest_edge: 224 } }, 'size'],
    [{ resample: 6 }, 'resample: found 6; expected 0 (nearest)'],
    [{ do_center_crop: 'yes' }, 'do_center_crop'],
    [{ do_center_crop: true, size: 224, crop_size: 256 }, 'crop_size: found 256; expected at most the 224'],
    [
      { image_mean: [0.5, 0.5], image_std: [0.5, 0.5, 0.5] },
      'image_std: found 3 numbers; expected 2 numbers',
    ],
    [{ image_mean: [] }, 'image_mean'],
    [{ image_std: 'none' }, 'image_std'],
    [{ rescale_factor: 0 }, 'rescale_factor'],
    [{ image_std: [0, 0, 0] }, 'image_std'],
    [{ image_std: [0.5, 0.5, 1e-30] }, 'image_std'],
    [{ image_mean: [0.5, 0.5, 1e300] }, 'image_mean'],
    [{ rescale_factor: 1e300 }, 'rescale_factor'],
    [{ size: { shortest_edge: 5e7 }, do_center_crop: true, crop_size: 32 }, 'size'],
    [{ size: 1e9 }, 'size'],
    [{ do_pad: true }, 'do_pad'],
    [{ image_processor_type: 'ConvNextImageProcessor' }, 'image_processor_type'],
    [{ image_processor_type: 'toString' }, 'image_processor_type'],
  ])('is refused: %o', async (config, place) => {
    const failure = read(config);
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow(place);
  });

  test('must be there', async () => {
    await expect(readPreprocessing(join(model, 'nothing.json'))).rejects.toThrow(InputError);
  });
});
