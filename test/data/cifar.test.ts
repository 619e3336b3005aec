import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { RECORD_BYTES } from '../../src/data/dataset.js';
import type { OpenedData } from '../../src/data/kind.js';
import { readImages } from '../../src/data/records.js';
import { datasetOf, openDataset } from '../../src/data/registry.js';
import { openDeclared } from '../../src/data/sets/open.js';
import { locateData } from '../../src/run/locate-data.js';
import { shapesDirectory } from '../support/micro.js';
import { useFolderWithCache } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { sha256, storedRecords } from './support/cifar.js';
import { declare, inSets, pythonWrote } from './support/oracle.js';

const own = useFolderWithCache();

const ten = inSets('cifar-10-batches-py');
const hundred = inSets('cifar-100-python');

/** The records of both splits, by the names of their files. */
async function digests({ train, test: scored }: OpenedData): Promise<Record<string, string>> {
  const files = [...storedRecords(train).files, ...storedRecords(scored).files];
  return Object.fromEntries(
    await Promise.all(
      files.map(async ({ path }) => [path.replace(/^.*\//, ''), sha256(await readFile(path))] as const),
    ),
  );
}

describe('pickles of CIFAR', () => {
  test('give the records of the binary version, byte by byte, in every protocol', async () => {
    const opened = await openDataset('cifar10', ten);
    expect(opened.train.labels).toEqual(['airplane', 'automobile', 'bird']);
    expect(await digests(opened)).toEqual(pythonWrote('cifar10'));
    const fine = await openDataset('cifar100', hundred);
    expect(await digests(fine)).toEqual(pythonWrote('cifar100'));
  });

  test('are the same data set as the binary version', async () => {
    const opened = await openDataset('cifar10', ten);
    const binary = own('binary');
    for (const { path } of [...storedRecords(opened.train).files, ...storedRecords(opened.test).files])
      await cp(path, join(binary, path.replace(/^.*\//, '')));
    await writeFile(join(binary, 'batches.meta.txt'), 'airplane\nautomobile\nbird\n\n');
    const same = await openDataset('cifar10', binary);
    expect([same.train.hash, same.test.hash]).toEqual([opened.train.hash, opened.test.hash]);
  });

  test('of CIFAR-100 have fine and coarse labels, and pixels behind both', async () => {
    const [fine, coarse] = [
      await openDataset('cifar100', hundred),
      await openDataset('cifar100-coarse', hundred),
    ];
    expect(fine.train.labels).toEqual(['apple', 'aquarium_fish', 'baby', 'bear']);
    expect([...fine.train.classes]).toEqual([3, 0, 1, 2]);
    expect(coarse.test.labels).toEqual(['fish', 'fruit']);
    expect([...coarse.test.classes]).toEqual([1, 0, 0, 1]);
    const [one, other] = [
      await readImages(storedRecords(fine.train), [2]),
      await readImages(storedRecords(coarse.train), [2]),
    ];
    expect(one).toEqual(other);
    const file = await readFile(storedRecords(fine.train).files[0]!.path);
    expect(Buffer.from(one).equals(file.subarray(2 * (RECORD_BYTES + 1) + 2, 3 * (RECORD_BYTES + 1)))).toBe(
      true,
    );
  });

  test('are found in the folder of all data', async () => {
    vi.stubEnv('EDGEFLEX_DATA', inSets());
    expect((await locateData('cifar10', undefined, undefined)).test.count).toBe(3);
    expect((await locateData('cifar100-coarse', undefined, undefined)).train.count).toBe(4);
    expect(await datasetOf('cifar100').holds(ten)).toBe(false);
    // Both have files called train.bin and test.bin.
    expect(await datasetOf('cifar100').holds(shapesDirectory)).toBe(false);
    const binary = storedRecords((await openDataset('cifar100', hundred)).test).files[0]!.path;
    expect(await datasetOf('cifar100').holds(dirname(binary))).toBe(true);
    expect(await datasetOf('shapes10').holds(dirname(binary))).toBe(false);
    // What comes with EdgeFlex is there though that folder has none of it.
    expect((await locateData('shapes10', undefined, undefined)).test.count).toBe(1000);
    await cp(shapesDirectory, own('own', 'shapes10'), { recursive: true });
    await rm(own('own', 'shapes10', 'SHA256SUMS'));
    vi.stubEnv('EDGEFLEX_DATA', own('own'));
    const found = await locateData('shapes10', undefined, undefined);
    expect(storedRecords(found.test).files[0]!.path).toContain(own('own'));
  });

  test('may be images of a user, under another name', async () => {
    const { train, test: scored } = await openDeclared(declare(hundred, { label: 'coarse' }));
    expect(train).toMatchObject({ name: 'own', labels: ['fish', 'fruit'] });
    expect([train.count, scored.count]).toEqual([4, 4]);
    expect((await openDeclared(declare(ten))).train.count).toBe(12);
    expect(await refusalOf(() => openDeclared(declare(hundred, { label: 'course' })))).toMatchObject({
      place: 'label',
    });
    expect(await refusalOf(() => openDeclared(declare(ten, { holdout: 0.2 })))).toMatchObject({
      place: 'holdout',
    });
  });
});

describe('pickles are refused in one message with the place', () => {
  test.each([
    ['code', 'the pickle', 'system'],
    ['floats', 'data', 'f8'],
    ['shape', 'data', '(1, 100)'],
    ['columns', 'data', 'column by column'],
    ['fewer', 'labels', '1 labels'],
    ['text', 'labels[0]', 'cat'],
    ['no-data', 'data', 'no such array'],
    ['list', 'the pickle', 'no dictionary'],
  ])('%s', async (name, place, found) => {
    const folder = own('cifar');
    await cp(ten, folder, { recursive: true });
    const path = join(folder, 'data_batch_2');
    await cp(inSets('bad-pickles', name), path);
    const fault = await refusalOf(() => openDataset('cifar10', folder));
    expect(fault).toMatchObject({ source: path, place });
    expect(fault.found).toContain(found);
    expect(existsSync('was-run')).toBe(false);
    expect(await readdir(own('cache', 'entries', 'images')).catch(() => [])).toEqual([]);
  });

  test('truncated, and names of classes that are not there, or there twice', async () => {
    const folder = own('cifar');
    await cp(ten, folder, { recursive: true });
    const batch = await readFile(join(folder, 'data_batch_3'));
    await writeFile(join(folder, 'data_batch_3'), batch.subarray(0, 5000));
    expect(await refusalOf(() => openDataset('cifar10', folder))).toMatchObject({ place: 'the pickle' });
    await writeFile(join(folder, 'data_batch_3'), batch);
    const meta = await readFile(join(folder, 'batches.meta'), 'latin1');
    await writeFile(join(folder, 'batches.meta'), meta.replace('label_names', 'label_namez'), 'latin1');
    expect(await refusalOf(() => openDataset('cifar10', folder))).toMatchObject({ place: 'label_names' });
    await writeFile(join(folder, 'batches.meta'), meta.replace('automobile', 'aeroplane!'), 'latin1');
    expect((await openDataset('cifar10', folder)).train.labels[1]).toBe('aeroplane!');
    await writeFile(join(folder, 'batches.meta'), meta.replace('\x0aautomobile', '\x08airplane'), 'latin1');
    expect((await refusalOf(() => openDataset('cifar10', folder))).found).toContain('"airplane" twice');
  });

  test.each(['train', 'test'])('without the %s images, in the folder of the user', async (split) => {
    const folder = own('cifar');
    await cp(hundred, folder, { recursive: true });
    await rm(join(folder, split));
    const { source, found, expected } = await refusalOf(() => openDataset('cifar100', folder));
    expect([source, found]).toEqual([folder, expect.stringContaining(`no ${split} images`)]);
    expect(expected).toContain(split);
  });

  test('a label that no class has', async () => {
    const folder = own('cifar');
    await cp(ten, folder, { recursive: true });
    await cp(inSets('bad-pickles', 'range'), join(folder, 'data_batch_2'));
    const { source, place, found } = await refusalOf(() => openDataset('cifar10', folder));
    expect([source, place]).toEqual([join(folder, 'data_batch_2'), 'labels[1]']);
    expect(found).toContain('7');
  });
});
