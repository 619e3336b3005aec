import { createHash } from 'node:crypto';
import { InputError, type InputFault } from '../../base/errors.js';
import { imageBytes } from '../dataset.js';
import { sizeText } from '../../base/size.js';
import { ShapeError, type Resizing } from '../resizing.js';
import type { DecodeOptions } from './decode.js';
import { ImageError } from './error.js';
import { faultPlace, type ImagePlace } from './item.js';
import { SIGNATURE_BYTES, signatureOf } from './perceptual.js';
import { bytesOf, formOf, pictureOf } from './read.js';
import { resizedAndCut } from './resize.js';

/** What a worker is given: some images, and what to do with each. */
export interface ImageTask {
  readonly images: readonly ImagePlace[];
  readonly options: DecodeOptions;
  readonly work:
    /** Digests, and whether each is a whole image; what it looks like only where that is asked for. */
    | { readonly kind: 'examine'; readonly looks: boolean }
    | { readonly kind: 'render'; readonly resizing: Resizing };
}

/** What a worker gives back; the first image that cannot be used ends its task. */
export type ImageResult =
  | { readonly kind: 'examined'; readonly digests: readonly string[]; readonly signatures: Uint8Array }
  | { readonly kind: 'rendered'; readonly pixels: Uint8Array }
  | { readonly kind: 'refused'; readonly fault: InputFault };

/**
 * Examines or renders some images. Faults are values: what is thrown in a worker arrives without its class.
 *
 * @param task - the images, and what to do
 */
export async function doImageTask({ images, options, work }: ImageTask): Promise<ImageResult> {
  let current: ImagePlace | undefined;
  try {
    if (work.kind === 'render') {
      const { size, channels } = work.resizing;
      const step = imageBytes({ ...size, channels });
      const pixels = new Uint8Array(images.length * step);
      for (const [index, place] of images.entries()) {
        current = place;
        const picture = await pictureOf(place, await bytesOf(place), options);
        pixels.set(resizedAndCut(picture, work.resizing), index * step);
      }
      return { kind: 'rendered', pixels };
    }
    const digests: string[] = [];
    const signatures = new Uint8Array(work.looks ? images.length * SIGNATURE_BYTES : 0);
    for (const [index, place] of images.entries()) {
      current = place;
      const bytes = await bytesOf(place);
      digests.push(createHash('sha256').update(formOf(place)).update(bytes).digest('hex'));
      if (work.looks)
        signatures.set(signatureOf(await pictureOf(place, bytes, options)), index * SIGNATURE_BYTES);
    }
    return { kind: 'examined', digests, signatures };
  } catch (error) {
    if (error instanceof InputError) return { kind: 'refused', fault: error.fault };
    const fault = faultIn(error, work);
    if (fault === undefined || current === undefined) throw error;
    return { kind: 'refused', fault: { ...faultPlace(current), ...fault } };
  }
}

function faultIn(
  error: unknown,
  work: ImageTask['work'],
): Pick<InputFault, 'found' | 'expected'> | undefined {
  if (error instanceof ImageError) return error;
  if (error instanceof ShapeError && work.kind === 'render')
    return {
      found: error.message,
      expected:
        work.resizing.fit === 'none'
          ? `${sizeText(work.resizing.resizedTo ?? work.resizing.size)} pixels, since the model's image processor resizes nothing`
          : "a square, since the model's image processor cuts nothing away",
    };
  return undefined;
}
