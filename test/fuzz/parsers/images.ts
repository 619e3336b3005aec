import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Header } from 'tar';
import { RECORD_BYTES } from '../../../src/data/dataset.js';
import { extractFiles } from '../../../src/data/extract.js';
import { openDataset } from '../../../src/data/registry.js';
import { damagedBytes } from '../generate/bytes.js';
import { defineParser, type Parser } from '../parser.js';

const labels = Buffer.from('airplane\nautomobile\nbird\n');
const records = Buffer.alloc(3 * RECORD_BYTES);
for (let record = 0; record < 3; record++) records[record * RECORD_BYTES] = record;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const sums = Buffer.from(`${sha256(records)}  test_batch.bin\n${sha256(labels)} *batches.meta.txt\n`);

const maybe = (bytes: Buffer): fc.Arbitrary<Buffer> => fc.oneof(fc.constant(bytes), damagedBytes(bytes));

const TYPES = ['File', 'OldFile', 'Directory', 'SymbolicLink', 'Link', 'FIFO', 'CharacterDevice'] as const;

const entry = fc
  .record({
    path: fc.constantFrom(
      'a/b.bin',
      './a/b.bin',
      'a/c.txt',
      'a',
      '../x',
      '/tmp/x',
      'a/../../x',
      'a/b.bin/c',
      '',
    ),
    type: fc.constantFrom(...TYPES),
    linkpath: fc.constantFrom('', '/etc/passwd', '../..', 'b.bin'),
    size: fc.nat(2000),
  })
  .map(({ path, type, linkpath, size }) => {
    const block = Buffer.alloc(512);
    new Header({ path, type, size, linkpath, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) }).encode(
      block,
      0,
    );
    return Buffer.concat([block, Buffer.alloc(512 * Math.ceil(size / 512), 65)]);
  });

const tar = fc
  .array(entry, { maxLength: 5 })
  .map((entries) => Buffer.concat([...entries, Buffer.alloc(1024)]));

const damagedTar = tar.chain((bytes) => fc.oneof(fc.constant(bytes), damagedBytes(bytes)));

/** Records of images with their sums, and the archives that they come in. */
export const images: readonly Parser[] = [
  defineParser({
    name: 'cifar-records',
    inputs: fc.record({
      train: maybe(records),
      test: maybe(records),
      labels: maybe(labels),
      sums: fc.oneof(maybe(sums), fc.constant(Buffer.alloc(0))),
    }),
    prepare: (folder) =>
      Promise.resolve(async (files) => {
        await writeFile(join(folder, 'data_batch_1.bin'), files.train);
        await writeFile(join(folder, 'test_batch.bin'), files.test);
        await writeFile(join(folder, 'batches.meta.txt'), files.labels);
        await writeFile(join(folder, 'SHA256SUMS'), files.sums);
        await openDataset('cifar10', folder);
      }),
  }),
  defineParser({
    name: 'tar',
    inputs: fc.oneof(
      { weight: 3, arbitrary: damagedTar.map((bytes) => gzipSync(bytes, { level: 1 })) },
      { weight: 2, arbitrary: damagedTar },
      { weight: 1, arbitrary: damagedTar.chain((bytes) => damagedBytes(gzipSync(bytes, { level: 1 }))) },
      {
        weight: 1,
        arbitrary: fc
          .integer({ min: 1, max: 64 })
          .map((mebibytes) => gzipSync(Buffer.alloc(mebibytes << 20))),
      },
    ),
    prepare: async (folder) => {
      const archive = join(folder, 'a.tar.gz');
      const place = join(folder, 'around', 'out');
      await mkdir(join(folder, 'around'));
      return async (bytes) => {
        await writeFile(archive, bytes);
        try {
          await extractFiles(archive, ['a/b.bin', 'a/c.txt'], place, AbortSignal.timeout(60_000), 2 ** 20);
        } finally {
          const written = await readdir(join(folder, 'around'), { recursive: true });
          const strange = written.find((file) => !/^out(\/a(\/(b\.bin|c\.txt))?)?$/.test(file));
          if (strange !== undefined) await Promise.reject(new TypeError(`wrote ${strange}`));
        }
      };
    },
  }),
];
