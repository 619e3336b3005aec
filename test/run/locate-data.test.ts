import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { cache } from '../../src/cache/store.js';
import { datasetKey } from '../../src/data/location.js';
import { locateData } from '../../src/run/locate-data.js';
import { useFolder } from '../support/folder.js';
import { shapesDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { storedRecords } from '../data/support/cifar.js';

const folder = useFolder();

beforeEach(() => {
  vi.stubEnv('EDGEFLEX_CACHE', folder('cache'));
  vi.stubEnv('EDGEFLEX_DATA', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
});

/** Puts images with the names of CIFAR-10's files into a folder: the built-in ones, which have its layout. */
async function putImages(...names: string[]): Promise<void> {
  await mkdir(folder(...names), { recursive: true });
  const files = {
    'train.bin': 'data_batch_1.bin',
    'test.bin': 'test_batch.bin',
    'labels.txt': 'batches.meta.txt',
  };
  for (const [from, to] of Object.entries(files)) await cp(join(shapesDirectory, from), folder(...names, to));
}

/** Puts them where fetched images lie. */
async function putFetched(): Promise<string> {
  await putImages('fetched');
  const entry = await cache().make(datasetKey('cifar10'), { title: 'cifar10' }, (files) =>
    cp(folder('fetched'), files, { recursive: true }),
  );
  return entry.files;
}

/** The folder in which test images were found. */
async function found(own?: string, given?: string): Promise<string> {
  const { test } = await locateData('cifar10', own, given);
  return join(storedRecords(test).files[0]!.path, '..');
}

describe('the images of a suite', () => {
  it('are found in its own folder, though others are named', async () => {
    await putImages('own');
    await putImages('given');
    vi.stubEnv('EDGEFLEX_DATA', folder('elsewhere'));
    expect(await found(folder('own'), folder('given'))).toBe(folder('own'));
  });

  it('are refused where --data names a folder that does not exist, needed or not', async () => {
    await putImages('own');
    const fault = await refusalOf(() => locateData('cifar10', folder('own'), folder('misspelt')));
    expect(fault.source).toBe('--data');
    expect(fault.found).toContain(folder('misspelt'));
  });

  it('are found in the folder that --data names, and in the one of their name inside it', async () => {
    await putImages('given');
    await putImages('outer', 'cifar-10-batches-bin');
    expect(await found(undefined, folder('given'))).toBe(folder('given'));
    expect(await found(undefined, folder('outer'))).toBe(folder('outer', 'cifar-10-batches-bin'));
  });

  it('are found where they were fetched to, and sooner where EDGEFLEX_DATA says', async () => {
    const fetched = await putFetched();
    expect(await found()).toBe(fetched);
    await putImages('named');
    vi.stubEnv('EDGEFLEX_DATA', folder('named'));
    expect(await found()).toBe(folder('named'));
  });

  it('are found though nobody names them when they come with EdgeFlex', async () => {
    vi.stubEnv('EDGEFLEX_DATA', folder('elsewhere'));
    const { test } = await locateData('shapes10', undefined, undefined);
    expect(storedRecords(test).files[0]!.path).toBe(join(shapesDirectory, 'test.bin'));
  });
});

describe('images that are not there', () => {
  it('are refused by what named the folder, although others were fetched', async () => {
    await putFetched();
    const own = await refusalOf(() => locateData('cifar10', folder('own'), undefined));
    expect(own.source).toBe("the suite's data.path");
    expect(own.found).toContain(folder('own'));
    const given = await refusalOf(() => locateData('cifar10', undefined, folder('given')));
    expect(given.source).toBe('--data');
    vi.stubEnv('EDGEFLEX_DATA', folder('named'));
    const named = await refusalOf(() => locateData('cifar10', undefined, undefined));
    expect(named.source).toBe('EDGEFLEX_DATA');
    expect(named.found).toContain(folder('named', 'cifar-10-batches-bin'));
  });

  it('are refused with the way to get them', async () => {
    const fault = await refusalOf(() => locateData('cifar10', undefined, undefined));
    expect(fault.source).toBe('cifar10');
    expect(fault.found).toContain(folder('cache'));
    expect(fault.hint).toContain('edgeflex data fetch cifar10');
  });
});
