import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { GraphBuilder, type Value } from '../../src/onnx/builder.js';
import { batch, sizeAt } from '../../src/onnx/dims.js';
import { dtypeCode } from '../../src/onnx/dtype.js';
import { topK } from '../../src/onnx/index-ops.js';
import * as ops from '../../src/onnx/ops.js';
import { float32, int64s, scalar, tensorOf } from '../../src/onnx/tensor.js';
import { runOnce } from '../support/engine.js';
import { draw } from '../support/simulate.js';

const random = seededRandom(1);
const normals = (count: number): Float32Array => Float32Array.from(draw(count, () => random.normal()));

/** Every operator there is, on an input `[batch, 6, 8]`. */
function everyOperator(g: GraphBuilder, x: Value): Value[] {
  const weight = g.constant('weight', float32([8, 12], normals(96)));
  const bias = g.constant('bias', float32([12], normals(12)));
  const row = g.constant('row', float32([8], normals(8)));
  const one = g.constant('one', scalar(1));
  const scale = g.constant('scale', scalar(0.05));
  const zero = g.constant('zero', tensorOf('uint8', [], Uint8Array.of(128)));
  const matrix = ops.asMatrix(g, 'matrix', x);
  const quantized = ops.quantizeLinear(g, 'quantized', x, scale, zero);
  const integers = g.constant('integers', tensorOf('int8', [8, 12], new Int8Array(96).fill(3)));
  const columns = g.constant('columns', float32([12], new Float32Array(12).fill(0.01)));
  const blocks = g.constant('blocks', tensorOf('uint8', [12, 1, 8], new Uint8Array(96).fill(0x9a)));
  const blockScales = g.constant('blockScales', float32([12, 1], new Float32Array(12).fill(0.1)));
  return [
    ops.binary(g, 'Add', 'binary', x, row),
    ops.unary(g, 'Abs', 'unary', x),
    ops.clip(g, 'clip', x, g.constant('low', scalar(-1)), one),
    ops.cast(g, 'cast', x, 'float16', dtypeCode('float16')),
    ops.cast(g, 'cast:int32', x, 'int32', dtypeCode('int32')),
    matrix,
    ops.reshape(g, 'reshape', x, [batch, 2, 24]),
    ops.reshape(g, 'reshape:flat', x, [{ perBatch: 48 }]),
    ops.transpose(g, 'transpose', x, [2, 0, 1]),
    ops.concat(g, 'concat', [x, x, ops.unary(g, 'Neg', 'negative', x)], 1),
    ops.gather(g, 'gather', x, g.constant('first', tensorOf('int64', [], BigInt64Array.of(0n))), 1),
    ops.gather(g, 'gather:several', x, g.constant('several', int64s([0, 2, 2])), 1),
    ops.matMul(g, 'matMul', x, weight),
    ops.gemm(g, 'gemm', matrix, weight, bias),
    ops.gemm(g, 'gemm:turned', matrix, g.constant('turned', float32([12, 8], normals(96))), undefined, {
      b: true,
    }),
    ops.gemm(g, 'gemm:gram', matrix, matrix, undefined, { a: true }),
    ops.layerNormalization(g, 'layerNormalization', x, row, row, 1e-6),
    ops.attention(g, 'attention', x, x, x, 2),
    ops.softmax(g, 'softmax', x),
    ops.gelu(g, 'gelu', x),
    ops.fastGelu(g, 'fastGelu', x),
    ops.quickGelu(g, 'quickGelu', x, 1.702),
    ...ops.halves(g, 'halves', x),
    ops.pad(g, 'pad', x, [
      [0, 0],
      [1, 2],
      [0, 0],
    ]),
    ops.multiHeadAttention(g, 'multiHeadAttention', x, x, x, 2),
    ...Object.values(ops.skipLayerNormalization(g, 'skipLayerNormalization', 'sum', x, x, row, row, 1e-6)),
    quantized,
    ops.dequantizeLinear(g, 'dequantized', quantized, scale, zero),
    ops.dynamicQuantizeMatMul(g, 'dynamicQuantizeMatMul', x, integers, columns, bias),
    ops.matMulIntegerToFloat(
      g,
      'matMulIntegerToFloat',
      quantized,
      integers,
      { a: scale, b: columns },
      zero,
      bias,
    ),
    ops.matMulNBits(g, 'matMulNBits', x, blocks, blockScales, bias, { k: 8, n: 12, bits: 4, blockSize: 16 }),
    ops.reduce(g, 'ReduceMax', 'reduce', x, [0, 1]),
    ops.reduce(g, 'ReduceMean', 'reduce:last', x, [2]),
    ops.reduce(g, 'ReduceSum', 'reduce:all', x),
  ];
}

