/** Samples of an image, interleaved: 8 or 16 bits each. */
export type Samples = Uint8Array | Uint16Array;

/**
 * Three colours out of three or four channels; the fourth is transparency. Of 16 bits the upper eight are kept.
 *
 * @param samples - `[pixels, channels]`
 * @param channels - how many
 * @returns `[pixels, 3]`
 */
export function fromColour(samples: Samples, channels: number): Uint8Array {
  const shift = samples instanceof Uint16Array ? 8 : 0;
  if (channels === 3 && samples instanceof Uint8Array) return samples;
  const pixels = samples.length / channels;
  const out = new Uint8Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let colour = 0; colour < 3; colour++)
      out[3 * pixel + colour] = samples[pixel * channels + colour]! >> shift;
  return out;
}

/**
 * Three colours out of grey. Of 16 bits without transparency Pillow makes a number, of which what is above 255 is white; with
 * transparency it keeps the upper eight bits, unless all that is said of it is which grey is transparent.
 *
 * @param samples - `[pixels, channels]`
 * @param channels - how many: the second is transparency
 * @param oneTransparent - whether the second says no more than which grey is transparent
 * @returns `[pixels, 3]`
 */
export function fromGrey(samples: Samples, channels: number, oneTransparent = false): Uint8Array {
  const shift = samples instanceof Uint16Array && channels > 1 && !oneTransparent ? 8 : 0;
  const pixels = samples.length / channels;
  const out = new Uint8Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++)
    out.fill(Math.min(255, samples[pixel * channels]! >> shift), 3 * pixel, 3 * pixel + 3);
  return out;
}

/**
 * Three colours out of cyan, magenta, yellow and black, without a profile: `255 − k − c · (255 − k) / 255`, as Pillow rounds it
 * (libImaging/Convert.c).
 *
 * @param samples - `[pixels, 4]`
 * @returns `[pixels, 3]`
 */
export function fromCmyk(samples: Samples): Uint8Array {
  const pixels = samples.length / 4;
  const out = new Uint8Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const white = 255 - samples[4 * pixel + 3]!;
    for (let colour = 0; colour < 3; colour++) {
      const product = samples[4 * pixel + colour]! * white + 128;
      out[3 * pixel + colour] = Math.max(0, white - (((product >> 8) + product) >> 8));
    }
  }
  return out;
}

/**
 * The channels of each pixel together, out of planes.
 *
 * @param planes - `[channels, pixels]`
 * @param channels - how many
 * @returns `[pixels, channels]`
 */
export function fromPlanes(planes: Uint8Array, channels: number): Uint8Array {
  const pixels = planes.length / channels;
  const out = new Uint8Array(planes.length);
  for (let pixel = 0; pixel < pixels; pixel++)
    for (let channel = 0; channel < channels; channel++)
      out[channels * pixel + channel] = planes[channel * pixels + pixel]!;
  return out;
}

/**
 * Three colours out of any number of channels: all the mean of these.
 *
 * @param samples - `[pixels, channels]`
 * @param channels - how many
 * @returns `[pixels, 3]`
 */
export function fromMean(samples: Uint8Array, channels: number): Uint8Array {
  const pixels = samples.length / channels;
  const out = new Uint8Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    let sum = 0;
    for (let at = channels * pixel; at < channels * (pixel + 1); at++) sum += samples[at]!;
    out.fill(Math.round(sum / channels), 3 * pixel, 3 * pixel + 3);
  }
  return out;
}
