import { describe, expect, test } from 'vitest';
import { square } from '../../src/base/size.js';
import { drawTrainingImages } from '../../src/data/training-images.js';
import type { Dataset } from '../../src/data/dataset.js';
import type { OpenedData } from '../../src/data/kind.js';
import { defaultPreprocessing } from '../../src/data/preprocess.js';
import { openDataset } from '../../src/data/registry.js';
import { cifarFiles, storedRecords, temporaryDirectory, writeFiles } from './support/cifar.js';

const preprocessing = defaultPreprocessing(square(32));

async function opened(change: (files: Map<string, Buffer>) => void = () => undefined): Promise<OpenedData> {
  const directory = await temporaryDirectory();
  const files = cifarFiles();
  change(files);
  await writeFiles(directory, files);
  return openDataset('cifar10', directory);
}

describe('training images that are drawn', () => {
  test('are training images, without repetition', async () => {
    const { train } = await opened();
    const { indices, classes, chosen } = await drawTrainingImages(train, preprocessing, 20, 1);
    expect(new Set(indices).size).toBe(20);
    expect(Math.min(...indices)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...indices)).toBeLessThan(train.count);
    expect([...classes]).toEqual(indices.map((index) => train.classes[index]));
    expect(chosen).toEqual({ records: storedRecords(train), indices });
  });

  test('follow from the seed', async () => {
    const { train } = await opened();
    const [one, again, other] = [
      await drawTrainingImages(train, preprocessing, 20, 1),
      await drawTrainingImages(train, preprocessing, 20, 1),
      await drawTrainingImages(train, preprocessing, 20, 2),
    ];
    expect(again).toEqual(one);
    expect(other.indices).not.toEqual(one.indices);
    expect(other.hash).not.toBe(one.hash);
  });

  test('of different positions in the order do not overlap and are all there are', async () => {
    const { train } = await opened();
    const first = await drawTrainingImages(train, preprocessing, 12, 7);
    const second = await drawTrainingImages(train, preprocessing, 18, 7, 12);
    expect([...first.indices, ...second.indices].toSorted((a, b) => a - b)).toEqual([...Array(30).keys()]);
    expect((await drawTrainingImages(train, preprocessing, 30, 7)).indices).toEqual([
      ...first.indices,
      ...second.indices,
    ]);
  });

  test('have another hash when the images are others', async () => {
    const one = await opened();
    const other = await opened((files) => void (files.get('data_batch_1.bin')![5]! ^= 1));
    const hashes = [
      await drawTrainingImages(one.train, preprocessing, 5, 1),
      await drawTrainingImages(other.train, preprocessing, 5, 1),
    ];
    expect(hashes[0]!.indices).toEqual(hashes[1]!.indices);
    expect(hashes[0]!.hash).not.toBe(hashes[1]!.hash);
  });

  test('cannot be more than there are', async () => {
    const { train } = await opened();
    await expect(drawTrainingImages(train, preprocessing, 31, 1)).rejects.toThrow(RangeError);
    await expect(drawTrainingImages(train, preprocessing, 11, 1, 20)).rejects.toThrow(
      '31 training images are wanted; cifar10 has 30 here',
    );
  });

  test('are not taken from test images: that does not compile', async () => {
    const { test: scored } = await opened();
    // @ts-expect-error the wall between the splits is in the types
    const mixed = drawTrainingImages(scored, preprocessing, 5, 1);
    await mixed;
    // @ts-expect-error and cannot be walked around by a plain assignment
    const disguised: Dataset<'train'> = scored;
    expect(disguised.split).toBe('test');
  });
});
