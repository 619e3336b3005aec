import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { InputError, type InputFault } from '../../base/errors.js';
import { marksSchema, type NamedParts } from '../marks.js';
import { columnsOf, type Columns } from './columns.js';
import { openParquet, type ParquetFile } from './file.js';
import { rowOf } from './row.js';

/** A file to be unpacked, and where to. */
export interface UnpackTask extends NamedParts {
  readonly path: string;
  /** It is there, and empty. */
  readonly folder: string;
}

/** What came of it. */
export type UnpackResult =
  { readonly kind: 'unpacked' } | { readonly kind: 'refused'; readonly fault: InputFault };

/** The images that lie within the file, one after another. */
export const IMAGES = 'images.bin';
/** What is noted of its rows. */
export const INDEX = 'index.json';

export const indexSchema = z.object({
  /** How many bytes of `images.bin` each image takes; or the path of its own file. */
  images: z.array(z.union([z.number(), z.string()])),
  /** What stands beside each for its class. */
  marks: marksSchema,
  /** What the file calls the classes. */
  names: z.array(z.string()).optional(),
});

/**
 * Writes the images of a Parquet file and what stands beside them into a folder, a row group at a time. Faults are values: what is
 * thrown in another process arrives without its class.
 *
 * @param task - the file, its columns and the folder
 */
export async function unpackParquet({ path, folder, image, label }: UnpackTask): Promise<UnpackResult> {
  try {
    const file = await openParquet(path);
    await unpack(file, columnsOf(file, { image, label }), folder);
    return { kind: 'unpacked' };
  } catch (error) {
    if (error instanceof InputError) return { kind: 'refused', fault: error.fault };
    throw error;
  }
}

async function unpack(file: ParquetFile, columns: Columns, folder: string): Promise<void> {
  const { path, groups, rows } = file;
  if (rows === 0) throw new InputError({ source: path, found: 'no rows', expected: 'some images' });
  const images: (number | string)[] = [];
  const marks: (string | number)[] = [];
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    for (const group of groups)
      for (const [index, each] of (await file.read(group, [columns.image, columns.label])).entries()) {
        const { image, mark } = rowOf(path, group.begin + index, each, columns);
        marks.push(mark);
        if (typeof image === 'string') images.push(resolve(dirname(path), image));
        else {
          images.push(image.length);
          yield image;
        }
      }
  };
  await pipeline(parts, createWriteStream(join(folder, IMAGES)));
  const kind = typeof marks[0] === 'number' ? 'numbers' : 'names';
  const index = { images, marks: { kind, values: marks }, names: columns.names };
  await writeFile(join(folder, INDEX), JSON.stringify(index));
}
