import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { GraphBuilder, type Value } from '../../src/onnx/builder.js';
import { serializeModel } from '../../src/onnx/file.js';
import {
  dequantizeLinear,
  dynamicQuantizeMatMul,
  gemm,
  matMulIntegerToFloat,
  matMulNBits,
  quantizeLinear,
} from '../../src/onnx/ops.js';
import { float32, scalar, tensorOf } from '../../src/onnx/tensor.js';
import { useFolder } from '../support/folder.js';
import { avx2Part, qemuX64 } from '../support/parts.js';

const folder = useFolder();

const INPUTS = 64;
const OUTPUTS = 32;

/** Inputs and weights as large as 8 bits allow: two products are 64,770, and 16 bits hold 32,767. */
const LARGEST = { input: 255, weight: 127 };
const EXACT = INPUTS * LARGEST.input * LARGEST.weight;

/** Weights of neighbours that are as large as the stage lets two be, the larger of them first and second in turn. */
const BOUNDED = [127, 1, 1, 127];
const EXACT_BOUNDED = (INPUTS / BOUNDED.length) * LARGEST.input * 256;

/** A linear of a form that the stage `quantize` writes; all its scales are 1. */
type Linear = (g: GraphBuilder, x: Value) => Value;

const constants = {
  W: tensorOf('int8', [INPUTS, OUTPUTS], new Int8Array(INPUTS * OUTPUTS).fill(LARGEST.weight)),
  B: tensorOf(
    'int8',
    [INPUTS, OUTPUTS],
    Int8Array.from({ length: INPUTS * OUTPUTS }, (_, at) => BOUNDED[Math.floor(at / OUTPUTS) % 4]!),
  ),
  ones: float32([OUTPUTS], new Float32Array(OUTPUTS).fill(1)),
  bias: float32([OUTPUTS], new Float32Array(OUTPUTS)),
  one: scalar(1),
  zero: tensorOf('uint8', [], Uint8Array.of(0)),
};
const constant = (g: GraphBuilder, name: keyof typeof constants): Value => g.constant(name, constants[name]);

const w8a8 =
  (weight: 'W' | 'B'): Linear =>
  (g, x) => {
    const a = quantizeLinear(g, 'x_u8', x, constant(g, 'one'), constant(g, 'zero'));
    return matMulIntegerToFloat(
      g,
      'y',
      a,
      constant(g, weight),
      { a: constant(g, 'one'), b: constant(g, 'ones') },
      constant(g, 'zero'),
      constant(g, 'bias'),
    );
  };

const linears: Readonly<Record<string, Linear>> = {
  w8a8: w8a8('W'),
  bounded: w8a8('B'),
  qdq: (g, x) => {
    const a = dequantizeLinear(
      g,
      'x_f',
      quantizeLinear(g, 'x_u8', x, constant(g, 'one'), constant(g, 'zero')),
      constant(g, 'one'),
      constant(g, 'zero'),
    );
    const zeros = g.constant('zeros', tensorOf('int8', [OUTPUTS], new Int8Array(OUTPUTS)));
    const b = dequantizeLinear(g, 'W_f', constant(g, 'W'), constant(g, 'ones'), zeros);
    const integers = g.constant('bias_i32', tensorOf('int32', [OUTPUTS], new Int32Array(OUTPUTS)));
    return gemm(g, 'y', a, b, dequantizeLinear(g, 'bias_f', integers, constant(g, 'ones')));
  },
  dynamic: (g, x) =>
    dynamicQuantizeMatMul(g, 'y', x, constant(g, 'W'), constant(g, 'ones'), constant(g, 'bias')),
  w8: (g, x) => {
    const bytes = new Uint8Array(OUTPUTS * INPUTS).fill(128 + LARGEST.weight);
    const blocks = INPUTS / 32;
    const b = g.constant('W', tensorOf('uint8', [OUTPUTS, blocks, 32], bytes));
    const scales = g.constant(
      'scales',
      float32([OUTPUTS, blocks], new Float32Array(OUTPUTS * blocks).fill(1)),
    );
    return matMulNBits(g, 'y', x, b, scales, constant(g, 'bias'), {
      k: INPUTS,
      n: OUTPUTS,
      bits: 8,
      blockSize: 32,
    });
  },
};

/** Prints, for each of the named files, the first output with and without `x64QuantPrecision`. */
const SCRIPT = `
const [, engineUrl, rows, ...files] = process.argv;
const { nodeEngine } = await import(engineUrl);
const engine = await nodeEngine();
const x = engine.tensor('float32', new Float32Array(rows * ${INPUTS}).fill(${LARGEST.input}), [Number(rows), ${INPUTS}]);
const first = async (file, x64QuantPrecision) => {
  const session = await engine.open(file, { threads: 1, memoryPattern: false, arena: true, spinning: false, x64QuantPrecision });
  return (await session.run({ x })).y.data[0];
};
const found = [];
for (const file of files) found.push([await first(file, undefined), await first(file, true)]);
console.log(JSON.stringify(found));
process.exit(0);`;

describe.skipIf(avx2Part.missing !== undefined)('INT8 on an x86-64 processor without VNNI', () => {
  it('is exact with x64QuantPrecision or where pairs of weights are bounded, and not without either', async () => {
    const files: string[] = [];
    for (const [name, linear] of Object.entries(linears)) {
      const g = new GraphBuilder(name);
      g.output(linear(g, g.input('x', 'float32', [2, INPUTS])));
      const file = folder(`${name}.onnx`);
      await writeFile(file, await serializeModel(g.finish()));
      files.push(file);
    }
    const engine = join(packageRoot(), 'dist', 'runtime', 'node.js');
    const script = ['--input-type=module', '-e', SCRIPT, engine, '2', ...files];
    // A processor with AVX2 alone, whatever this one has.
    const { stdout } = await promisify(execFile)(qemuX64, ['-cpu', 'Haswell', process.execPath, ...script]);
    const found = JSON.parse(stdout) as [without: number, exact: number][];
    const at = Object.fromEntries(Object.keys(linears).map((name, index) => [name, found[index]]));
    for (const form of ['w8a8', 'qdq', 'dynamic']) {
      expect(at[form]![0]).toBeLessThan(0.6 * EXACT);
      expect(at[form]![1]).toBe(EXACT);
    }
    expect(at['bounded']).toEqual([EXACT_BOUNDED, EXACT_BOUNDED]);
    for (const value of at['w8']!) expect(value / EXACT).toBeCloseTo(1, 6);
  }, 120_000);
});
