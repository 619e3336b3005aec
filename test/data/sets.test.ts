import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { square } from '../../src/base/size.js';
import { decodeImage } from '../../src/data/images/decode.js';
import { resizedAndCut } from '../../src/data/images/resize.js';
import type { OpenedData } from '../../src/data/kind.js';
import { defaultPreprocessing, timmPreprocessing } from '../../src/data/preprocess.js';
import { readImages, recordsOf } from '../../src/data/records.js';
import type { Declaration } from '../../src/data/sets/declaration.js';
import { declarationFrom } from '../../src/data/sets/declared.js';
import { openDeclared } from '../../src/data/sets/open.js';
import { useFolderWithCache } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';

const fixtures = join(packageRoot(), 'test', 'data', 'fixtures', 'images');

const own = useFolderWithCache();

const png = (name: string): string => join(fixtures, 'png', `${name}.png`);

/** Class folders with copies of images, each under a name of its own. */
async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const path = own('set');
  for (const [name, from] of Object.entries(files)) {
    await mkdir(join(path, name, '..'), { recursive: true });
    await cp(from, join(path, name));
  }
  return path;
}

const opened = (path: string, said: Partial<Declaration> = {}): Promise<OpenedData> =>
  openDeclared(declarationFrom({ path, ...said }, 'own', own('suite.yaml')));

const plain = {
  'train/cat/a b – ü.png': png('rgb'),
  'train/cat/grey.jpg': join(fixtures, 'jpeg', 'grey.jpg'),
  'train/10/one.png': png('one'),
  'train/2/small.png': png('grey16-small'),
  'val/cat/tall.png': join(fixtures, 'folder', 'dog', 'tall.png'),
  'val/cat/wide.PNG': join(fixtures, 'folder', 'cat', 'wide.png'),
  'val/2/odd.png': join(fixtures, 'folder', '2', 'odd.png'),
};

describe('a folder of class folders', () => {
  test('has its classes in the order of their names as texts, and its images with the classes in turn', async () => {
    const path = await folder(plain);
    await writeFile(join(path, 'train', 'cat', 'notes.txt'), 'x');
    await writeFile(join(path, 'train', 'cat', '.hidden.png'), 'x');
    await mkdir(join(path, 'train', '.cache'));
    const { train, test: scored, findings } = await opened(path);
    expect(train.labels).toEqual(['10', '2', 'cat']);
    expect([...train.classes]).toEqual([0, 1, 2, 2]);
    expect([...scored.classes]).toEqual([1, 2, 2]);
    expect(findings).toEqual({ ignored: [{ suffix: '.txt', files: 1 }], looked: true, leaks: [] });
  });

  test('is decoded, resized and cut as the model wants it, once', async () => {
    const path = await folder(plain);
    const { test: scored } = await opened(path);
    const preprocessing = timmPreprocessing({ crop_pct: 0.9 }, square(32));
    const { records, indices } = await recordsOf(scored, preprocessing, [2, 0]);
    expect(records).toMatchObject({ layout: { height: 32, width: 32, labelBytes: 0 } });
    const files = ['val/cat/wide.PNG', 'val/2/odd.png'].map((name) => join(path, name));
    const expected = await Promise.all(
      files.map(async (file) =>
        resizedAndCut(await decodeImage(await readFile(file), { exif: false }), preprocessing),
      ),
    );
    expect(await readImages(records, indices)).toEqual(new Uint8Array(Buffer.concat(expected)));
    // Another opening finds them in the cache.
    const again = await recordsOf((await opened(path)).test, preprocessing, [2, 0]);
    expect(again.records).toEqual(records);
    const other = await recordsOf(scored, defaultPreprocessing(square(16)), [0]);
    expect(other.records.layout.height).toBe(16);
  });

  test('may have links, also in circles, and images in folders of folders', async () => {
    const path = await folder(plain);
    await cp(png('rgba'), own('elsewhere.png'));
    await mkdir(join(path, 'train', 'cat', 'deep', 'er'), { recursive: true });
    await symlink(own('elsewhere.png'), join(path, 'train', 'cat', 'deep', 'er', 'linked.png'));
    await symlink(join(path, 'train', 'cat'), join(path, 'train', 'cat', 'deep', 'circle'));
    expect((await opened(path)).train.count).toBe(5);
  });

  test('may be one split, of which a share of each class is kept for the test, always the same', async () => {
    const names = ['rgb', 'one', 'grey16', 'gamma', 'la', 'grey16-small', 'palette', 'rgb16'];
    const path = await folder(
      Object.fromEntries(
        ['a', 'b'].flatMap((label, at) =>
          names.slice(4 * at, 4 * at + 4).map((name) => [`${label}/${name}.png`, png(name)]),
        ),
      ),
    );
    await rm(join(path, 'b', 'palette.png'));
    await cp(join(fixtures, 'folder', 'dog', 'tall.png'), join(path, 'b', 'tall.png'));
    const { train, test: scored, findings } = await opened(path, { holdout: 0.25 });
    expect([...scored.classes]).toEqual([0, 1]);
    expect(train.count + scored.count + (findings?.leaks.length ?? 0)).toBe(8);
    expect((await opened(path, { holdout: 0.25 })).test.hash).toBe(scored.hash);
    expect((await refusalOf(() => opened(path))).place).toBe('splits');
  });

  test('may call its classes otherwise', async () => {
    const path = await folder(plain);
    expect((await opened(path, { labels: ['ten', 'two', 'tom'] })).train.labels).toEqual([
      'ten',
      'two',
      'tom',
    ]);
    expect(await refusalOf(() => opened(path, { labels: ['ten', 'two'] }))).toMatchObject({
      place: 'labels',
      found: '2 names',
    });
  });

  test('leaves out of the training images what is a test image, too: by its bytes, or by what it looks like', async () => {
    const path = await folder({
      ...plain,
      'train/2/same.png': join(fixtures, 'folder', '2', 'odd.png'),
      'val/cat/again.jpg': join(fixtures, 'jpeg', 'progressive.jpg'),
    });
    const { train, findings } = await opened(path);
    const leaks = findings?.leaks.map(({ kind, train: from, test: to }) =>
      [kind, from, to].map((text) => text.replace(`${path}/`, '')),
    );
    expect(leaks).toEqual([
      ['same bytes', 'train/2/same.png', 'val/2/odd.png'],
      ['looks alike', 'train/cat/a b – ü.png', 'val/cat/again.jpg'],
    ]);
    expect([...train.classes]).toEqual([0, 1, 2]);
  });

  test('is another set when an image is another, or is turned', async () => {
    const path = await folder(plain);
    const { hash } = (await opened(path)).test;
    expect((await opened(path, { exif: true })).test.hash).not.toBe(hash);
    await cp(png('interlaced'), join(path, 'val', '2', 'odd.png'));
    expect((await opened(path)).test.hash).not.toBe(hash);
  });
});

