import type { ViTConfig } from './config.js';

/** What normalised pixels were made of, one number for each channel: a pixel of byte p is `(p − zeros) · steps`. */
export interface PixelBytes {
  /** What two neighbouring bytes differ by once they are normalised, `[channels]`. */
  readonly steps: Float32Array;
  /** The byte that a normalised 0 would be of, with its fraction, `[channels]`. */
  readonly zeros: Float32Array;
}

/**
 * How an embedding computes whose patches are read as the bytes that their pixels were made of: `patch.weight` is int8,
 * symmetric per output, and multiplies bytes; `patch.bias` is what is added to that product, what a byte of 0 stands for included.
 */
export interface BytePatches extends PixelBytes {
  /** `[hidden]`. */
  readonly weightScales: Float32Array;
}

/**
 * One number for each value of a patch, of those for each channel.
 *
 * @param config - the architecture
 * @param channels - `[channels]`
 * @returns `[channels·patch height·patch width]`, in the order of the columns of `patch.weight`
 */
export function perPatchValue({ patchSize }: ViTConfig, channels: Float32Array): Float64Array {
  const pixels = patchSize.height * patchSize.width;
  const values = new Float64Array(channels.length * pixels);
  for (const [channel, value] of channels.entries())
    values.fill(value, channel * pixels, (channel + 1) * pixels);
  return values;
}
