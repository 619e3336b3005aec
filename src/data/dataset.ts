/** Which side of the wall an image is on: calibration sees only `train`, scores only `test`. */
export type Split = 'train' | 'test';

/**
 * Labelled images in CIFAR-10's binary layout. The split is part of the type, so that passing test images to a
 * calibration does not compile.
 */
export interface Dataset<S extends Split> {
  /** `cifar10`, `shapes10`. */
  readonly name: string;
  readonly split: S;
  /** Class names in the order of the labels. */
  readonly labels: readonly string[];
  /** The files the images lie in, in order. */
  readonly files: readonly RecordFile[];
  /** How many images. */
  readonly count: number;
  /** The class of each image. */
  readonly classes: Uint8Array;
  /** SHA-256 over the files' digests: which images exactly. */
  readonly hash: string;
}

/** One file of records. */
export interface RecordFile {
  readonly path: string;
  readonly records: number;
  readonly sha256: string;
}

/** Images of this layout are 32 × 32 with three channels. */
export const IMAGE_SIDE = 32;
/** Red, green, blue. */
export const IMAGE_CHANNELS = 3;
/** Bytes of one image: three planes, row by row. */
export const IMAGE_BYTES = IMAGE_CHANNELS * IMAGE_SIDE * IMAGE_SIDE;
/** Bytes of a record: the label and the image. */
export const RECORD_BYTES = 1 + IMAGE_BYTES;
