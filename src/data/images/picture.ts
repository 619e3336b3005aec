/** A decoded image: the channels of each pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Left out, three: red, green and blue. */
  readonly channels?: number;
  /** `[height, width, channels]`. */
  readonly pixels: Uint8Array;
}
