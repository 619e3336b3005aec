import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unpackApart } from '../../src/data/parquet/process.js';
import { openDeclared } from '../../src/data/sets/open.js';
import { useFolderWithCache } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { declare, inSets, pythonRead, pythonReadSplits, read } from './support/oracle.js';

const own = useFolderWithCache();

describe('Parquet of Hugging Face', () => {
  test('has its splits by the names of its files, its classes by their names, and the pixels that Python reads', async () => {
    const { labels, splits } = await read(inSets('hub'));
    expect(labels).toEqual(['owl', 'cat', 'dog']);
    expect(splits).toEqual(pythonReadSplits('hub'));
  });

  test('as the Hub converts it: folders of splits, one label of two', async () => {
    const found = await read(inSets('converted'), { label: 'coarse_label' });
    expect(found.labels).toEqual(['x', 'y']);
    expect(found.splits).toEqual(pythonReadSplits('converted'));
    const { found: several, hint } = await refusalOf(() => read(inSets('converted')));
    expect(several).toContain('fine_label, coarse_label');
    expect(hint).toContain('label:');
    expect((await refusalOf(() => read(inSets('converted'), { label: 'corse_label' }))).found).toContain(
      'coarse_label',
    );
  });

  test('may lie in folders that are linked', async () => {
    await mkdir(own('linked'));
    await symlink(inSets('hub', 'data'), own('linked', 'data'));
    expect((await read(own('linked'))).splits).toEqual(pythonReadSplits('hub'));
  });

  test('is opened as a data set: each image decoded once, test images left out of the training images', async () => {
    const { train, test: scored, findings } = await openDeclared(declare(inSets('hub')));
    expect([train.count, scored.count]).toEqual([7, 3]);
    expect(findings).toMatchObject({ looked: true, leaks: [] });
    await cp(inSets('hub'), own('hub'), { recursive: true });
    const data = own('hub', 'data');
    await cp(join(data, 'test-00000-of-00001.parquet'), join(data, 'again.parquet'));
    const leaking = declare(own('hub'), { train: 'data/again.parquet' });
    const { place, found } = await refusalOf(() => openDeclared(leaking));
    expect(place).toContain('"owl"');
    expect(found).toContain('3 are left out');
  });

  test.each(['missing', 'of several sets', 'in two folders'])(
    'is refused where its files are %s',
    async (what) => {
      const folder = own('hub');
      await cp(inSets('hub'), folder, { recursive: true });
      const second = join(folder, 'data', 'train-00001-of-00002.parquet');
      if (what === 'missing') await rm(second);
      else if (what === 'of several sets')
        await cp(second, join(folder, 'data', 'train-00002-of-00003.parquet'));
      else {
        await mkdir(join(folder, 'other'));
        await cp(second, join(folder, 'other', 'train-00001-of-00002.parquet'));
      }
      expect((await refusalOf(() => read(folder))).place).toBe('the split train');
    },
  );

  test('is refused where a split is not there', async () => {
    const { found, place } = await refusalOf(() => read(inSets('hub'), { test: 'validation' }));
    expect(place).toBe('splits');
    expect(found).toContain('test, train');
    expect((await refusalOf(() => read(inSets('hub'), { holdout: 0.5 }))).place).toBe('splits');
  });
});