describe('every operator', () => {
  test('is tried here', () => {
    const g = new GraphBuilder('operators');
    const tried = new Set(everyOperator(g, g.input('x', 'float32', [batch, 6, 8])).map(({ name }) => name));
    const names: Record<string, string> = {
      dequantizeLinear: 'dequantized',
      quantizeLinear: 'quantized',
      asMatrix: 'matrix',
      halves: 'halves:first',
    };
    for (const op of Object.keys(ops)) expect([...tried]).toContain(names[op] ?? op);
  });

  test.each([1, 3])('has the type and the shape that it declares, at batch %d', async (size) => {
    const g = new GraphBuilder('operators');
    const results = everyOperator(g, g.input('x', 'float32', [batch, 6, 8]));
    for (const value of results) g.output(value);
    const model = g.finish();
    const outputs = await runOnce(model, { x: { dims: [size, 6, 8], data: normals(size * 48) } });
    for (const { name, dtype, dims } of model.outputs) {
      const found = outputs[name]!;
      expect({ name, dims: [...found.dims], type: found.type }).toEqual({
        name,
        dims: dims.map((dim) => sizeAt(dim, size)),
        type: dtype,
      });
    }
  });
});

describe('operators', () => {
  test('compute what their names say', async () => {
    const g = new GraphBuilder('values');
    const x = g.input('x', 'float32', [2, 3]);
    const results = [
      ops.binary(g, 'Sub', 'sub', x, g.constant('row', float32([3], [1, 2, 3]))),
      ops.transpose(g, 'transpose', x, [1, 0]),
      ops.reduce(g, 'ReduceSumSquare', 'squares', x, [1]),
      topK(g, 'least', x, 1, 1, { largest: false, sorted: false }).values,
      ops.gather(g, 'second', x, g.constant('one', tensorOf('int64', [], BigInt64Array.of(1n))), 0),
      ops.gemm(g, 'gram', x, x, undefined, { b: true }),
      ops.concat(g, 'concat', [x, x], 1),
      ops.clip(g, 'clip', x, g.constant('low', scalar(-1)), g.constant('high', scalar(2))),
    ];
    for (const value of results) g.output(value);
    const outputs = await runOnce(g.finish(), {
      x: { dims: [2, 3], data: Float32Array.of(1, -2, 3, 4, 0, -6) },
    });
    const values = (name: string): number[] => [...(outputs[name]!.data as Float32Array)];
    expect(values('sub')).toEqual([0, -4, 0, 3, -2, -9]);
    expect(values('transpose')).toEqual([1, 4, -2, 0, 3, -6]);
    expect(values('squares')).toEqual([14, 52]);
    expect(values('least')).toEqual([-2, -6]);
    expect(values('second')).toEqual([4, 0, -6]);
    expect(values('gram')).toEqual([14, -14, -14, 52]);
    expect(values('concat')).toEqual([1, -2, 3, 1, -2, 3, 4, 0, -6, 4, 0, -6]);
    expect(values('clip')).toEqual([1, -1, 2, 2, 0, -1]);
  });

  test('refuse to concatenate along the batch', () => {
    const g = new GraphBuilder('concat');
    const x = g.input('x', 'float32', [batch, 4]);
    expect(() => ops.concat(g, 'c', [x, x], 0)).toThrow(RangeError);
  });
});
