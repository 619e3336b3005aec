import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { packageRoot } from '../../../src/base/paths.js';
import { imagesIn, marksIn } from '../../../src/data/arrays/contents.js';
import { NpyError, readNpy } from '../../../src/data/arrays/npy.js';
import { filesInZip } from '../../../src/data/arrays/zip.js';
import { unpackApart } from '../../../src/data/parquet/process.js';
import { openDataset } from '../../../src/data/registry.js';
import { damagedBytes } from '../generate/bytes.js';
import { defineParser, type Parser } from '../parser.js';

const sets = join(packageRoot(), 'test', 'data', 'fixtures', 'sets');
const file = (...names: readonly string[]): Buffer => readFileSync(join(sets, ...names));

/** An array of so many bytes as `numpy.save` writes it. */
function saved(descr: string, fortran: boolean, shape: string, body: Buffer): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape}), }\n`;
  const header = Buffer.from(text);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.from([header.length, 0]),
    header,
    body,
  ]);
}

const arrays = [
  saved('|u1', false, '2, 2, 3, 3', Buffer.alloc(36, 7)),
  saved('>i4', true, '2, 3, 2', Buffer.alloc(48, 1)),
  saved('<U2', false, '3,', Buffer.alloc(24)),
  saved('<f8', false, '2, 1', Buffer.alloc(16)),
];

const PICKLES = 'cifar-10-batches-py';
const seeds = ['none-1', 'none-2', 'snappy-1', 'gzip-2', 'brotli-1', 'zstd-1', 'lz4-2'];

/** Files of data sets of images. */
export const imageSets: readonly Parser[] = [
  defineParser({
    name: 'npy',
    inputs: damagedBytes(...arrays),
    documents: (error) => error instanceof NpyError,
    prepare: () =>
      Promise.resolve((bytes: Buffer) => {
        const array = readNpy(bytes);
        for (const read of [imagesIn, marksIn])
          try {
            read(array);
          } catch (error) {
            if (!(error instanceof NpyError)) throw error;
          }
      }),
  }),
  defineParser({
    name: 'npz',
    inputs: damagedBytes(file('arrays', 'med.npz'), file('arrays', 'stored.npz')),
    prepare: (folder) => {
      const path = join(folder, 'a.npz');
      return Promise.resolve(async (bytes: Buffer) => {
        await writeFile(path, bytes);
        await filesInZip(path);
      });
    },
  }),
  defineParser({
    name: 'parquet',
    inputs: fc.oneof(
      damagedBytes(...seeds.map((name) => file('codecs', `${name}.parquet`))),
      damagedBytes(file('hub', 'data', 'train-00001-of-00002.parquet'), file('paths', 'train.parquet')),
    ),
    prepare: (folder) => {
      const path = join(folder, 'a.parquet');
      const unpacked = join(folder, 'unpacked');
      return Promise.resolve(async (bytes: Buffer) => {
        await rm(unpacked, { recursive: true, force: true });
        await mkdir(unpacked);
        await writeFile(path, bytes);
        await unpackApart({ path, folder: unpacked }, undefined);
      });
    },
  }),
  defineParser({
    name: 'pickle',
    inputs: fc.record({
      batch: fc.oneof(
        damagedBytes(...['data_batch_1', 'data_batch_2', 'data_batch_4'].map((name) => file(PICKLES, name))),
        damagedBytes(file('bad-pickles', 'code')),
      ),
      meta: fc.oneof(fc.constant(file(PICKLES, 'batches.meta')), damagedBytes(file(PICKLES, 'batches.meta'))),
    }),
    prepare: async (folder) => {
      await writeFile(join(folder, 'test_batch'), file(PICKLES, 'test_batch'));
      return async ({ batch, meta }) => {
        await writeFile(join(folder, 'data_batch_1'), batch);
        await writeFile(join(folder, 'batches.meta'), meta);
        await openDataset('cifar10', folder);
      };
    },
  }),
];
