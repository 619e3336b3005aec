import type { Resizing } from './resizing.js';

/** Which side of the wall an image is on: calibration sees only `train`, scores only `test`. */
export type Split = 'train' | 'test';

/**
 * Labelled images. The split is part of the type, so that passing test images to a calibration does not compile.
 */
export interface Dataset<S extends Split> {
  /** `cifar10`, `shapes10`. */
  readonly name: string;
  readonly split: S;
  /** Class names in the order of the labels. */
  readonly labels: readonly string[];
  /** Where their pixels come from. */
  readonly images: ImageSource;
  /** How many images. */
  readonly count: number;
  /** The class of each image. */
  readonly classes: Uint16Array;
  /** SHA-256 over the digests of what they are read from: which images exactly. */
  readonly hash: string;
}

/** Where the pixels of a split come from. */
export type ImageSource =
  /** Small images of one size and three channels, stored as they are: each device resizes them by the preprocessing graph. */
  | { readonly kind: 'records'; readonly records: Records }
  /** Images of many sizes and formats: decoded, resized and cut here, once for each way of resizing. */
  | {
      readonly kind: 'pictures';
      /** Of each image: red, green and blue, or as many as arrays have that are neither colours nor grey. */
      readonly channels: number;
      /**
       * Decodes, resizes and cuts images out, or finds them in the cache.
       *
       * @param resizing - how
       * @param indices - which
       * @param work - progress and signal
       * @returns as many records as indices, in their order
       * @throws InputError when an image cannot be read; the signal's reason when it fires
       */
      rendered(resizing: Resizing, indices: readonly number[], work: Work): Promise<Records>;
    };

/** How far work is, and what stops it. */
export interface Work {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, what: string) => void) | undefined;
}

/** Images of one size in files. */
export interface Records {
  readonly layout: RecordLayout;
  /** In the order of the images. */
  readonly files: readonly RecordFile[];
}

/** How a record lies in its file: bytes of a label, then a plane of pixels for each channel, row by row. */
export interface RecordLayout {
  readonly height: number;
  readonly width: number;
  /** Left out, three. */
  readonly channels?: number | undefined;
  readonly labelBytes: number;
}

/** One file of records. */
export interface RecordFile {
  readonly path: string;
  readonly records: number;
  readonly sha256: string;
}

/** Red, green, blue. */
export const IMAGE_CHANNELS = 3;

/** Channels of the images of a data set; grey ones have three that are alike. */
export function channelsOfImages({ images }: Dataset<Split>): number {
  return images.kind === 'pictures' ? images.channels : IMAGE_CHANNELS;
}

/** More images are no set that one machine measures on. */
export const MAX_IMAGES = 5_000_000;
/** CIFAR-10's images are 32 × 32. */
export const IMAGE_SIDE = 32;
/** CIFAR-10's binary layout. */
export const cifarLayout: RecordLayout = { height: IMAGE_SIDE, width: IMAGE_SIDE, labelBytes: 1 };
/** Bytes of one of its images. */
export const IMAGE_BYTES = imageBytes(cifarLayout);
/** Bytes of one of its records: the label and the image. */
export const RECORD_BYTES = recordBytes(cifarLayout);

/** Bytes of the pixels of a record. */
export function imageBytes({
  height,
  width,
  channels = IMAGE_CHANNELS,
}: Pick<RecordLayout, 'height' | 'width' | 'channels'>): number {
  return channels * height * width;
}

/** Bytes of a record. */
export function recordBytes(layout: RecordLayout): number {
  return layout.labelBytes + imageBytes(layout);
}
