import { IMAGE_CHANNELS } from '../dataset.js';

/** Where an image lies, and in which form. */
export type ImagePlace =
  /** In a file of its own. */
  | { readonly kind: 'file'; readonly path: string }
  /** Coded like a file of its own, as a part of another. */
  | (Part & { readonly kind: 'coded'; readonly bytes: number })
  /** Its pixels alone, 8 bits each. */
  | (Part & {
      readonly kind: 'pixels';
      readonly height: number;
      readonly width: number;
      /** Grey, red, green and blue, or what else an array holds. */
      readonly channels: number;
      /** Whether the channels of a pixel lie together, `[height, width, channels]`, or apart, `[channels, height, width]`. */
      readonly order: 'together' | 'apart';
    });

/** A part of a file that holds many images. */
interface Part {
  readonly path: string;
  /** Its first byte. */
  readonly begin: number;
  /** The user's file that it came from, and where in it, for messages. */
  readonly from: string;
  readonly at: string;
}

/** An image of a data set and its class. */
export interface LabelledItem {
  readonly place: ImagePlace;
  /** Index of its class. */
  readonly label: number;
}

/**
 * Where an image lies, as an error names it.
 *
 * @param place - of the image
 */
export function faultPlace(place: ImagePlace): { readonly source: string; readonly place?: string } {
  return place.kind === 'file' ? { source: place.path } : { source: place.from, place: place.at };
}

/**
 * Channels of an image once it is decoded: of grey are made three.
 *
 * @param place - of the image
 */
export function channelsAt(place: ImagePlace): number {
  return place.kind === 'pixels' && place.channels !== 1 ? place.channels : IMAGE_CHANNELS;
}

/**
 * What people call an image.
 *
 * @param place - of the image
 */
export function nameOfImage(place: ImagePlace): string {
  return place.kind === 'file' ? place.path : `${place.from}: ${place.at}`;
}
