import { GraphBuilder, type Value } from '../../onnx/builder.js';
import { dtypeCode } from '../../onnx/dtype.js';
import type { OnnxModel } from '../../onnx/model.js';
import {
  binary,
  cast,
  gather,
  gemm,
  matMulIntegerToFloat,
  matMulNBits,
  quantizeLinear,
  reduce,
} from '../../onnx/ops.js';
import { float32, scalar, tensorOf } from '../../onnx/tensor.js';
import type { ProductShape } from '../../store/node-work.js';
import type { CeilingSubject } from '../../store/rooflines.js';

/** Name of the node whose time counts. */
export const MEASURED = 'measured';

/** Elements of the graph's input, `[1, 3, 1, 1]`: two different ones, so that two tensors made of them are not one. */
export const INPUT_VALUES = [0.25, 0.5, 0.75] as const;

/** Weights that share a scale, as in our W8 and W4. */
const BLOCK_SIZE = 32;

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Columns of the tensors of a stream: rows as wide as a ViT's. */
const STREAM_COLUMNS = 1024;

/**
 * A model of one operator that counts, in the form that our graphs have it, weights constant. Around it stand only nodes that
 * make its inputs out of three numbers and take one row of its result, so that nothing large goes in or out.
 *
 * @param subject - what the operator does
 */
export function ceilingGraph(subject: CeilingSubject): OnnxModel {
  const g = new GraphBuilder('ceiling');
  const seeds = g.input('x', 'float32', [1, 3, 1, 1]);
  const result = subject.kind === 'stream' ? stream(g, seeds, subject.bytes) : product(g, seeds, subject);
  const first = g.constant('first', tensorOf('int64', [], new BigInt64Array(1)));
  g.output(gather(g, 'row', result, first, 0));
  return g.finish();
}

/** The sum of two tensors: two are read and one is written. */
function stream(g: GraphBuilder, seeds: Value, bytes: number): Value {
  const rows = bytes / 3 / BYTES / STREAM_COLUMNS;
  const [a, b] = (['ReduceMin', 'ReduceMax'] as const).map((op) =>
    filled(g, op, reduce(g, op, `${op}:seed`, seeds), rows, STREAM_COLUMNS),
  ) as [Value, Value];
  return binary(g, 'Add', MEASURED, a, b);
}

function product(
  g: GraphBuilder,
  seeds: Value,
  { precision, shape }: Extract<CeilingSubject, { kind: 'product' }>,
): Value {
  const { rows, inner, columns } = shape;
  const x = filled(g, 'input', reduce(g, 'ReduceMax', 'seed', seeds), rows, inner);
  const bias = g.constant('bias', float32([columns], new Float32Array(columns)));
  switch (precision) {
    case 'float32':
      return gemm(g, MEASURED, x, g.constant('weight', float32([inner, columns], weights(shape))), bias);
    case 'float16': {
      const half = (name: string, value: Value): Value =>
        cast(g, name, value, 'float16', dtypeCode('float16'));
      const weight = g.constant('weight', float32([inner, columns], weights(shape)));
      const result = gemm(g, MEASURED, half('input:half', x), half('weight:half', weight), half('b', bias));
      return cast(g, 'result', result, 'float32', dtypeCode('float32'));
    }
    case 'int8': {
      const scale = g.constant('scale', scalar(1 / 128));
      const zero = g.constant('zero', tensorOf('uint8', [], Uint8Array.of(128)));
      // Of seven bits, so that processors without VNNI take the kernels that they take for variants in bounded pairs.
      const narrow = integers(shape).map((value) => value >> 1);
      const weight = g.constant('weight', tensorOf('int8', [inner, columns], narrow));
      const scales = g.constant('scales', float32([columns], new Float32Array(columns).fill(1 / 127)));
      const a = quantizeLinear(g, 'input:u8', x, scale, zero);
      return matMulIntegerToFloat(g, MEASURED, a, weight, { a: scale, b: scales }, zero, bias);
    }
    case 'w8':
    case 'w4': {
      const bits = precision === 'w8' ? 8 : 4;
      const blocks = Math.ceil(inner / BLOCK_SIZE);
      const blockBytes = (BLOCK_SIZE * bits) / 8;
      const bytes = new Uint8Array(integers({ rows, inner: blocks * blockBytes, columns }).buffer);
      const weight = g.constant('weight', tensorOf('uint8', [columns, blocks, blockBytes], bytes));
      const scales = new Float32Array(columns * blocks).fill(1 / 127);
      return matMulNBits(
        g,
        MEASURED,
        x,
        weight,
        g.constant('scales', float32([columns, blocks], scales)),
        bias,
        {
          ...{ k: inner, n: columns, bits, blockSize: BLOCK_SIZE },
        },
      );
    }
  }
}

/** A matrix filled with a number that is known only when the model runs, so that nothing is computed ahead. */
function filled(g: GraphBuilder, name: string, value: Value, rows: number, columns: number): Value {
  return g.call('Expand', [value, g.indices([rows, columns])], {
    name: `${name}:filled`,
    dtype: 'float32',
    dims: [rows, columns],
  });
}

/** Weights of every size, none of them special to a processor (zeros and tiny numbers are, to some). */
function integers({ inner, columns }: ProductShape): Int8Array {
  return Int8Array.from({ length: inner * columns }, (_, index) => ((index * 37) % 251) - 125);
}

function weights(shape: ProductShape): Float32Array {
  return Float32Array.from(integers(shape), (value) => (value + 0.5) / 1024);
}
