import { describe, expect, test } from 'vitest';
import { drawCalibration } from '../../src/data/calibration.js';
import { IMAGE_BYTES, type Dataset } from '../../src/data/dataset.js';
import type { OpenedData } from '../../src/data/kind.js';
import { openDataset } from '../../src/data/registry.js';
import { readImages } from '../../src/data/records.js';
import { cifarFiles, temporaryDirectory, writeFiles } from './support/cifar.js';

async function opened(change: (files: Map<string, Buffer>) => void = () => undefined): Promise<OpenedData> {
  const directory = await temporaryDirectory();
  const files = cifarFiles();
  change(files);
  await writeFiles(directory, files);
  return openDataset('cifar10', directory);
}

describe('calibration images', () => {
  test('are training images, without repetition', async () => {
    const { train } = await opened();
    const { indices, pixels } = await drawCalibration(train, 20, 1);
    expect(new Set(indices).size).toBe(20);
    expect(Math.min(...indices)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...indices)).toBeLessThan(train.count);
    expect(pixels).toHaveLength(20 * IMAGE_BYTES);
    expect(pixels).toEqual(await readImages(train.files, indices));
  });

  test('follow from the seed', async () => {
    const { train } = await opened();
    const [one, again, other] = [
      await drawCalibration(train, 20, 1),
      await drawCalibration(train, 20, 1),
      await drawCalibration(train, 20, 2),
    ];
    expect(again).toEqual(one);
    expect(other.indices).not.toEqual(one.indices);
    expect(other.hash).not.toBe(one.hash);
  });

  test('of different positions in the order do not overlap and are all there are', async () => {
    const { train } = await opened();
    const first = await drawCalibration(train, 12, 7);
    const second = await drawCalibration(train, 18, 7, 12);
    expect([...first.indices, ...second.indices].toSorted((a, b) => a - b)).toEqual([...Array(30).keys()]);
    expect((await drawCalibration(train, 30, 7)).indices).toEqual([...first.indices, ...second.indices]);
  });

  test('have another hash when the images are others', async () => {
    const one = await opened();
    const other = await opened((files) => void (files.get('data_batch_1.bin')![5]! ^= 1));
    const hashes = [await drawCalibration(one.train, 5, 1), await drawCalibration(other.train, 5, 1)];
    expect(hashes[0]!.indices).toEqual(hashes[1]!.indices);
    expect(hashes[0]!.hash).not.toBe(hashes[1]!.hash);
  });

  test('cannot be more than there are', async () => {
    const { train } = await opened();
    await expect(drawCalibration(train, 31, 1)).rejects.toThrow(RangeError);
    await expect(drawCalibration(train, 11, 1, 20)).rejects.toThrow(
      '31 training images are wanted for calibration; cifar10 has 30 here',
    );
  });

  test('are not taken from test images: that does not compile', async () => {
    const { test: scored } = await opened();
    // @ts-expect-error the wall between the splits is in the types
    const mixed = drawCalibration(scored, 5, 1);
    await mixed;
    // @ts-expect-error and cannot be walked around by a plain assignment
    const disguised: Dataset<'train'> = scored;
    expect(disguised.split).toBe('test');
  });
});
