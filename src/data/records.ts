import { open } from 'node:fs/promises';
import { InputError } from '../base/errors.js';
import {
  imageBytes,
  recordBytes,
  type Dataset,
  type RecordFile,
  type RecordLayout,
  type Records,
  type Split,
  type Work,
} from './dataset.js';
import type { Preprocessing } from './preprocess.js';
import { resizingOf } from './resizing.js';

/**
 * What the images of a data set go through: where they come resized and cut, the preprocessing has that behind it.
 *
 * @param dataset - the data set
 * @param preprocessing - of a model
 */
export function preprocessingOfImages(
  { images }: Dataset<Split>,
  preprocessing: Preprocessing,
): Preprocessing {
  return images.kind === 'pictures' ? { ...preprocessing, resized: true } : preprocessing;
}

/** Images as records, and which of the records they are. */
export interface ChosenRecords {
  readonly records: Records;
  readonly indices: readonly number[];
}

/**
 * Images of a data set as records that the preprocessing graph takes.
 *
 * @param dataset - the data set
 * @param preprocessing - what they will go through
 * @param indices - which images
 * @param work - progress and signal, where they must be decoded first
 * @throws InputError when an image cannot be read; the signal's reason when it fires
 */
export async function recordsOf(
  dataset: Dataset<Split>,
  preprocessing: Preprocessing,
  indices: readonly number[],
  work: Work = {},
): Promise<ChosenRecords> {
  const { images } = dataset;
  if (images.kind === 'records') return { records: images.records, indices };
  const records = await images.rendered(resizingOf(preprocessing), indices, work);
  return { records, indices: indices.map((_, index) => index) };
}

/**
 * The first images of a test split as records: those that are scored.
 *
 * @param test - the split
 * @param preprocessing - what they will go through
 * @param count - how many
 * @param work - progress and signal, where they must be decoded first
 * @throws InputError when an image cannot be read; the signal's reason when it fires
 */
export function scoredRecords(
  test: Dataset<'test'>,
  preprocessing: Preprocessing,
  count: number,
  work: Work = {},
): Promise<ChosenRecords> {
  const indices = Array.from({ length: count }, (_, index) => index);
  return recordsOf(test, preprocessing, indices, work);
}

/** Where records lie, and how. */
export interface RecordPlaces {
  readonly layout: RecordLayout;
  readonly files: readonly Pick<RecordFile, 'path' | 'records'>[];
}

/**
 * Reads images out of record files.
 *
 * @param records - the files, and how the records lie in them
 * @param indices - which images, counted over all files
 * @returns the pixels of the images one after another, `[indices.length, 3, height, width]`
 * @throws RangeError when an index is beyond the last image; InputError when a file is shorter than it was
 */
export async function readImages(
  { files, layout }: RecordPlaces,
  indices: readonly number[],
): Promise<Uint8Array> {
  const [size, step] = [imageBytes(layout), recordBytes(layout)];
  const pixels = new Uint8Array(indices.length * size);
  const handles = await Promise.all(files.map(({ path }) => open(path, 'r')));
  try {
    for (const [slot, index] of indices.entries()) {
      let file = 0;
      let record = index;
      while (file < files.length && record >= files[file]!.records) record -= files[file++]!.records;
      if (file === files.length || index < 0) throw new RangeError(`there is no image ${index}`);
      const place = record * step + layout.labelBytes;
      const { bytesRead } = await handles[file]!.read(pixels, slot * size, size, place);
      // Black rows instead of an image would be measured without anyone noticing.
      if (bytesRead < size)
        throw new InputError({
          source: files[file]!.path,
          place: `record ${record}`,
          found: `${bytesRead} of its ${size} bytes`,
          expected: `${files[file]!.records} whole records`,
          hint: 'The file was cut since it was opened: fetch it again.',
        });
    }
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
  return pixels;
}
