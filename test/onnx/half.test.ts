import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import {
  float16Bits,
  FLOAT16_MAX,
  float16Value,
  fromBfloat16,
  fromFloat16,
  toFloat16,
} from '../../src/onnx/half.js';

/** The finite float16 from 0 on, by their bits, as IEEE 754 defines them; one more for what would come next. */
const finite = Array.from({ length: 0x7c01 }, (_, bits) => {
  const [exponent, mantissa] = [bits >> 10, bits & 0x3ff];
  return exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
});

/** The nearest float16, ties to the even one, by search among all of them. */
function nearest(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  let [low, high] = [0, finite.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (finite[middle]! <= magnitude) low = middle;
    else high = middle;
  }
  // Both distances are exact: neighbours are within a factor of two, or the one is zero.
  const [down, up] = [magnitude - finite[low]!, finite[high]! - magnitude];
  if (down !== up) return sign | (down < up ? low : high);
  return sign | (low % 2 === 0 ? low : high);
}

/** The next float64 away from zero, or towards it. */
function neighbour(value: number, step: 1n | -1n): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) + step);
  return view.getFloat64(0);
}

function expectNearest(values: Iterable<number>): void {
  const wrong: number[] = [];
  for (const value of values) if (float16Bits(value) !== nearest(value)) wrong.push(value);
  expect(wrong).toEqual([]);
}

describe('float16Value', () => {
  test('is what IEEE 754 says of every bit pattern', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      expect(Object.is(float16Value(bits), finite[bits]!)).toBe(true);
      expect(Object.is(float16Value(bits | 0x8000), -finite[bits]!)).toBe(true);
    }
    expect(float16Value(0x7c00)).toBe(Infinity);
    expect(float16Value(0xfc00)).toBe(-Infinity);
    for (let mantissa = 1; mantissa < 1024; mantissa++) {
      expect(float16Value(0x7c00 | mantissa)).toBeNaN();
      expect(float16Value(0xfc00 | mantissa)).toBeNaN();
    }
    expect(float16Value(0x7bff)).toBe(FLOAT16_MAX);
  });
});

describe('float16Bits', () => {
  test('gives all 65,536 values back, NaN as a NaN', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = float16Value(bits);
      const again = float16Bits(value);
      if (Number.isNaN(value)) expect(float16Value(again)).toBeNaN();
      else expect(again).toBe(bits);
    }
  });

  test('rounds every midpoint to even, and what is next to one to its own side', () => {
    function* edges(): Generator<number> {
      for (let bits = 0; bits < 0x7c00; bits++) {
        const middle = (finite[bits]! + finite[bits + 1]!) / 2;
        for (const value of [middle, neighbour(middle, 1n), neighbour(middle, -1n)]) yield* [value, -value];
        for (const value of [Math.fround(middle * (1 + 2 ** -23)), Math.fround(middle * (1 - 2 ** -24))])
          yield value;
      }
    }
    expectNearest(edges());
  });

  test('rounds random numbers of all sizes to the nearest', () => {
    const random = seededRandom(1);
    function* values(): Generator<number> {
      for (let i = 0; i < 200_000; i++) yield random.normal() * 2 ** (random.integer(50) - 30);
    }
    expectNearest(values());
  });

  test('rounds the values of random float32 bit patterns to the nearest', () => {
    const random = seededRandom(2);
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    function* values(): Generator<number> {
      for (let i = 0; i < 200_000; i++) {
        word[0] = random.integer(2 ** 32);
        if (!Number.isNaN(float[0])) yield float[0]!;
      }
    }
    expectNearest(values());
  });

  test('overflows at 65520 and not before', () => {
    expect(float16Bits(65504)).toBe(0x7bff);
    expect(float16Bits(65519.996)).toBe(0x7bff);
    expect(float16Bits(neighbour(65520, -1n))).toBe(0x7bff);
    expect(float16Bits(65520)).toBe(0x7c00);
    expect(float16Bits(-65520)).toBe(0xfc00);
    for (const value of [1e5, 1e38, 1e39, 1e308, Infinity]) {
      expect(float16Bits(value)).toBe(0x7c00);
      expect(float16Bits(-value)).toBe(0xfc00);
    }
  });

  test('keeps what is subnormal and the sign of zero', () => {
    expect(float16Bits(2 ** -24)).toBe(1);
    expect(float16Bits(2 ** -25)).toBe(0);
    expect(float16Bits(neighbour(2 ** -25, 1n))).toBe(1);
    expect(float16Bits(2 ** -14)).toBe(0x400);
    expect(float16Bits(0)).toBe(0);
    expect(float16Bits(-0)).toBe(0x8000);
    for (const value of [1e-30, 1e-45, 1e-60, 5e-324]) {
      expect(float16Bits(value)).toBe(0);
      expect(float16Bits(-value)).toBe(0x8000);
    }
  });
});

describe('toFloat16 and fromFloat16', () => {
  test('convert element by element', () => {
    const values = Float32Array.of(0, -1.5, 1 / 3, 70_000, -Infinity, 2 ** -24);
    const halves = toFloat16(values);
    expect([...halves]).toEqual(Array.from(values, nearest));
    expect([...fromFloat16(halves)]).toEqual([...halves].map(float16Value));
    expect(fromFloat16(toFloat16(Float32Array.of(NaN)))[0]).toBeNaN();
  });
});

test('fromFloat16 gives all 65,536 patterns what each stands for alone', () => {
  const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
  for (const [bits, value] of fromFloat16(all).entries())
    expect(Object.is(value, float16Value(bits))).toBe(true);
});

describe('fromBfloat16', () => {
  test('is the float32 with these upper 16 bits, for all 65,536', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
    const floats = fromBfloat16(all);
    const view = new DataView(new ArrayBuffer(4));
    for (let bits = 0; bits < 0x10000; bits++) {
      view.setUint16(0, bits);
      expect(Object.is(floats[bits], view.getFloat32(0))).toBe(true);
    }
    expect([...fromBfloat16(Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001))]).toEqual([
      1,
      -2,
      Infinity,
      2 ** -133,
    ]);
  });
});