describe('Parquet of other programs', () => {
  test.each(
    ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'].flatMap((codec) => [`${codec}-1`, `${codec}-2`]),
  )('compressed and paged as %s, with a dictionary of texts for labels', async (name) => {
    const { labels, splits } = await read(inSets('codecs', `${name}.parquet`), { holdout: 0.5 });
    const expected = pythonRead(`codecs/${name}.parquet`);
    expect(labels).toEqual(['cock', 'hen']);
    expect(splits['all']?.pixels).toEqual(expected.pixels);
    expect(splits['all']?.labels.map((label) => labels[Number(label)])).toEqual(expected.labels);
  });

  test('may be a list of paths, relative to it', async () => {
    const { labels, splits } = await read(inSets('paths'), { train: 'train.parquet', test: 'test.parquet' });
    expect(labels).toEqual(['down', 'up']);
    expect(splits['train']?.labels).toEqual([1, 0]);
    expect(new Set([...(splits['train']?.pixels ?? []), ...(splits['test']?.pixels ?? [])]).size).toBe(4);
    await cp(inSets('paths'), own('paths'), { recursive: true });
    await rm(own('paths', 'images', 'c.png'));
    const { source, place, found } = await refusalOf(() => read(own('paths')));
    expect([source, place]).toEqual([own('paths', 'test.parquet'), 'row 0']);
    expect(found).toContain('c.png');
  });

  test('is read anew when it has changed, and once otherwise', async () => {
    const path = own('one.parquet');
    await cp(inSets('codecs', 'none-1.parquet'), path);
    const first = await read(path, { holdout: 0.5 });
    expect(await read(path, { holdout: 0.5 })).toEqual(first);
    await cp(inSets('codecs', 'zstd-2.parquet'), path);
    expect((await read(path, { holdout: 0.5 })).splits).not.toEqual(first.splits);
  });
});

describe('Parquet is refused in one message with the place', () => {
  test.each([
    ['no-image', 'columns', 'text, label'],
    ['no-label', 'columns', 'image, kind'],
    ['null-image', 'row 2, column image', 'null'],
    ['empty-image', 'row 2, column image', 'null'],
    ['null-label', 'row 1, column label', 'null'],
    ['float-label', 'column label', 'DOUBLE'],
    ['list-label', 'column label', 'LIST'],
    ['number-image', 'column image', 'INT64'],
    ['list-image', 'column image', 'LIST'],
    ['out-of-range', 'row 2', 'label 3'],
    ['unlabelled', 'row 0', 'label -1'],
    ['same-names', 'names of the classes', '"cat" twice'],
    ['no-json', 'huggingface', 'JSON'],
    ['no-rows', undefined, 'no rows'],
  ])('%s', async (name, place, found) => {
    const path = inSets('bad', `${name}.parquet`);
    const fault = await refusalOf(() => read(path, { holdout: 0.5 }));
    expect(fault.source).toBe(path);
    expect(fault.place ?? '').toContain(place ?? '');
    expect(fault.found).toContain(found);
  });

  test('for a picture that is none', async () => {
    const path = inSets('bad', 'no-picture.parquet');
    const fault = await refusalOf(() => openDeclared(declare(path, { holdout: 0.5 })));
    expect(fault).toMatchObject({ source: path, place: 'row 3' });
    expect(fault.found).toContain('no picture');
  });

  test('truncated, empty, or another file', async () => {
    const whole = inSets('hub', 'data', 'test-00000-of-00001.parquet');
    const path = own('a.parquet');
    const { length } = await readFile(whole);
    for (const bytes of [0, 3, 100, length - 1]) {
      await cp(whole, path);
      await truncate(path, bytes);
      const fault = await refusalOf(() => read(path, { holdout: 0.5 }));
      expect(fault).toMatchObject({ source: path, place: 'the end of the file' });
    }
    // The end is whole, what it speaks of is not.
    const bytes = await readFile(whole);
    bytes.fill(0xff, 4, 600);
    await writeFile(path, bytes);
    expect(await refusalOf(() => read(path, { holdout: 0.5 }))).toMatchObject({
      source: path,
      place: 'row group 0',
    });
  });

  test('for values without end, of which a few bytes speak', async () => {
    const bytes = await readFile(inSets('codecs', 'none-1.parquet'));
    // Five levels of one value in a run; then two thousand million.
    const levels = bytes.indexOf(Buffer.from([2, 0, 0, 0, 5 << 1, 1]));
    Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]).copy(bytes, levels + 4);
    const path = own('endless.parquet');
    await writeFile(path, bytes);
    expect((await refusalOf(() => unpackApart({ path, folder: own() }, undefined))).source).toBe(path);
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(unpackApart({ path, folder: own() }, stopped)).rejects.toThrow('enough');
  });

  test('for a share without holdout, and splits of a single file', async () => {
    const path = inSets('codecs', 'none-1.parquet');
    expect((await refusalOf(() => openDeclared(declare(path)))).found).toContain('one split');
    expect((await refusalOf(() => read(path, { train: 'a' }))).found).toContain('train or test');
  });
});
