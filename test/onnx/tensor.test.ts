import { describe, expect, test } from 'vitest';
import {
  byteLength,
  elementCount,
  float32,
  int64s,
  scalar,
  tensorOf,
  viewAs,
} from '../../src/onnx/tensor.js';

describe('tensorOf', () => {
  test('gives the bytes of its array, of all of it and no more', async () => {
    const all = Float32Array.of(9, 1, 2, 3, 4, 9);
    const tensor = tensorOf('float32', [2, 2], all.subarray(1, 5));
    expect(viewAs(await tensor.read(), Float32Array)).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(byteLength(tensor)).toBe(16);
  });

  test('refuses a shape of another size', () => {
    expect(() => tensorOf('float32', [3], Float32Array.of(1, 2))).toThrow(RangeError);
    expect(() => tensorOf('float16', [2], Float32Array.of(1, 2))).toThrow('float16[2]');
    expect(() => tensorOf('int8', [2, 0], Int8Array.of(1))).toThrow(RangeError);
  });

  test('knows scalars and tensors without elements', async () => {
    expect(scalar(2.5).dims).toEqual([]);
    expect(viewAs(await scalar(2.5).read(), Float32Array)).toEqual(Float32Array.of(2.5));
    expect((await float32([0, 4], []).read()).byteLength).toBe(0);
    expect(elementCount([])).toBe(1);
    expect(elementCount([2, 3, 4])).toBe(24);
  });

  test('makes int64 vectors of numbers', async () => {
    const values = [-1, 0, 2 ** 53 - 1, -(2 ** 31)];
    const tensor = int64s(values);
    expect(tensor.dims).toEqual([4]);
    expect([...viewAs(await tensor.read(), BigInt64Array)]).toEqual(values.map(BigInt));
  });
});

describe('viewAs', () => {
  const floats = Float32Array.of(1.5, -2, 3);
  const bytes = new Uint8Array(floats.buffer);

  test('is a view of bytes that are aligned', () => {
    expect(viewAs(bytes, Float32Array).buffer).toBe(floats.buffer);
    expect(viewAs(bytes.subarray(4), Float32Array)).toEqual(Float32Array.of(-2, 3));
  });

  test('is a copy of bytes that are not, also of those of Node buffers', () => {
    const shifted = new Uint8Array(13);
    shifted.set(bytes, 1);
    expect(viewAs(shifted.subarray(1), Float32Array)).toEqual(floats);
    expect(viewAs(Buffer.from(shifted.buffer).subarray(1), Float32Array)).toEqual(floats);
  });
});
