/**
 * Quantisers of weights and inputs. Weights are `[outputs, inputs]`, row-major, as PyTorch stores them.
 */

/** Steps of a symmetric int8 weight: −127 … 127, so that the negative side is not one wider. */
const INT8_MAX = 127;

/**
 * What two neighbouring int8 weights of one sign may have together where pairs are bounded: x86-64 processors without VNNI add the
 * products of two neighbours in 16 bits (`vpmaddubsw`), and 128 times the largest input, 255, is 32,640.
 */
const PAIR_MAX = 128;

/** How many times its largest weight a scale must cover for no pair to reach `PAIR_MAX`: all weights then have seven bits. */
export const UNBOUND_COVER = (2 * INT8_MAX) / PAIR_MAX;

/** Scale and zero point of an input that is quantised to uint8: `x ≈ scale · (q − zeroPoint)`. */
export interface InputRange {
  readonly scale: number;
  readonly zeroPoint: number;
}

/**
 * The uint8 quantiser that covers a range. Zero is always among the values it can express, as ONNX requires.
 *
 * @param min - least value to cover
 * @param max - greatest value to cover
 */
export function inputRange(min: number, max: number): InputRange {
  const low = Math.min(min, 0);
  const high = Math.max(max, 0);
  const scale = Math.fround((high - low) / 255) || 1;
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-low / scale))) };
}

/** The numbers that a weight may be rounded to: whole steps of scales. */
export interface Grid {
  /** `[outputs, blocks]`. */
  readonly scales: Float32Array;
  /** Inputs that share a scale; the last block of a row may be shorter. */
  readonly blockSize: number;
  /** The least and the greatest number of steps. */
  readonly least: number;
  readonly greatest: number;
  /** Steps of one sign that inputs 2i and 2i + 1 of an output may have together; undefined bounds them not. */
  readonly pair?: number | undefined;
}

/**
 * Rounds a weight to a grid.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param grid - with a scale for each output and block
 * @returns steps, `[outputs, inputs]`
 */
export type Rounding = (weight: Float32Array, inputs: number, grid: Grid) => Int8Array | Promise<Int8Array>;

/** Rounds each number to the nearest. */
export function toNearest(weight: Float32Array, inputs: number, grid: Grid): Int8Array {
  const steps = new Int8Array(weight.length);
  roundInto(steps, weight, inputs, grid, () => 1);
  return steps;
}

/**
 * What weights stand for when each is rounded to the nearest: `toNearest` and back, without the steps in between, as searches do it most.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param grid - with a scale for each output and block
 * @returns `[outputs, inputs]`
 */
export function nearest(weight: Float32Array, inputs: number, grid: Grid): Float32Array {
  const values = new Float32Array(weight.length);
  roundInto(values, weight, inputs, grid, (scale) => scale);
  return values;
}

/** Writes the nearest step of each weight, times what a step counts for in a block of that scale. */
function roundInto(
  target: Int8Array | Float32Array,
  weight: Float32Array,
  inputs: number,
  { scales, blockSize, least, greatest, pair }: Grid,
  unitOf: (scale: number) => number,
): void {
  let block = 0;
  for (let row = 0; row < weight.length; row += inputs) {
    for (let from = row; from < row + inputs; from += blockSize) {
      const to = Math.min(from + blockSize, row + inputs);
      const scale = scales[block++]!;
      const unit = unitOf(scale);
      roundBlock(target, weight, from, to, scale, unit, least, greatest);
      if (pair !== undefined) boundPairs(target, weight, from, to, scale, unit, greatest, pair);
    }
  }
}

/** Each weight of a block by itself. */
function roundBlock(
  target: Int8Array | Float32Array,
  weight: Float32Array,
  from: number,
  to: number,
  scale: number,
  unit: number,
  least: number,
  greatest: number,
): void {
  for (let at = from; at < to; at++) {
    const step = Math.round(weight[at]! / scale);
    target[at] = (step > greatest ? greatest : step < least ? least : step) * unit;
  }
}

