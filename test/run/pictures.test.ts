import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { IMAGE_SIDE, type Dataset, type Split } from '../../src/data/dataset.js';
import type { OpenedData } from '../../src/data/kind.js';
import { readImages } from '../../src/data/records.js';
import { declarationFrom } from '../../src/data/sets/declared.js';
import { openDeclared } from '../../src/data/sets/open.js';
import { findRun, loadRun, type StoredRun } from '../../src/store/read.js';
import type { Suite } from '../../src/suite/read.js';
import { viewAs } from '../../src/onnx/tensor.js';
import { npzOf } from '../data/support/arrays.js';
import { storedRecords } from '../data/support/cifar.js';
import { describeInBrowser } from '../report/support/browser.js';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { builtInConfig, builtInTensors, safetensorsBytes } from '../vit/checkpoint.js';
import { data, useRuns } from './support.js';

const runs = useRuns();

/** How many images of each class are written. */
const EACH = { train: 8, test: 3 } as const;

/** Which images of a split those are: the classes in turn. */
function chosen({ classes, labels, split }: Dataset<Split>): number[] {
  const of = labels.map((_, label) => [...classes.keys()].filter((index) => classes[index] === label));
  return Array.from({ length: EACH[split] }, (_, place) => of.map((indices) => indices[place]!)).flat();
}

/** The built-in images as a user has theirs: PNGs in class folders. */
async function pictures(): Promise<OpenedData> {
  // Their order is that of their names, and so is the model's.
  for (const split of [data.train, data.test]) {
    const indices = chosen(split);
    const pixels = await readImages(storedRecords(split), indices);
    for (const [slot, index] of indices.entries()) {
      const planes = pixels.subarray(3072 * slot, 3072 * (slot + 1));
      const together = Uint8Array.from(
        { length: 3072 },
        (_, at) => planes[(at % 3) * 1024 + Math.floor(at / 3)]!,
      );
      const folder = runs.folder('set', split.split, split.labels[split.classes[index]!]!);
      await mkdir(folder, { recursive: true });
      const png = sharp(together, { raw: { width: 32, height: 32, channels: 3 } }).png();
      await writeFile(`${folder}/${String(slot).padStart(4, '0')}.png`, await png.toBuffer());
    }
  }
  return openDeclared(declarationFrom({ path: runs.folder('set') }, 'own', runs.folder('suite.yaml')));
}

/**
 * The same images as an archive of NumPy's arrays with a fourth channel, which is their red once more: of training images a plane for each
 * channel, of test images the channels of a pixel together.
 */
async function ofFourChannels(): Promise<OpenedData> {
  const plane = IMAGE_SIDE ** 2;
  const arrays: Record<string, { dims: readonly number[]; values: Uint8Array }> = {};
  for (const split of [data.train, data.test]) {
    const indices = chosen(split);
    const pixels = await readImages(storedRecords(split), indices);
    const apart = new Uint8Array(4 * plane * indices.length);
    for (const slot of indices.keys()) {
      const planes = pixels.subarray(3 * plane * slot, 3 * plane * (slot + 1));
      apart.set(planes, 4 * plane * slot);
      apart.set(planes.subarray(0, plane), 4 * plane * slot + 3 * plane);
    }
    const together = apart.map((_, at) => {
      const image = at - (at % (4 * plane));
      return apart[image + (at % 4) * plane + Math.floor((at % (4 * plane)) / 4)]!;
    });
    const classes = Uint8Array.from(indices, (index) => split.classes[index]!);
    const sides = [IMAGE_SIDE, IMAGE_SIDE];
    arrays[`x_${split.split}`] =
      split.split === 'train'
        ? { dims: [indices.length, 4, ...sides], values: apart }
        : { dims: [indices.length, ...sides, 4], values: together };
    arrays[`y_${split.split}`] = { dims: [indices.length], values: classes };
  }
  await writeFile(runs.folder('four.npz'), npzOf(arrays));
  const declared = { path: runs.folder('four.npz'), labels: [...data.train.labels] };
  return openDeclared(declarationFrom(declared, 'four', runs.folder('suite.yaml')));
}

