import { describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { GraphBuilder, type Value } from '../../src/onnx/builder.js';
import { nodeCosts, type NodeCost } from '../../src/onnx/cost.js';
import { batch } from '../../src/onnx/dims.js';
import {
  attention,
  binary,
  gather,
  gemm,
  matMul,
  matMulIntegerToFloat,
  matMulNBits,
  multiHeadAttention,
  reshape,
} from '../../src/onnx/ops.js';
import { float32, scalar, tensorOf } from '../../src/onnx/tensor.js';
import { syntheticViT } from '../../src/vit/synthetic.js';
import { buildGraph } from '../../src/vit/graph/model.js';

/** Scalar multiplications of a product as it is defined, counted one by one. */
function counted(rows: number, inner: number, columns: number): number {
  let multiplications = 0;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) for (let k = 0; k < inner; k++) multiplications += 1;
  return multiplications;
}

function costsOf(build: (g: GraphBuilder) => Value, batchSize = 3): Map<string, NodeCost> {
  const g = new GraphBuilder('test');
  g.output(build(g));
  return nodeCosts(g.finish(), batchSize);
}

const zeros = (...dims: number[]) => float32(dims, new Float32Array(dims.reduce((a, b) => a * b, 1)));

describe('the cost of a node', () => {
  it('of a Gemm is rows by inner by columns, however its factors lie', () => {
    const plain = costsOf((g) => {
      const x = g.input('x', 'float32', [{ perBatch: 5 }, 7]);
      return gemm(g, 'y', x, g.constant('w', zeros(7, 4)), g.constant('b', zeros(4)));
    }).get('y')!;
    expect(plain.product).toEqual({
      dtype: 'float32',
      shape: { rows: 15, inner: 7, columns: 4 },
      multiplications: counted(15, 7, 4),
    });
    expect(plain.bytes).toBe(4 * (15 * 7 + 7 * 4 + 4 + 15 * 4));
    const turned = costsOf((g) => {
      const x = g.input('x', 'float32', [7, 15]);
      return gemm(g, 'y', x, g.constant('w', zeros(4, 7)), undefined, { a: true, b: true });
    }).get('y')!;
    expect(turned.product).toEqual(plain.product);
  });

  it('of a MatMul counts every matrix of a stack, and rows of all for one matrix', () => {
    const stack = costsOf((g) => {
      const a = g.input('a', 'float32', [batch, 2, 6, 5]);
      return matMul(g, 'y', a, g.input('b', 'float32', [batch, 2, 5, 4]));
    }).get('y')!;
    expect(stack.product!.shape).toEqual({ rows: 6, inner: 5, columns: 4 });
    expect(stack.product!.multiplications).toBe(3 * 2 * counted(6, 5, 4));
    const shared = costsOf((g) => {
      const a = g.input('a', 'float32', [batch, 6, 5]);
      return matMul(g, 'y', a, g.constant('b', zeros(5, 4)));
    }).get('y')!;
    expect(shared.product!.shape).toEqual({ rows: 18, inner: 5, columns: 4 });
    expect(shared.product!.multiplications).toBe(counted(18, 5, 4));
  });

  it('of attention is two products for each head of each image', () => {
    for (const op of [attention, multiHeadAttention]) {
      const { product, bytes } = costsOf((g) => {
        const [q, k, v] = ['q', 'k', 'v'].map((name) => g.input(name, 'float32', [batch, 9, 8]));
        return op(g, 'y', q!, k!, v!, 2);
      }).get('y')!;
      expect(product!.multiplications).toBe(3 * 2 * (counted(9, 4, 9) + counted(9, 9, 4)));
      expect(bytes).toBe(4 * 4 * 3 * 9 * 8);
    }
  });

  it('of attention whose queries and keys are narrower is that of their widths, a whole number', () => {
    for (const op of [attention, multiHeadAttention]) {
      const { product } = costsOf((g) => {
        const [q, k] = ['q', 'k'].map((name) => g.input(name, 'float32', [batch, 9, 6]));
        return op(g, 'y', q!, k!, g.input('v', 'float32', [batch, 9, 8]), 2);
      }).get('y')!;
      expect(product!.shape).toEqual({ rows: 9, inner: 3, columns: 9 });
      expect(product!.multiplications).toBe(3 * 2 * (counted(9, 3, 9) + counted(9, 9, 4)));
    }
  });

  it('of quantised products counts the bytes that they store', () => {
    const costs = costsOf((g) => {
      const a = g.input('a', 'uint8', [{ perBatch: 5 }, 64]);
      const w = g.constant('w', tensorOf('int8', [64, 4], new Int8Array(64 * 4)));
      const one = g.constant('one', scalar(1));
      const scales = { a: one, b: g.constant('ws', zeros(4)) };
      const zero = g.constant('zero', tensorOf('uint8', [], new Uint8Array(1)));
      const y = matMulIntegerToFloat(g, 'int8', a, w, scales, zero, g.constant('b', zeros(4)));
      const blocks = g.constant('w8', tensorOf('uint8', [16, 1, 16], new Uint8Array(256)));
      return matMulNBits(g, 'w8:y', y, blocks, g.constant('s8', zeros(16, 1)), g.constant('b8', zeros(16)), {
        ...{ k: 4, n: 16, bits: 8, blockSize: 16 },
      });
    });
    expect(costs.get('int8')!.product!.multiplications).toBe(counted(15, 64, 4));
    expect(costs.get('int8')!.bytes).toBe(15 * 64 + 64 * 4 + 4 + 4 * 4 + 1 + 4 * 4 + 4 * 15 * 4);
    expect(costs.get('w8:y')!.product!.shape).toEqual({ rows: 15, inner: 4, columns: 16 });
    expect(costs.get('w8:y')!.bytes).toBe(4 * 15 * 4 + 256 + 64 + 64 + 4 * 15 * 16);
  });

  it('counts a value once that is read twice, nothing for another shape, and of what is picked from only that', () => {
    const costs = costsOf((g) => {
      const x = g.input('x', 'float32', [batch, 10, 4]);
      const picked = gather(g, 'picked', binary(g, 'Add', 'twice', x, x), g.indices([0, 1]), 1);
      return reshape(g, 'flat', picked, [{ perBatch: 2 }, 4]);
    });
    expect(costs.get('twice')).toEqual({ product: undefined, bytes: 4 * 2 * 3 * 10 * 4 });
    expect(costs.get('picked')!.bytes).toBe(4 * 2 * 3 * 2 * 4 + 2 * 8);
    expect(costs.get('flat')!.bytes).toBe(0);
  });

  it('of a whole model is what its architecture says', () => {
    const vit = syntheticViT('vit-tiny', 1, square(32), ['a', 'b']);
    const costs = [...nodeCosts(buildGraph(vit), 5).values()];
    const [tokens, width, mlp, layers] = [5, 192, 768, 12];
    const perImage =
      4 * width * 768 + // four patches of 16 × 16 × 3
      (layers - 1) * (tokens * (4 * width ** 2 + 2 * width * mlp) + 2 * tokens ** 2 * width) +
      // Of the last block the head reads the class token alone, which looks at the keys and values of all.
      tokens * 2 * width ** 2 +
      (2 * width ** 2 + 2 * width * mlp + 2 * tokens * width) +
      width * 2;
    const total = costs.reduce((sum, { product }) => sum + (product?.multiplications ?? 0), 0);
    expect(total).toBe(5 * perImage);
  });

  it('is not told where a size is not known', () => {
    const costs = costsOf((g) => {
      const x = g.input('x', 'float32', [{ free: 'rows' }, 4]);
      return gemm(g, 'y', x, g.constant('w', zeros(4, 4)));
    });
    expect(costs.has('y')).toBe(false);
  });
});
