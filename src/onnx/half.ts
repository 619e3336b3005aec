/**
 * Conversions between float32 and the two 16-bit floats. Both round to nearest, ties to even, as
 * IEEE 754 does; float16 keeps subnormals, infinities and NaN.
 */

const f32 = new Float32Array(1);
const bits = new Uint32Array(f32.buffer);

/** The largest finite float16. */
export const FLOAT16_MAX = 65504;

/** The float16 (as its 16 bits) nearest to a number; beyond ±65504 (plus half a step) it is infinite. */
export function float16Bits(value: number): number {
  f32[0] = value;
  const single = f32[0];
  // Rounding twice must not make a tie of what is none: the first time to the float32 whose last bit says that more follows.
  if (single !== value && !Number.isNaN(value) && (bits[0]! & 1) === 0)
    bits[0]! += Math.abs(single) < Math.abs(value) ? 1 : -1;
  const x = bits[0]!;
  const sign = (x >>> 16) & 0x8000;
  const magnitude = x & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: let float32 addition do the rounding at the right bit.
    f32[0] = Math.abs(f32[0]) + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The number that the 16 bits of a float16 stand for. */
export function float16Value(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/** Float32 values as float16 bits, element by element. */
export function toFloat16(values: Float32Array): Uint16Array {
  // A loop: `from` with a function is ten times as slow, and a model's weights are read each time that a block runs.
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = float16Bits(values[i]!);
  return out;
}

let table: Float32Array | undefined;

/** What each of the 65,536 patterns stands for. */
function allValues(): Float32Array {
  const values = new Float32Array(0x10000);
  for (let half = 0; half < values.length; half++) values[half] = float16Value(half);
  return values;
}

/** Float16 bits as float32 values, element by element (exact). */
export function fromFloat16(halves: Uint16Array): Float32Array {
  table ??= allValues();
  const values = table;
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = values[halves[i]!]!;
  return out;
}

/** Bfloat16 bits as float32 values, element by element (exact: a bfloat16 is the upper half of a float32). */
export function fromBfloat16(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  const words = new Uint32Array(out.buffer);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return out;
}