/** The pairs of a block that reach further together than they may. */
function boundPairs(
  target: Int8Array | Float32Array,
  weight: Float32Array,
  from: number,
  to: number,
  scale: number,
  unit: number,
  greatest: number,
  pair: number,
): void {
  // Rounding adds at most half a step to each of two: most pairs are too small to be looked at any closer.
  const small = (pair - 1) * scale;
  for (let at = from; at + 1 < to; at += 2) {
    const [a, b] = [weight[at]!, weight[at + 1]!];
    const sum = a + b;
    if (sum < small && -sum < small) continue;
    const [first, second] = [a / scale, b / scale];
    if (first * second <= 0) continue;
    const sign = first < 0 ? -1 : 1;
    const reach =
      Math.min(greatest, Math.round(sign * first)) + Math.min(greatest, Math.round(sign * second));
    if (reach <= pair) continue;
    // The nearest two steps on the line where their sum is the greatest that is allowed.
    const share = Math.round((pair + sign * (first - second)) / 2);
    const kept = Math.min(greatest, Math.max(pair - greatest, share));
    target[at] = sign * kept * unit;
    target[at + 1] = sign * (pair - kept) * unit;
  }
}

/** The number of steps of a grid that is nearest. */
function stepOn({ least, greatest }: Pick<Grid, 'least' | 'greatest'>, steps: number): number {
  return Math.min(greatest, Math.max(least, Math.round(steps)));
}

/**
 * The number of steps of a grid that is nearest and leaves a pair within its bound.
 *
 * @param grid - the grid
 * @param steps - wanted
 * @param neighbour - steps of the other input of the pair; 0 where there is none
 */
export function stepBeside({ least, greatest, pair }: Grid, steps: number, neighbour: number): number {
  if (pair === undefined) return stepOn({ least, greatest }, steps);
  const limits = {
    least: Math.max(least, Math.max(-neighbour, 0) - pair),
    greatest: Math.min(greatest, pair - Math.max(neighbour, 0)),
  };
  return stepOn(limits, steps);
}

/** Int8 weights, symmetric, one scale for each output. */
export interface Int8Weight {
  /** `[outputs, inputs]`. */
  readonly values: Int8Array;
  /** `[outputs]`. */
  readonly scales: Float32Array;
}

/**
 * The grid of symmetric int8 weights.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param perChannel - one scale for each output, or the largest of them for all
 * @param clip - share of each row's largest absolute value that the scale covers, `[outputs]`; undefined covers all
 * @param boundPairs - whether two neighbours may reach `PAIR_MAX` together at most
 */
export function int8Grid(
  weight: Float32Array,
  inputs: number,
  perChannel: boolean,
  clip?: Float32Array,
  boundPairs = false,
): Grid {
  const scales = new Float32Array(weight.length / inputs);
  for (let o = 0; o < scales.length; o++) {
    let largest = 0;
    for (let i = o * inputs; i < (o + 1) * inputs; i++) largest = Math.max(largest, Math.abs(weight[i]!));
    scales[o] = Math.fround((largest * (clip?.[o] ?? 1)) / INT8_MAX) || 1;
  }
  if (!perChannel) scales.fill(Math.max(...scales));
  const pair = boundPairs ? PAIR_MAX : undefined;
  return { scales, blockSize: inputs, least: -INT8_MAX, greatest: INT8_MAX, pair };
}

/**
 * Quantises weights to int8, symmetrically, each to the nearest.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param perChannel - one scale for each output, or the largest of them for all
 * @param clip - share of each row's largest absolute value that the scale covers, `[outputs]`; undefined covers all
 */
export function quantizeInt8(
  weight: Float32Array,
  inputs: number,
  perChannel: boolean,
  clip?: Float32Array,
): Int8Weight {
  const grid = int8Grid(weight, inputs, perChannel, clip);
  return { values: toNearest(weight, inputs, grid), scales: grid.scales };
}

/** The weights that int8 values stand for, `[outputs, inputs]`. */
export function dequantizeInt8({ values, scales }: Int8Weight): Float32Array {
  const inputs = values.length / scales.length;
  const out = new Float32Array(values.length);
  for (let o = 0; o < scales.length; o++) {
    for (let i = o * inputs; i < (o + 1) * inputs; i++) out[i] = values[i]! * scales[o]!;
  }
  return out;
}

/** Weights in blocks, in the layout of ONNX Runtime's MatMulNBits with its default zero point `2^(bits-1)`. */
export interface BlockwiseWeight {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  /** `[outputs, blocks, blockSize · bits / 8]`; of two 4-bit values in a byte the first is the low half. */
  readonly packed: Uint8Array;
  /** `[outputs, blocks]`. */
  readonly scales: Float32Array;
}

/** Shares of a block's largest value that the search for a narrower scale tries. */
const CLIPS = Array.from({ length: 10 }, (_, i) => 1 - i / 20);

