import { open } from 'node:fs/promises';
import { InputError } from '../base/errors.js';
import { IMAGE_BYTES, RECORD_BYTES, type RecordFile } from './dataset.js';

/**
 * Reads images out of record files.
 *
 * @param files - the dataset's files
 * @param indices - which images, counted over all files
 * @returns the pixels of the images one after another, `[indices.length, 3, 32, 32]`
 * @throws RangeError when an index is beyond the last image; InputError when a file is shorter than it was
 */
export async function readImages(
  files: readonly Pick<RecordFile, 'path' | 'records'>[],
  indices: readonly number[],
): Promise<Uint8Array> {
  const pixels = new Uint8Array(indices.length * IMAGE_BYTES);
  const handles = await Promise.all(files.map(({ path }) => open(path, 'r')));
  try {
    for (const [slot, index] of indices.entries()) {
      let file = 0;
      let record = index;
      while (file < files.length && record >= files[file]!.records) record -= files[file++]!.records;
      if (file === files.length || index < 0) throw new RangeError(`there is no image ${index}`);
      const place = record * RECORD_BYTES + 1;
      const { bytesRead } = await handles[file]!.read(pixels, slot * IMAGE_BYTES, IMAGE_BYTES, place);
      // Black rows instead of an image would be measured without anyone noticing.
      if (bytesRead < IMAGE_BYTES)
        throw new InputError({
          source: files[file]!.path,
          place: `record ${record}`,
          found: `${bytesRead} of its ${IMAGE_BYTES} bytes`,
          expected: `${files[file]!.records} whole records`,
          hint: 'The file was cut since it was opened: fetch it again.',
        });
    }
  } finally {
    await Promise.all(handles.map((handle) => handle.close()));
  }
  return pixels;
}