test('what is no file is left alone: a pipe would be read for ever', { timeout: 10_000 }, async () => {
  const path = await folder(plain);
  execFileSync('mkfifo', [join(path, 'train', 'cat', 'pipe.jpg')]);
  const { train } = await opened(path);
  expect(train.count).toBe(4);
});

describe('a folder is refused in one message with the place', () => {
  const damaged = join(fixtures, 'folder-bad', 'cat');

  test.each([
    ['truncated.jpg', 'premature end'],
    ['empty.jpg', 'an empty file'],
    ['text.png', 'not a pict'],
  ])('for an image that is none: %s', async (name, fact) => {
    const path = await folder({ ...plain, [`val/cat/${name}`]: join(damaged, name) });
    const { source, found } = await refusalOf(() => opened(path));
    expect(source).toBe(join(path, 'val', 'cat', name));
    expect(found).toContain(fact);
    // Nothing half-made stays.
    expect(await readdir(own('cache', 'entries', 'images')).catch(() => [])).toEqual([]);
  });

  test('for a class folder without images', async () => {
    const path = await folder({ ...plain, 'train/dog/notes.txt': join(fixtures, 'make.py') });
    const { source, expected } = await refusalOf(() => opened(path));
    expect(source).toBe(join(path, 'train', 'dog'));
    expect(expected).toContain('"dog"');
  });

  test('for a test class without training images', async () => {
    const path = await folder({ ...plain, 'val/dog/x.png': png('la') });
    expect(await refusalOf(() => opened(path))).toMatchObject({ source: join(path, 'val', 'dog') });
  });

  test('for splits that are not there', async () => {
    const path = await folder(plain);
    await rm(join(path, 'val'), { recursive: true });
    expect(await refusalOf(() => opened(path))).toMatchObject({ source: path, place: 'splits' });
    expect(await refusalOf(() => opened(path, { test: 'other' }))).toMatchObject({
      source: join(path, 'other'),
    });
    expect(await refusalOf(() => opened(join(path, 'nowhere')))).toMatchObject({
      source: join(path, 'nowhere'),
    });
  });

  test('for an image that has not the shape that the model takes', async () => {
    const { test: scored } = await opened(await folder(plain));
    const rendering = recordsOf(scored, { ...defaultPreprocessing(square(32)), fit: 'uncut' }, [0, 1]);
    expect((await refusalOf(() => rendering)).found).toMatch(/height 53.*width 37/);
  });
});