/**
 * The grid of weights in blocks of inputs, one scale for each. The value of largest magnitude is put on the side of the
 * integers that reaches one step further.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param bits - 4 or 8
 * @param blockSize - inputs in a block; the last block may be shorter
 * @param worth - how much an error at each input counts, `[inputs]` (E[x²] of its channel); given, each block tries
 *   narrower scales and takes the one with the least weighted error (AWQ's clip search, arXiv 2306.00978, section 3.2)
 */
export function blockwiseGrid(
  weight: Float32Array,
  inputs: number,
  bits: 4 | 8,
  blockSize: number,
  worth?: Float64Array,
): Grid {
  const outputs = weight.length / inputs;
  const blocks = Math.ceil(inputs / blockSize);
  const zero = 2 ** (bits - 1);
  const scales = new Float32Array(outputs * blocks);
  for (let o = 0; o < outputs; o++) {
    for (let block = 0; block < blocks; block++) {
      const from = block * blockSize;
      const to = Math.min(from + blockSize, inputs);
      const values = weight.subarray(o * inputs + from, o * inputs + to);
      scales[o * blocks + block] = blockScale(values, zero, worth?.subarray(from, to));
    }
  }
  return { scales, blockSize, least: -zero, greatest: zero - 1 };
}

/**
 * Packs the steps of a weight in blocks.
 *
 * @param steps - `[outputs, inputs]`
 * @param inputs - its width
 * @param bits - 4 or 8
 * @param grid - that they are steps of
 */
export function packedBlocks(
  steps: Int8Array,
  inputs: number,
  bits: 4 | 8,
  { scales, blockSize }: Grid,
): BlockwiseWeight {
  const zero = 2 ** (bits - 1);
  const bytes = (blockSize * bits) / 8;
  const packed = new Uint8Array(scales.length * bytes).fill(bits === 8 ? zero : zero * 17);
  for (let row = 0, start = 0; row < steps.length; row += inputs) {
    for (let from = row; from < row + inputs; from += blockSize, start += bytes) {
      const to = Math.min(from + blockSize, row + inputs);
      for (let i = 0; i < to - from; i++) {
        const q = steps[from + i]! + zero;
        const at = start + (bits === 8 ? i : i >> 1);
        if (bits === 8) packed[at] = q;
        else packed[at] = i % 2 === 0 ? (packed[at]! & 0xf0) | q : (packed[at]! & 0x0f) | (q << 4);
      }
    }
  }
  return { bits, blockSize, packed, scales };
}

/**
 * Quantises weights in blocks of inputs, each to the nearest.
 *
 * @param weight - `[outputs, inputs]`
 * @param inputs - its width
 * @param bits - 4 or 8
 * @param blockSize - inputs in a block; the last block may be shorter
 * @param worth - how much an error at each input counts, as `blockwiseGrid` takes it
 */
export function quantizeBlockwise(
  weight: Float32Array,
  inputs: number,
  bits: 4 | 8,
  blockSize: number,
  worth?: Float64Array,
): BlockwiseWeight {
  const grid = blockwiseGrid(weight, inputs, bits, blockSize, worth);
  return packedBlocks(toNearest(weight, inputs, grid), inputs, bits, grid);
}

/** The weights that packed blocks stand for, `[outputs, inputs]`. */
export function dequantizeBlockwise(quantized: BlockwiseWeight, inputs: number): Float32Array {
  const { bits, blockSize, packed, scales } = quantized;
  const blocks = Math.ceil(inputs / blockSize);
  const outputs = scales.length / blocks;
  const zero = 2 ** (bits - 1);
  const bytes = (blockSize * bits) / 8;
  const out = new Float32Array(outputs * inputs);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const block = o * blocks + Math.floor(i / blockSize);
      const within = i % blockSize;
      const byte = packed[block * bytes + Math.floor((within * bits) / 8)]!;
      const q = bits === 8 ? byte : within % 2 === 0 ? byte & 0x0f : byte >> 4;
      out[o * inputs + i] = (q - zero) * scales[block]!;
    }
  }
  return out;
}

function blockScale(values: Float32Array, zero: number, worth: Float64Array | undefined): number {
  let extreme = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  if (extreme === 0) return 1;
  const full = -extreme / zero;
  if (worth === undefined) return Math.fround(full);
  const limits = { least: -zero, greatest: zero - 1 };
  let best = Math.fround(full);
  let least = Infinity;
  for (const clip of CLIPS) {
    const scale = Math.fround(full * clip);
    let error = 0;
    for (const [i, value] of values.entries())
      error += worth[i]! * (value - stepOn(limits, value / scale) * scale) ** 2;
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}