/** The built-in model for such images: what it made of red it makes one half each of red and of the fourth channel. */
async function microOfFour(): Promise<string> {
  const tensors = new Map(await builtInTensors());
  const name = 'vit.embeddings.patch_embeddings.projection.weight';
  const { shape, bytes } = tensors.get(name)!;
  const [width, , ...sides] = shape as [number, number, number, number];
  const kernel = sides[0] * sides[1];
  const weights = viewAs(Uint8Array.from(bytes), Float32Array);
  const wide = Float32Array.from({ length: 4 * kernel * width }, (_, at) => {
    const channel = Math.floor(at / kernel) % 4;
    const from = weights[(3 * Math.floor(at / (4 * kernel)) + (channel % 3)) * kernel + (at % kernel)]!;
    return channel % 3 === 0 ? from / 2 : from;
  });
  tensors.set(name, { dtype: 'F32', shape: [width, 4, ...sides], bytes: new Uint8Array(wide.buffer) });
  await mkdir(runs.folder('four'));
  await writeFile(runs.folder('four', 'config.json'), await builtInConfig({ num_channels: 4 }));
  await writeFile(runs.folder('four', 'model.safetensors'), safetensorsBytes(tensors));
  const { image_mean, image_std, ...processor } = JSON.parse(
    await readFile(join(microDirectory, 'preprocessor_config.json'), 'utf8'),
  ) as { image_mean: readonly number[]; image_std: readonly number[] };
  const both = { image_mean: image_mean[0], image_std: image_std[0] };
  await writeFile(runs.folder('four', 'preprocessor_config.json'), JSON.stringify({ ...processor, ...both }));
  return runs.folder('four');
}

/** A run of the model in float32 alone, and what it stored. */
async function accuracyOf(changes: Partial<Suite>, images: OpenedData): Promise<StoredRun> {
  const { recipes, performance } = runs.suite();
  const suite = runs.suite({
    recipes: recipes.slice(0, 1),
    performance: { ...performance, batches: [] },
    ...changes,
  });
  const { id, failedCells } = await runs.execute(suite, {}, { images });
  const run = await loadRun(runs.db(), await findRun(runs.db(), id));
  expect(run.cells.map(({ row }) => row.reason)).toEqual(run.cells.map(() => null));
  expect(failedCells).toBe(0);
  return run;
}

/** The class that the model gives each image, by device. */
function predictions({ cells }: StoredRun): Map<string, readonly number[]> {
  return new Map(
    cells.flatMap(({ row, device, predictions: found }) =>
      row.kind === 'accuracy' ? [[device.row.name, found!.predicted] as const] : [],
    ),
  );
}

/** The same images as records, on this machine: what the pictures must give, in their order. */
async function expected(images: OpenedData): Promise<readonly number[]> {
  const all = predictions(await accuracyOf({ accuracy: { batch: 100, images: 1000 } }, data)).get('here')!;
  const byName = chosen(data.test).sort((a, b) => order(images, a) - order(images, b));
  return byName.map((index) => images.test.labels.indexOf(data.test.labels[all[index]!]!));
}

/** Where an image of the built-in test images stands among the pictures. */
function order({ test: { labels } }: OpenedData, index: number): number {
  const label = data.test.classes[index]!;
  const place = [...data.test.classes.subarray(0, index)].filter((each) => each === label).length;
  return place * labels.length + labels.indexOf(data.test.labels[label]!);
}

describe('images of four channels', () => {
  it('get the classes that the same images of three get', async () => {
    const images = await ofFourChannels();
    const models = [{ kind: 'path' as const, name: 'four', path: await microOfFour() }];
    const own = await accuracyOf({ models, accuracy: { batch: 4, images: images.test.count } }, images);
    expect(predictions(own).get('here')).toEqual(await expected(images));
  });

  it('are refused for a model of three, and images of three for a model of four', async () => {
    const images = await ofFourChannels();
    const accuracy = { batch: 4, images: images.test.count };
    const colours = await refusalOf(() => runs.execute(runs.suite({ accuracy }), {}, { images }));
    expect(colours).toMatchObject({ place: 'the first layer', found: 'images with 3 channels' });
    expect(colours.expected).toContain('4');
    const models = [{ kind: 'path' as const, name: 'four', path: await microOfFour() }];
    const bands = await refusalOf(() => runs.execute(runs.suite({ models })));
    expect(bands).toMatchObject({ place: 'the first layer', found: 'images with 4 channels' });
    expect(bands.expected).toContain('3');
  });
});

// Decoded here, they reach every device as records: a device of another kind that reads those is enough.
describeInBrowser('pictures of a user in a browser', () => {
  it(
    'get the classes that the same images as records get on this machine',
    { timeout: 400_000 },
    async () => {
      const profile = runs.folder('wasm.yaml');
      await writeFile(profile, 'name: wasm\nkind: browser\nprovider: wasm\nthreads: 1\n');
      const images = await pictures();
      const run = await accuracyOf(
        {
          accuracy: { batch: 4, images: images.test.count },
          devices: [runs.folder('here.yaml'), profile],
        },
        images,
      );
      const records = await expected(images);
      expect(new Set(records).size).toBeGreaterThan(5);
      expect([...predictions(run)]).toEqual(['here', 'wasm'].map((name) => [name, records]));
    },
  );
});
