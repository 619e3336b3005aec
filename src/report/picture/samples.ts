import { InputError } from '../../base/errors.js';
import { imageBytes, IMAGE_CHANNELS, type Records } from '../../data/dataset.js';
import { readImages } from '../../data/records.js';
import { locateData } from '../../run/locate-data.js';
import { traceVariant, type Trace } from '../../run/trace/trace.js';
import type { Engine } from '../../runtime/engine.js';
import { NOTHING_MADE } from '../../store/write.js';
import type { RunData } from '../../store/read.js';
import type { ModelPicture } from '../../analysis/picture/picture.js';
import type { ImageReason } from '../../text/picture.js';
import type { SmallImage } from './images.js';

/** The test images of a run. */
export interface TestImages {
  readonly records: Records;
}

/**
 * The test images of a run, where they are still there and still the same.
 *
 * @param data - of the run
 * @param given - the folder of the images, if they do not lie where they are looked for
 * @returns why they cannot be shown, where they cannot
 */
export async function testImagesOf(
  { name, hash }: RunData,
  given: string | undefined,
): Promise<TestImages | ImageReason> {
  try {
    const { test } = await locateData(name, undefined, given);
    if (test.hash !== hash) return { kind: 'other-images', name };
    // Pictures are cut as the model wants them, which a run does not store.
    if (test.images.kind !== 'records') return { kind: 'pictures', name };
    return { records: test.images.records };
  } catch (error) {
    if (error instanceof InputError) return { kind: 'not-found', name, message: error.message };
    throw error;
  }
}

/** Test images as pictures are made of. */
export interface Sample {
  /** Its place in the test split. */
  readonly index: number;
  readonly image: SmallImage;
}

/**
 * Reads test images.
 *
 * @param images - where they lie
 * @param indices - which
 * @throws InputError when a file is shorter than it was
 */
export async function samplesOf({ records }: TestImages, indices: readonly number[]): Promise<Sample[]> {
  const { layout } = records;
  const size = imageBytes(layout);
  const pixels = await readImages(records, indices);
  const planes = layout.channels ?? IMAGE_CHANNELS;
  return indices.map((index, place) => ({
    index,
    image: {
      ...{ width: layout.width, height: layout.height },
      pixels: threePlanes(pixels.subarray(place * size, (place + 1) * size), planes),
    },
  }));
}

/** Of arrays that are no colours, the first plane in grey. */
function threePlanes(pixels: Uint8Array, planes: number): Uint8Array {
  if (planes === IMAGE_CHANNELS) return pixels;
  const plane = pixels.subarray(0, pixels.length / planes);
  return Uint8Array.from({ length: 3 * plane.length }, (_, index) => plane[index % plane.length] ?? 0);
}

/** What a variant and fp32 did with some images. */
export interface Traces {
  readonly indices: readonly number[];
  readonly own: Trace;
  readonly baseline: Trace | undefined;
}

/**
 * Looks into a variant and its baseline while they run on some test images.
 *
 * @param picture - of the variant
 * @param images - where the images lie
 * @param indices - which
 * @param engine - of this process
 * @returns undefined where the variant's model is no longer there, or is none that can be looked into
 */
export async function tracesOf(
  { variant, baseline }: ModelPicture,
  { records }: TestImages,
  indices: readonly number[],
  engine: Engine,
): Promise<Traces | undefined> {
  if (variant.artifact === NOTHING_MADE) return undefined;
  const given = { layout: records.layout, count: indices.length, pixels: await readImages(records, indices) };
  const own = await traceVariant(variant.artifact, given, engine);
  if (own === undefined) return undefined;
  return { indices, own, baseline: baseline && (await traceVariant(baseline.artifact, given, engine)) };
}
