import { IMAGE_CHANNELS } from '../dataset.js';
import { fromMean } from './convert.js';
import type { Picture } from './picture.js';
import { resized } from './resize.js';

const [ACROSS, DOWN] = [9, 8] as const;

/** Bytes of a signature. */
export const SIGNATURE_BYTES = 3 * ACROSS * DOWN;

/** A picture brightens from one place to the next when the second is brighter by more than this, of 255: less is noise. */
const STEP = 2;

/** Images whose digests differ in more than so many of the 64 bits are others. */
const MOST_BITS = 7;

/** Images whose signatures differ by more than this on the average, of 255, are others. */
const MOST_DIFFERENCE = 3;

/**
 * What an image looks like from afar: its pixels at 9 × 8. It hardly changes when the image is scaled, coded anew or changes its format.
 *
 * @param picture - the image; of one whose channels are no colours their mean is looked at
 * @returns `[8, 9, 3]`
 */
export function signatureOf(picture: Picture): Uint8Array {
  const { width, height, channels = IMAGE_CHANNELS, pixels } = picture;
  const seen = channels === IMAGE_CHANNELS ? picture : { width, height, pixels: fromMean(pixels, channels) };
  const shape = { width: ACROSS, height: DOWN };
  return resized(seen, shape, 'linear', { left: 0, top: 0, ...shape }).pixels;
}

/** An image that is also in the other split. */
export interface Twin {
  readonly train: number;
  readonly test: number;
}

/**
 * Training images that look like a test image: their digests (whether each place of the 9 × 8 is brighter than the one before it,
 * known as the difference hash) differ in few bits, and their colours by little.
 *
 * @param train - signatures one after another
 * @param test - likewise
 * @returns for each such training image the first test image that it looks like
 */
export function twins(train: Uint8Array, test: Uint8Array): Twin[] {
  const tests = digestsOf(test);
  // Of eight bytes of which seven bits differ, one is the same: those that share one are compared.
  const sharing = new Map<number, number[]>();
  for (let image = 0; image < test.length / SIGNATURE_BYTES; image++)
    for (let place = 0; place < DOWN; place++) {
      const key = place * 256 + tests[image * DOWN + place]!;
      const known = sharing.get(key);
      if (known) known.push(image);
      else sharing.set(key, [image]);
    }
  const digests = digestsOf(train);
  const found: Twin[] = [];
  for (let image = 0; image < train.length / SIGNATURE_BYTES; image++) {
    let twin = Infinity;
    for (let place = 0; place < DOWN; place++)
      for (const other of sharing.get(place * 256 + digests[image * DOWN + place]!) ?? [])
        if (
          other < twin &&
          bitsBetween(digests, image, tests, other) <= MOST_BITS &&
          near(train, image, test, other)
        )
          twin = other;
    if (twin < Infinity) found.push({ train: image, test: twin });
  }
  return found;
}

/** A byte for each row of the signatures: whether each place is brighter than the one before it. */
function digestsOf(signatures: Uint8Array): Uint8Array {
  const rows = signatures.length / (3 * ACROSS);
  const digests = new Uint8Array(rows);
  const grey = (at: number): number =>
    0.299 * signatures[at]! + 0.587 * signatures[at + 1]! + 0.114 * signatures[at + 2]!;
  for (let row = 0; row < rows; row++)
    for (let x = 1; x < ACROSS; x++) {
      const at = 3 * (row * ACROSS + x);
      if (grey(at) > grey(at - 3) + STEP) digests[row]! |= 1 << (x - 1);
    }
  return digests;
}

function bitsBetween(some: Uint8Array, one: number, others: Uint8Array, other: number): number {
  let bits = 0;
  for (let place = 0; place < DOWN; place++)
    for (let rest = some[one * DOWN + place]! ^ others[other * DOWN + place]!; rest !== 0; rest &= rest - 1)
      bits += 1;
  return bits;
}

function near(some: Uint8Array, one: number, others: Uint8Array, other: number): boolean {
  let sum = 0;
  for (let at = 0; at < SIGNATURE_BYTES; at++)
    sum += Math.abs(some[one * SIGNATURE_BYTES + at]! - others[other * SIGNATURE_BYTES + at]!);
  return sum <= MOST_DIFFERENCE * SIGNATURE_BYTES;
}
