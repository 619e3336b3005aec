import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { packageRoot } from '../../src/base/paths.js';
import { IMAGE_BYTES, RECORD_BYTES } from '../../src/data/dataset.js';
import { datasetOf, openDataset } from '../../src/data/registry.js';
import { readImages } from '../../src/data/records.js';
import {
  cifarFiles,
  labels,
  records,
  sha256,
  storedRecords,
  temporaryDirectory,
  writeFiles,
} from './support/cifar.js';

async function dataset(
  change: (files: Map<string, Buffer>) => void = () => undefined,
): Promise<{ readonly directory: string; readonly files: ReadonlyMap<string, Buffer> }> {
  const directory = await temporaryDirectory();
  const files = cifarFiles();
  change(files);
  await writeFiles(directory, files);
  return { directory, files };
}

function sumsOf(files: ReadonlyMap<string, Buffer>): string {
  return [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`).join('');
}

async function refusal(directory: string): Promise<string> {
  const error: unknown = await openDataset('cifar10', directory).then(
    () => 'it was opened',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

describe('a valid dataset', () => {
  test('gives its images, its labels and who vouches for them', async () => {
    const { directory, files } = await dataset();
    const { train, test: scored, verified } = await openDataset('cifar10', directory);
    expect(train).toMatchObject({ name: 'cifar10', split: 'train', count: 30, labels });
    expect(scored).toMatchObject({ name: 'cifar10', split: 'test', count: 10, labels });
    expect(verified).toBe(false);
    expect([...scored.classes]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...train.classes.subarray(0, 9)]).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4]);
    expect(storedRecords(train).files.map(({ records: count }) => count)).toEqual([4, 5, 6, 7, 8]);
    expect(storedRecords(train).files[1]).toEqual({
      path: join(directory, 'data_batch_2.bin'),
      records: 5,
      sha256: sha256(files.get('data_batch_2.bin')!),
    });
    expect(train.hash).not.toBe(scored.hash);
  });

  test('of one training batch is taken as it is', async () => {
    const { directory } = await dataset((files) => {
      for (const batch of [1, 2, 4, 5]) files.delete(`data_batch_${batch}.bin`);
    });
    const { train } = await openDataset('cifar10', directory);
    expect(train.count).toBe(6);
    const all = await openDataset('cifar10', (await dataset()).directory);
    expect(train.hash).not.toBe(all.train.hash);
  });

  test('has the same hash wherever it lies, and another one when a pixel differs', async () => {
    const [one, same, other] = await Promise.all([
      dataset(),
      dataset(),
      dataset((files) => void (files.get('test_batch.bin')![7]! ^= 1)),
    ]);
    const hashes = await Promise.all(
      [one, same, other].map(async ({ directory }) => (await openDataset('cifar10', directory)).test.hash),
    );
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  test('takes class names with Windows line ends', async () => {
    const { directory } = await dataset((files) =>
      files.set('batches.meta.txt', Buffer.from(labels.join('\r\n'))),
    );
    expect((await openDataset('cifar10', directory)).train.labels).toEqual(labels);
  });

  test('the built-in shapes10 is one, and its sums are right', async () => {
    const directory = join(packageRoot(), 'suites', 'data', 'shapes10');
    const { train, test: scored, verified } = await openDataset('shapes10', directory);
    expect([train.count, scored.count, verified]).toEqual([512, 1000, true]);
    expect(await datasetOf('shapes10').holds(directory)).toBe(true);
    expect(await datasetOf('cifar10').holds(directory)).toBe(false);
    expect(await datasetOf('cifar10').holds(join(directory, 'nowhere'))).toBe(false);
  });
});

describe('images are read from where they lie', () => {
  test('across files, in the order asked for', async () => {
    const { directory, files } = await dataset();
    const { train } = await openDataset('cifar10', directory);
    const pixels = await readImages(storedRecords(train), [29, 0, 4, 4]);
    const image = (name: string, record: number): Buffer =>
      files.get(name)!.subarray(record * RECORD_BYTES + 1, (record + 1) * RECORD_BYTES);
    const expected = [image('data_batch_5.bin', 7), image('data_batch_1.bin', 0)];
    const first = image('data_batch_2.bin', 0);
    expect(Buffer.concat([...expected, first, first]).equals(pixels)).toBe(true);
    expect(pixels).toHaveLength(4 * IMAGE_BYTES);
  });

  test.each([30, -1])('there is no image %i', async (index) => {
    const { directory } = await dataset();
    const { train } = await openDataset('cifar10', directory);
    await expect(readImages(storedRecords(train), [0, index])).rejects.toThrow(RangeError);
  });

  test('a file that was cut since gives no black images', async () => {
    const { directory } = await dataset();
    const { test: scored } = await openDataset('cifar10', directory);
    await truncate(join(directory, 'test_batch.bin'), 9 * RECORD_BYTES + 100);
    await expect(readImages(storedRecords(scored), [8])).resolves.toHaveLength(IMAGE_BYTES);
    await expect(readImages(storedRecords(scored), [9])).rejects.toThrow(
      `test_batch.bin: record 9: found 99 of its ${IMAGE_BYTES} bytes`,
    );
  });
});

describe('sums beside the files', () => {
  test('vouch for them', async () => {
    const { directory, files } = await dataset();
    await writeFile(join(directory, 'SHA256SUMS'), sumsOf(files));
    expect((await openDataset('cifar10', directory)).verified).toBe(true);
  });

  test.each(['data_batch_4.bin', 'batches.meta.txt'])(
    'do not vouch when %s is not among them',
    async (file) => {
      const { directory, files } = await dataset();
      const listed = new Map([...files].filter(([name]) => name !== file));
      await writeFile(join(directory, 'SHA256SUMS'), sumsOf(listed));
      expect((await openDataset('cifar10', directory)).verified).toBe(false);
    },
  );

  test.each(['data_batch_1.bin', 'test_batch.bin', 'batches.meta.txt'])(
    'reveal an altered %s',
    async (file) => {
      const { directory, files } = await dataset();
      await writeFile(join(directory, 'SHA256SUMS'), sumsOf(files));
      const altered = Buffer.from(files.get(file)!);
      altered[1]! ^= 1;
      await writeFile(join(directory, file), altered);
      expect(await refusal(directory)).toBe(
        `${join(directory, file)}: found SHA-256 ${sha256(altered)}; ` +
          `expected ${sha256(files.get(file)!)}, as SHA256SUMS says\nThe file was altered or damaged: fetch it again.`,
      );
    },
  );

  test('must be sums', async () => {
    const { directory, files } = await dataset();
    await writeFile(join(directory, 'SHA256SUMS'), `${sumsOf(files)}nonsense\n`);
    expect(await refusal(directory)).toMatch(/SHA256SUMS: line 9: found "nonsense"; expected a SHA-256 sum/);
  });
});

describe('what is refused, in one message that says where', () => {
  test('a truncated file', async () => {
    const { directory } = await dataset();
    await truncate(join(directory, 'data_batch_2.bin'), 2 * RECORD_BYTES + 17);
    expect(await refusal(directory)).toBe(
      `${join(directory, 'data_batch_2.bin')}: record 2: found 6163 bytes, 17 of them after the last whole record; ` +
        'expected a multiple of 3073 bytes (a label and 3 × 32 × 32 pixels each)\nThe file is truncated: fetch it again.',
    );
  });

  test('an empty file', async () => {
    const { directory } = await dataset((files) => files.set('test_batch.bin', Buffer.alloc(0)));
    expect(await refusal(directory)).toMatch(/test_batch\.bin: record 0: found 0 bytes/);
  });

  test('a label out of range', async () => {
    const { directory } = await dataset(
      (files) => void (files.get('data_batch_5.bin')![6 * RECORD_BYTES] = 10),
    );
    expect(await refusal(directory)).toBe(
      `${join(directory, 'data_batch_5.bin')}: record 6: found label 10; expected a label from 0 to 9`,
    );
  });

  test('no training images', async () => {
    const { directory } = await dataset((files) => {
      for (const batch of [1, 2, 3, 4, 5]) files.delete(`data_batch_${batch}.bin`);
    });
    expect(await refusal(directory)).toBe(
      `${directory}: found no train images (batches.meta.txt, readme.html, test_batch.bin); ` +
        'expected the files of cifar10, named like data_batch_[1-5].bin',
    );
  });

  test('no test images', async () => {
    const { directory } = await dataset((files) => files.delete('test_batch.bin'));
    expect(await refusal(directory)).toMatch(/found no test images .* named like test_batch\.bin/);
  });

  test('no class names', async () => {
    const { directory } = await dataset((files) => files.set('batches.meta.txt', Buffer.from('\n\n')));
    expect(await refusal(directory)).toMatch(/batches\.meta\.txt: found no class name/);
    await rm(join(directory, 'batches.meta.txt'));
    expect(await refusal(directory)).toMatch(/batches\.meta\.txt: found no such file/);
  });

  test('a directory that is not there', async () => {
    expect(await refusal(join(await temporaryDirectory(), 'nowhere'))).toMatch(
      /nowhere.*: found no such file/,
    );
  });

  test('other files are not mistaken for batches', async () => {
    const { directory } = await dataset((files) => {
      files.set('data_batch_6.bin', records(3, 1));
      files.set('data_batch_1.bin.partial', records(3, 1));
      files.set('test_batch.bin.old', records(3, 1));
    });
    await mkdir(join(directory, 'data_batch_1'));
    const { train, test: scored } = await openDataset('cifar10', directory);
    expect([train.count, scored.count]).toEqual([30, 10]);
  });
});
