import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import {
  dequantizeBlockwise,
  dequantizeInt8,
  inputRange,
  int8Grid,
  nearest,
  quantizeBlockwise,
  quantizeInt8,
  stepBeside,
  toNearest,
  UNBOUND_COVER,
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

  describe('in bounded pairs', () => {
    // Odd, so that the last input of each output has no neighbour.
    const inputs = 41;
    const wide = normals(30 * inputs, 5);
    const covering = (share: number): Float32Array => new Float32Array(30).fill(share);
    const bounded = (share: number) => int8Grid(wide, inputs, true, covering(share), true);

    it.each([0.7, 1, 1.3])('keep within 16 bits at any input where the scale covers %d', (share) => {
      const steps = toNearest(wide, inputs, bounded(share));
      const free = toNearest(wide, inputs, int8Grid(wide, inputs, true, covering(share)));
      let reached = 0;
      for (let o = 0; o < 30; o++) {
        for (let i = 0; i + 1 < inputs; i += 2) {
          const [a, b] = [steps[o * inputs + i]!, steps[o * inputs + i + 1]!];
          // The largest and the least sum of two products with uint8 inputs, as `vpmaddubsw` has 16 bits for.
          expect(255 * (Math.max(a, 0) + Math.max(b, 0))).toBeLessThanOrEqual(32_767);
          expect(255 * (Math.min(a, 0) + Math.min(b, 0))).toBeGreaterThanOrEqual(-32_768);
          const [x, y] = [free[o * inputs + i]!, free[o * inputs + i + 1]!];
          const isOver = x * y > 0 && Math.abs(x + y) > 128;
          if (isOver) reached++;
          // No other pair is touched, and of those that are, nothing is given away.
          if (isOver) expect(Math.abs(a + b)).toBe(128);
          else expect([a, b]).toEqual([x, y]);
        }
        expect(steps[o * inputs + inputs - 1]).toBe(free[o * inputs + inputs - 1]);
      }
      expect(reached).toBeGreaterThan(0);
    });

    it('are as near as a pair can be', () => {
      const grid = bounded(0.8);
      const steps = toNearest(wide, inputs, grid);
      for (let o = 0; o < 30; o++) {
        const step = grid.scales[o]!;
        const [x, y] = [wide[o * inputs]! / step, wide[o * inputs + 1]! / step];
        const off = (a: number, b: number): number => (a - x) ** 2 + (b - y) ** 2;
        let least = Infinity;
        for (let a = -127; a <= 127; a++)
          for (let b = -127; b <= 127; b++)
            if (a * b <= 0 || Math.abs(a + b) <= 128) least = Math.min(least, off(a, b));
        // Where both are beyond the scale, a tie of one step in the clamping is as good.
        expect(off(steps[o * inputs]!, steps[o * inputs + 1]!)).toBeLessThanOrEqual(least * 1.0001 + 1e-9);
      }
    });

    it('stand for what they are when no step lies between', () => {
      const grid = bounded(1);
      const steps = toNearest(wide, inputs, grid);
      const meant = Float32Array.from(steps, (step, i) => step * grid.scales[Math.floor(i / inputs)]!);
      expect(maxDifference(nearest(wide, inputs, grid), meant)).toBe(0);
    });

    it('are seven bits, and touched nowhere, where the scale covers enough', () => {
      const share = covering(UNBOUND_COVER);
      const steps = toNearest(wide, inputs, int8Grid(wide, inputs, true, share, true));
      expect(steps).toEqual(toNearest(wide, inputs, int8Grid(wide, inputs, true, share)));
      expect(Math.max(...steps.map(Math.abs))).toBe(64);
    });

    it('leave one step what its neighbour leaves', () => {
      const grid = bounded(1);
      expect([300, 100, 2, -300].map((wanted) => stepBeside(grid, wanted, 100))).toEqual([28, 28, 2, -127]);
      expect([300, -2, -300].map((wanted) => stepBeside(grid, wanted, -127))).toEqual([127, -1, -1]);
      expect(stepBeside(int8Grid(wide, inputs, true), 300, 100)).toBe(127);
    });
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
