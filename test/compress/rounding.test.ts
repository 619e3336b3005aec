import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import {
  dequantizeBlockwise,
  dequantizeInt8,
  inputRange,
  quantizeBlockwise,
  quantizeInt8,
} from '../../src/compress/quantize/rounding.js';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { matMulIntegerToFloat, matMulNBits, quantizeLinear } from '../../src/onnx/ops.js';
import { float32, scalar, tensorOf } from '../../src/onnx/tensor.js';
import { maxDifference } from './support.js';
import { multiply, transpose } from './reference.js';
import { runOnce } from '../support/engine.js';

function normals(count: number, seed: number, spread = 1): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal() * spread);
}

describe('the uint8 range of an input', () => {
  it.each([
    [-1, 3],
    [0.5, 4],
    [-7, -2],
    [-0.17, 9.3],
  ])('from %d to %d expresses zero exactly and its ends within half a step', (min, max) => {
    const { scale, zeroPoint } = inputRange(min, max);
    expect(Number.isInteger(zeroPoint)).toBe(true);
    for (const value of [min, max]) {
      const q = Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint));
      expect(Math.abs((q - zeroPoint) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
    }
  });

  it('of nothing but zeros has a usable scale', () => {
    expect(inputRange(0, 0)).toEqual({ scale: 1, zeroPoint: 0 });
  });
});

describe('int8 weights', () => {
  const weight = normals(6 * 40, 1);
  it('are off by at most half a step of their own output', () => {
    const quantized = quantizeInt8(weight, 40, true);
    const back = dequantizeInt8(quantized);
    for (const [i, w] of weight.entries())
      expect(Math.abs(back[i]! - w)).toBeLessThanOrEqual(quantized.scales[Math.floor(i / 40)]! * 0.5001);
  });

  it('saturate where the scale is clipped', () => {
    const clipped = quantizeInt8(weight, 40, true, new Float32Array(6).fill(0.5));
    expect(Math.max(...clipped.values)).toBe(127);
    expect(Math.min(...clipped.values)).toBeGreaterThanOrEqual(-127);
    expect(clipped.scales[0]).toBeCloseTo(quantizeInt8(weight, 40, true).scales[0]! / 2, 6);
  });

  it('multiply in MatMulIntegerToFloat as a float64 reference does', async () => {
    const [rows, inputs, outputs] = [9, 40, 6];
    const x = normals(rows * inputs, 2);
    const { scale, zeroPoint } = inputRange(Math.min(...x), Math.max(...x));
    const { values, scales } = quantizeInt8(weight, inputs, true);
    const bias = normals(outputs, 3);
    const g = new GraphBuilder('test');
    const a = g.input('x', 'float32', [rows, inputs]);
    const [s, z] = [
      g.constant('s', scalar(scale)),
      g.constant('z', tensorOf('uint8', [], Uint8Array.of(zeroPoint))),
    ];
    const columns = Int8Array.from(transpose(values, outputs));
    const b = g.constant('w', tensorOf('int8', [inputs, outputs], columns));
    const ws = g.constant('ws', float32([outputs], scales));
    const u8 = quantizeLinear(g, 'u8', a, s, z);
    g.output(
      matMulIntegerToFloat(g, 'y', u8, b, { a: s, b: ws }, z, g.constant('b', float32([outputs], bias))),
    );
    const y = (await runOnce(g.finish(), { x: { dims: [rows, inputs], data: x } }))['y']!
      .data as Float32Array;
    const rounded = Float64Array.from(x, (value) => {
      const q = Math.min(255, Math.max(0, Math.round(value / scale) + zeroPoint));
      return (q - zeroPoint) * scale;
    });
    const expected = multiply(rounded, transpose(dequantizeInt8({ values, scales }), outputs), inputs).map(
      (sum, i) => sum + bias[i % outputs]!,
    );
    expect(maxDifference(y, expected)).toBeLessThan(1e-3);
  });
});

describe.each([
  [4, 32],
  [8, 32],
  [4, 16],
  [8, 128],
] as const)('%i-bit weights in blocks of %i', (bits, blockSize) => {
  const [inputs, outputs] = [2 * blockSize + 8, 5];
  const weight = normals(inputs * outputs, 4);

  it('are off by at most one step of their block', () => {
    const quantized = quantizeBlockwise(weight, inputs, bits, blockSize);
    const back = dequantizeBlockwise(quantized, inputs);
    const blocks = Math.ceil(inputs / blockSize);
    for (const [i, w] of weight.entries()) {
      const block = Math.floor(i / inputs) * blocks + Math.floor((i % inputs) / blockSize);
      expect(Math.abs(back[i]! - w)).toBeLessThanOrEqual(Math.abs(quantized.scales[block]!) * 1.0001);
    }
  });

  it('lose less where errors count, when scales are searched', () => {
    const worth = Float64Array.from({ length: inputs }, (_, i) => (i % 7 === 0 ? 100 : 0.01));
    const weighted = (back: Float32Array): number =>
      back.reduce((sum, b, i) => sum + worth[i % inputs]! * (b - weight[i]!) ** 2, 0);
    const searched = weighted(
      dequantizeBlockwise(quantizeBlockwise(weight, inputs, bits, blockSize, worth), inputs),
    );
    const plain = weighted(dequantizeBlockwise(quantizeBlockwise(weight, inputs, bits, blockSize), inputs));
    expect(searched).toBeLessThanOrEqual(plain);
  });

  it('multiply in MatMulNBits as their values do, but for the rounding of the input', async () => {
    const rows = 7;
    const x = normals(rows * inputs, 5);
    const quantized = quantizeBlockwise(weight, inputs, bits, blockSize);
    const g = new GraphBuilder('test');
    const a = g.input('x', 'float32', [rows, inputs]);
    const blocks = Math.ceil(inputs / blockSize);
    const b = g.constant('w', tensorOf('uint8', [outputs, blocks, (blockSize * bits) / 8], quantized.packed));
    const scales = g.constant('s', float32([outputs, blocks], quantized.scales));
    const bias = g.constant('b', float32([outputs], normals(outputs, 6)));
    g.output(matMulNBits(g, 'y', a, b, scales, bias, { k: inputs, n: outputs, bits, blockSize }));
    const y = (await runOnce(g.finish(), { x: { dims: [rows, inputs], data: x } }))['y']!
      .data as Float32Array;
    const bytes = normals(outputs, 6);
    const expected = multiply(x, transpose(dequantizeBlockwise(quantized, inputs), outputs), inputs).map(
      (sum, i) => sum + bytes[i % outputs]!,
    );
    // The kernel rounds its input to int8 in blocks: about 1 % of the output's spread of √inputs.
    expect(maxDifference(y, expected)).toBeLessThan(0.05 * Math.sqrt(inputs));
  });
});
