import type { Size } from '../../base/size.js';
import { IMAGE_CHANNELS } from '../dataset.js';
import { greyOf } from '../grey.js';
import { resamplingTaps, WEIGHT_BITS, type Interpolation, type ResamplingTaps } from '../resample.js';
import { columnsFirst, cutBefore, resizedShape, type Resizing } from '../resizing.js';
import type { Picture } from './picture.js';

/**
 * Resizes an image as Pillow 13 does, to the last bit, and cuts out its centre. What is cut away is not computed.
 *
 * @param picture - the image
 * @param resizing - what the model's image processor does
 * @returns a plane for each channel, `[channels, height, width]`; three that are the same where the model takes one of grey
 * @throws ShapeError when the processor leaves the image's shape as it is, and that is not the input's
 */
export function resizedAndCut(picture: Picture, resizing: Resizing): Uint8Array {
  const { size, grey, interpolation } = resizing;
  const shape = resizedShape(picture, resizing);
  const given = grey ? { ...picture, pixels: greyOf(picture.pixels) } : picture;
  return planes(resized(given, shape, interpolation, { ...cutBefore(shape, resizing), ...size }));
}

/** A part of an image. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A part of a resized image.
 *
 * @param picture - the image
 * @param shape - the sides of the whole resized image
 * @param interpolation - the filter
 * @param wanted - the part of the resized image
 */
export function resized(picture: Picture, shape: Size, interpolation: Interpolation, wanted: Part): Picture {
  const across = part(resamplingTaps(picture.width, shape.width, interpolation), wanted.left, wanted.width);
  const down = part(resamplingTaps(picture.height, shape.height, interpolation), wanted.top, wanted.height);
  // Each step rounds to 8 bits.
  if (columnsFirst(picture, shape)) return acrossRows(downColumns(picture, down), across);
  return downColumns(acrossRows(picture, across, down), down);
}

/** Planes, one after another. */
function planes({ width, height, channels = IMAGE_CHANNELS, pixels }: Picture): Uint8Array {
  const plane = width * height;
  const out = new Uint8Array(channels * plane);
  for (let pixel = 0; pixel < plane; pixel++)
    for (let channel = 0; channel < channels; channel++)
      out[channel * plane + pixel] = pixels[channels * pixel + channel]!;
  return out;
}

/** Some of the resized pixels of a row. */
function part({ count, first, weights }: ResamplingTaps, begin: number, length: number): ResamplingTaps {
  return {
    count,
    first: first.subarray(begin, begin + length),
    weights: weights.subarray(begin * count, (begin + length) * count),
  };
}

const HALF = 2 ** (WEIGHT_BITS - 1);

function byte(fixed: number): number {
  const whole = fixed >> WEIGHT_BITS;
  return whole < 0 ? 0 : whole > 255 ? 255 : whole;
}

/**
 * Resizes each row.
 *
 * @param picture - the image
 * @param taps - of a row
 * @param rows - taps of the columns, where only rows that these need are to be computed: the others stay black
 */
function acrossRows(picture: Picture, taps: ResamplingTaps, rows?: ResamplingTaps): Picture {
  const { height, channels = IMAGE_CHANNELS } = picture;
  const size = taps.first.length;
  const out = new Uint8Array(channels * height * size);
  const top = rows ? least(rows.first) : 0;
  const bottom = rows ? most(rows.first) + rows.count : height;
  if (channels === IMAGE_CHANNELS) acrossColours(picture, taps, [top, bottom], out);
  else acrossChannels(picture, channels, taps, [top, bottom], out);
  return { width: size, height, channels, pixels: out };
}

/** Rows of any number of channels, one after the other. */
function acrossChannels(
  { width, pixels }: Picture,
  channels: number,
  { count, first, weights }: ResamplingTaps,
  [top, bottom]: readonly [number, number],
  out: Uint8Array,
): void {
  const size = first.length;
  for (let row = top; row < bottom; row++)
    for (let x = 0; x < size; x++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = HALF;
        let at = channels * (row * width + first[x]!) + channel;
        for (let tap = x * count; tap < (x + 1) * count; tap++, at += channels)
          sum += Math.imul(weights[tap]!, pixels[at]!);
        out[channels * (row * size + x) + channel] = byte(sum);
      }
}

/** Rows of three channels, all three at once: nearly all images have them. */
function acrossColours(
  { width, pixels }: Picture,
  { count, first, weights }: ResamplingTaps,
  [top, bottom]: readonly [number, number],
  out: Uint8Array,
): void {
  const size = first.length;
  for (let row = top; row < bottom; row++)
    for (let x = 0; x < size; x++) {
      let [red, green, blue] = [HALF, HALF, HALF];
      let at = 3 * (row * width + first[x]!);
      for (let tap = x * count; tap < (x + 1) * count; tap++, at += 3) {
        const weight = weights[tap]!;
        red += Math.imul(weight, pixels[at]!);
        green += Math.imul(weight, pixels[at + 1]!);
        blue += Math.imul(weight, pixels[at + 2]!);
      }
      const to = 3 * (row * size + x);
      out[to] = byte(red);
      out[to + 1] = byte(green);
      out[to + 2] = byte(blue);
    }
}

/** Resizes each column. */
function downColumns(
  { width, channels = IMAGE_CHANNELS, pixels }: Picture,
  { count, first, weights }: ResamplingTaps,
): Picture {
  const height = first.length;
  const line = channels * width;
  const out = new Uint8Array(height * line);
  const sums = new Int32Array(line);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let tap = 0; tap < count; tap++) {
      const weight = weights[y * count + tap]!;
      if (weight === 0) continue;
      const from = (first[y]! + tap) * line;
      for (let x = 0; x < line; x++) sums[x]! += Math.imul(weight, pixels[from + x]!);
    }
    for (let x = 0; x < line; x++) out[y * line + x] = byte(sums[x]!);
  }
  return { width, height, channels, pixels: out };
}

function least(values: Int32Array): number {
  return values.reduce((found, value) => Math.min(found, value), Infinity);
}

function most(values: Int32Array): number {
  return values.reduce((found, value) => Math.max(found, value), 0);
}
