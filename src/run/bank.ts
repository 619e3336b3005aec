import { appendFile } from 'node:fs/promises';
import { readImages, type RecordPlaces } from '../data/records.js';
import type { TrainingImages } from '../data/training-images.js';

/** Images that are copied at once. */
const PORTION = 500;

/** Training images whose embeddings those of test images are held against. */
export interface Bank {
  /** The images, one after the other. */
  readonly records: RecordPlaces;
  /** The class of each. */
  readonly classes: Uint16Array;
}

/**
 * Writes the training images of a bank to a file of their own: a device is given these alone, and runs on them as on the test images.
 *
 * @param drawn - the images
 * @param path - of the file, which is not there yet
 * @param signal - ends the work
 */
export async function writeBank(
  { chosen: { records, indices }, classes }: Pick<TrainingImages, 'chosen' | 'classes'>,
  path: string,
  signal: AbortSignal,
): Promise<Bank> {
  for (let start = 0; start < indices.length; start += PORTION) {
    signal.throwIfAborted();
    await appendFile(path, await readImages(records, indices.slice(start, start + PORTION)));
  }
  return {
    records: {
      layout: { ...records.layout, labelBytes: 0 },
      files: [{ path, records: indices.length }],
    },
    classes,
  };
}
