import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { collect } from '../../src/data/sets/collect.js';
import type { Declaration } from '../../src/data/sets/declaration.js';
import { openDeclared } from '../../src/data/sets/open.js';
import { temporaryDirectory } from './support/cifar.js';

/** A folder with images of 1 × 1 pixel of different greys, and lists. */
async function folder(lists: Record<string, string>): Promise<string> {
  const path = await temporaryDirectory();
  await mkdir(join(path, 'images'));
  for (const [index, name] of ['a', 'b', 'c', 'd'].entries())
    await writeFile(
      join(path, 'images', `${name}.ppm`),
      Buffer.concat([Buffer.from('P6 2 1 255\n'), Buffer.from([60 * index, 9, 200, 7, 60 * index, 3])]),
    );
  for (const [name, text] of Object.entries(lists)) await writeFile(join(path, name), text);
  return path;
}

function declare(path: string, more: Partial<Declaration> = {}): Declaration {
  return { name: 'listed', source: 'suite.yaml', path, ...more };
}

const train = 'split,path,label\r\nx,images/a.ppm,"hen, white"\r\nx,images/b.ppm,cock\r\n';
const splits = { train: 'train.csv', test: 'test.csv' };

async function refusal(declaration: Declaration): Promise<string> {
  const error: unknown = await collect(declaration).then(
    () => 'collected',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

describe('lists of images', () => {
  test('name the images of both splits and their classes', async () => {
    const path = await folder({
      'train.csv': `\uFEFF${train}`,
      'test.csv': 'label,path\ncock,images/c.ppm\n"hen, white",images/d.ppm\n',
    });
    const opened = await openDeclared(declare(path, splits));
    expect(opened.train).toMatchObject({ labels: ['cock', 'hen, white'], count: 2 });
    expect([...opened.test.classes]).toEqual([0, 1]);
    const { splits: found } = await collect(declare(path, splits));
    expect(found.kind === 'declared' && found.train.map(({ place, label }) => [place.path, label])).toEqual([
      [join(path, 'images/a.ppm'), 1],
      [join(path, 'images/b.ppm'), 0],
    ]);
  });

  test('have numbers for classes, in their order and not as texts, or of the declared classes', async () => {
    const rows = ['10', '2', '9', '2'].map((label, index) => `images/${'abcd'.charAt(index)}.ppm,${label}\n`);
    const path = await folder({
      'all.csv': `path,label\n${rows.join('')}`,
      'few.csv': 'path,label\nimages/a.ppm,1\nimages/b.ppm,0\nimages/c.ppm,1\n',
    });
    const numbered = await collect(declare(join(path, 'all.csv'), { holdout: 0.5 }));
    expect(numbered.labels).toEqual(['2', '9', '10']);
    const { splits: found } = await collect(
      declare(join(path, 'few.csv'), { holdout: 0.5, labels: ['y', 'x'] }),
    );
    expect(found.kind === 'one' && found.all.map(({ label }) => label)).toEqual([1, 0, 1]);
    const other = declare(join(path, 'all.csv'), { holdout: 0.5, labels: ['y', 'x'] });
    expect(await refusal(other)).toContain('"10"');
  });

  test('are in UTF-8 or refused', async () => {
    const path = await folder({});
    const list = join(path, 'all.csv');
    await writeFile(list, Buffer.from('path,label\nimages/a.ppm,café\nimages/b.ppm,x\n', 'latin1'));
    expect(await refusal(declare(list, { holdout: 0.5 }))).toContain('UTF-8');
    await writeFile(list, Buffer.from('\uFEFFpath,label\nimages/a.ppm,ä\n', 'utf16le'));
    expect(await refusal(declare(list, { holdout: 0.5 }))).toContain('UTF-16');
  });

  test('may be one, in TSV, with classes in the declared order', async () => {
    const path = await folder({ 'all.tsv': 'path\tlabel\nimages/a.ppm\ty\nimages/b.ppm\tx\n' });
    const { labels, splits: found } = await collect(
      declare(join(path, 'all.tsv'), { holdout: 0.5, labels: ['y', 'x'] }),
    );
    expect(labels).toEqual(['y', 'x']);
    expect(found.kind === 'one' && found.all.map(({ label }) => label)).toEqual([0, 1]);
  });

  test.each([
    [
      'a class that is not trained',
      'path,label\nimages/c.ppm,cock\n\nimages/d.ppm,duck\n',
      'line 4',
      '"duck"',
    ],
    ['a file that is not there', 'path,label\nimages/c.ppm,cock\nimages/no.ppm,cock\n', 'line 3', 'no.ppm'],
    ['a folder', 'path,label\nimages,cock\n', 'line 2', 'images'],
    ['a column that is missing', 'path,class\nimages/c.ppm,cock\n', 'line 1', '"label"'],
    ['a label that is empty', 'path,label\nimages/c.ppm,\n', 'line 2', 'label'],
    ['a line that is too short', 'path,label\nimages/c.ppm\n', 'line 2', 'test.csv'],
    ['no lines', 'path,label\n', 'test.csv', 'no line'],
    ['nothing', '', 'line 1', '"path"'],
  ])('refuse %s, with the place', async (_, text, place, found) => {
    const path = await folder({ 'train.csv': train, 'test.csv': text });
    const message = await refusal(declare(path, splits));
    for (const fact of ['test.csv', place, found]) expect(message).toContain(fact);
  });

  test('refuse a list that is not there, one split of two, and one class', async () => {
    const path = await folder({ 'train.csv': train, 'one.csv': 'path,label\nimages/a.ppm,x\n' });
    expect(await refusal(declare(path, splits))).toContain('test.csv');
    expect(await refusal(declare(path, { train: 'train.csv' }))).toContain('test');
    expect(await refusal(declare(join(path, 'one.csv'), { holdout: 0.5 }))).toContain('"x"');
  });
});

test('class folders of one name are one class, however their accents are encoded', async () => {
  const path = await folder({});
  const image = await readFile(join(path, 'images', 'a.ppm'));
  for (const [split, form] of [
    ['train', 'NFC'],
    ['test', 'NFD'],
  ] as const)
    for (const name of ['bar', 'café']) {
      const own = join(path, split, name.normalize(form));
      await mkdir(own, { recursive: true });
      await writeFile(join(own, 'a.ppm'), image);
    }
  const { labels, splits: found } = await collect(declare(path));
  expect(labels).toEqual(['bar', 'café']);
  expect(found.kind === 'declared' && found.test.map(({ label }) => label)).toEqual([0, 1]);
});
