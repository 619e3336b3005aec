import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { batch, type Dim } from '../../src/onnx/dims.js';
import { dtypeCode } from '../../src/onnx/dtype.js';
import { activationMemory, constantBytes } from '../../src/onnx/liveness.js';
import { attention, binary, cast, gather, matMul, reshape, transpose, unary } from '../../src/onnx/ops.js';
import { float32, tensorOf } from '../../src/onnx/tensor.js';

/** Live bytes, node by node. */
function lives(g: GraphBuilder, images: number): Record<string, number> {
  return Object.fromEntries(
    activationMemory(g.finish(), images).nodes.map(({ node, liveBytes }) => [node, liveBytes]),
  );
}

function weights(
  g: GraphBuilder,
  name: string,
  rows: number,
  columns: number,
): ReturnType<GraphBuilder['constant']> {
  return g.constant(name, float32([rows, columns], new Float32Array(rows * columns)));
}

describe('activationMemory', () => {
  test('counts a chain by hand: each value from its maker to its last reader', () => {
    const g = new GraphBuilder('chain');
    const x = g.input('x', 'float32', [batch, 10]);
    const a = matMul(g, 'a', x, weights(g, 'w1', 10, 100));
    const b = matMul(g, 'b', a, weights(g, 'w2', 100, 50));
    g.output(matMul(g, 'c', b, weights(g, 'w3', 50, 5)));
    // 3 images, 4 bytes: a = 1200, b = 600, c = 60. The input is the caller's.
    const { nodes, peakBytes, peakNode, batch: images } = activationMemory(g.finish(), 3);
    expect(nodes).toEqual([
      { node: 'a', opType: 'MatMul', outputBytes: 1200, liveBytes: 1200 },
      { node: 'b', opType: 'MatMul', outputBytes: 600, liveBytes: 1800 },
      { node: 'c', opType: 'MatMul', outputBytes: 60, liveBytes: 660 },
    ]);
    expect({ peakBytes, peakNode, images }).toEqual({ peakBytes: 1800, peakNode: 'b', images: 3 });
  });

  test('holds what a later node still reads', () => {
    const g = new GraphBuilder('residual');
    const x = g.input('x', 'float32', [batch, 10]);
    const a = unary(g, 'Abs', 'a', x);
    const b = matMul(g, 'b', a, weights(g, 'up', 10, 40));
    const c = matMul(g, 'c', b, weights(g, 'down', 40, 10));
    const d = transpose(g, 'd', c, [1, 0]);
    const e = transpose(g, 'e', a, [1, 0]);
    g.output(g.call('Max', [d, e], { ...e, name: 'f' }));
    // 1 image: a = 40, b = 160, c = 40, d = 40, e = 40, f = 40; a lives until e.
    expect(lives(g, 1)).toEqual({ a: 40, b: 200, c: 240, d: 120, e: 120, f: 120 });
  });

  test.each(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten', 'DequantizeLinear'])(
    'counts the result of %s as its input, which lives on as long as it is read',
    (opType) => {
      const g = new GraphBuilder('alias');
      const a = unary(g, 'Abs', 'a', g.input('x', 'float32', [batch, 10]));
      const b = g.call(opType, [a], { ...a, name: 'b' });
      g.output(transpose(g, 'c', b, [1, 0]));
      expect(lives(g, 1)).toEqual({ a: 40, b: 40, c: 80 });
    },
  );

  test('writes an Add over an input that nobody else needs', () => {
    const g = new GraphBuilder('in place');
    const x = g.input('x', 'float32', [batch, 10]);
    const a = unary(g, 'Abs', 'a', x);
    const b = unary(g, 'Neg', 'b', a);
    const c = binary(g, 'Add', 'c', b, g.constant('bias', float32([10], new Float32Array(10))));
    const d = binary(g, 'Add', 'd', a, c);
    g.output(unary(g, 'Sqrt', 'e', d));
    // b is read by c alone, so that c takes its place; d takes that of a, which it is the last to read.
    expect(lives(g, 1)).toEqual({ a: 40, b: 80, c: 80, d: 80, e: 80 });
  });

  test('does not write over a value that is still needed, is larger or is the caller’s', () => {
    const g = new GraphBuilder('not in place');
    const x = g.input('x', 'float32', [1, 10]);
    const a = unary(g, 'Abs', 'a', x);
    const needed = binary(g, 'Mul', 'needed', a, a);
    const b = unary(g, 'Neg', 'b', a);
    const large = unary(g, 'Abs', 'large', g.input('y', 'float32', [4, 10]));
    const mixed = g.call('Sub', [b, large], { name: 'mixed', dtype: 'float32', dims: [2, 10] });
    const ofInput = binary(g, 'Add', 'ofInput', x, x);
    for (const value of [needed, mixed, ofInput]) g.output(value);
    // a 40, needed +40, b +40 (a dies), large +160, mixed +80 (b and large die), ofInput +40.
    expect(lives(g, 1)).toEqual({ a: 40, needed: 80, b: 120, large: 240, mixed: 320, ofInput: 160 });
  });

  test('takes a Reshape for another name of the same memory', () => {
    const g = new GraphBuilder('alias');
    const x = g.input('x', 'float32', [batch, 2, 10]);
    const a = unary(g, 'Abs', 'a', x);
    const flat = reshape(g, 'flat', a, [batch, 20]);
    const again = reshape(g, 'again', flat, [{ perBatch: 20 }]);
    const b = matMul(g, 'b', flat, weights(g, 'w', 20, 20));
    const c = unary(g, 'Neg', 'c', again);
    g.output(binary(g, 'Add', 'd', b, reshape(g, 'shaped', c, [batch, 20])));
    const { nodes } = activationMemory(g.finish(), 2);
    // 160 bytes each; a lives under its other names until c has read it.
    expect(nodes.map(({ node, outputBytes, liveBytes }) => [node, outputBytes, liveBytes])).toEqual([
      ['a', 160, 160],
      ['flat', 0, 160],
      ['again', 0, 160],
      ['b', 160, 320],
      ['c', 160, 480],
      ['shaped', 0, 320],
      // In the place of b, or of c under its other name.
      ['d', 160, 320],
    ]);
  });

  test('keeps an output of the model to the end, also under another name', () => {
    const g = new GraphBuilder('outputs');
    const x = g.input('x', 'float32', [1, 10]);
    const a = unary(g, 'Abs', 'a', x);
    g.output(reshape(g, 'flat', a, [10]));
    const b = unary(g, 'Neg', 'b', x);
    g.output(unary(g, 'Abs', 'c', b));
    expect(lives(g, 1)).toEqual({ a: 40, flat: 40, b: 80, c: 120 });
  });

  test('frees a result that nobody reads', () => {
    const g = new GraphBuilder('unread');
    const x = g.input('x', 'float32', [1, 10]);
    unary(g, 'Abs', 'unread', x);
    g.output(unary(g, 'Neg', 'b', x));
    expect(lives(g, 1)).toEqual({ unread: 40, b: 40 });
  });

  test('adds the scores of all heads while Attention runs, and only then', () => {
    const g = new GraphBuilder('attention');
    const x = g.input('x', 'float32', [batch, 7, 12]);
    const q = unary(g, 'Abs', 'q', x);
    const o = attention(g, 'o', q, q, q, 3);
    g.output(unary(g, 'Neg', 'p', o));
    // 2 images: q, o and p 2·7·12·4 = 672 each; scores 2·3·7·7·4 = 1176.
    const { peakBytes, peakNode } = activationMemory(g.finish(), 2);
    expect(lives(g, 2)).toEqual({ q: 672, o: 672 + 672 + 1176, p: 1344 });
    expect({ peakBytes, peakNode }).toEqual({ peakBytes: 2520, peakNode: 'o' });
  });

  test('adds the scores of those tokens alone that attention gives new values', () => {
    const g = new GraphBuilder('asking');
    const all = g.input('all', 'float32', [batch, 7, 12]);
    const k = unary(g, 'Abs', 'k', all);
    g.output(attention(g, 'o', g.input('q', 'float32', [batch, 2, 12]), k, k, 3));
    // 2 images: k 672, o 2·2·12·4 = 192, scores 2·3·2·7·4 = 336.
    expect(lives(g, 2)).toEqual({ k: 672, o: 672 + 192 + 336 });
  });

  test('counts bytes by type, all results of a node, and leaves out those that are not wanted', () => {
    const g = new GraphBuilder('types');
    const x = g.input('x', 'float32', [1, 10]);
    const half = cast(g, 'half', x, 'float16', dtypeCode('float16'));
    const byte = cast(g, 'byte', half, 'uint8', dtypeCode('uint8'));
    const dims: Dim[] = [1, 5];
    const parts = g.callMany('Split', [byte], [
      { name: 'p', dtype: 'uint8', dims },
      undefined,
      { name: 'r', dtype: 'int64', dims },
    ] as const);
    g.output(parts[0]);
    expect(lives(g, 1)).toEqual({ half: 20, byte: 30, p: 10 + 5 + 40 });
  });

  test('leaves out nodes that compute from constants alone, one after the other', () => {
    const g = new GraphBuilder('folded');
    const x = g.input('x', 'float32', [batch, 10]);
    const stored = g.constant('stored', tensorOf('float16', [20, 10], new Uint16Array(200)));
    const wide = cast(g, 'wide', stored, 'float32', dtypeCode('float32'));
    const turned = transpose(g, 'turned', wide, [1, 0]);
    g.output(matMul(g, 'y', x, turned));
    expect(lives(g, 2)).toEqual({ y: 160 });
  });

  test('scales with the batch', () => {
    const g = new GraphBuilder('scale');
    const x = g.input('x', 'float32', [batch, 7, 12]);
    const o = attention(g, 'o', x, x, x, 3);
    g.output(gather(g, 'first', o, g.constant('zero', tensorOf('int64', [], BigInt64Array.of(0n))), 1));
    const one = activationMemory(g.finish(), 1);
    const eight = activationMemory(g.finish(), 8);
    expect(eight.peakBytes).toBe(8 * one.peakBytes);
    expect(eight.peakNode).toBe(one.peakNode);
  });

  test('needs to know every size', () => {
    const g = new GraphBuilder('free');
    const x = g.input('x', 'float32', [1, { free: 'n' }]);
    g.output(unary(g, 'Abs', 'a', x));
    expect(() => activationMemory(g.finish(), 1)).toThrow('a');
  });

  test('of a model without nodes is nothing', () => {
    const g = new GraphBuilder('nothing');
    g.output(g.input('x', 'float32', [1]));
    expect(activationMemory(g.finish(), 1)).toMatchObject({ nodes: [], peakBytes: 0 });
  });
});

describe('constantBytes', () => {
  test('counts constants as they lie in memory, widened ones wide', () => {
    const g = new GraphBuilder('constants');
    const x = g.input('x', 'float32', [batch, 10]);
    const plain = matMul(g, 'a', x, weights(g, 'plain', 10, 10));
    const stored = g.constant('stored', tensorOf('float16', [10, 10], new Uint16Array(100)));
    g.output(matMul(g, 'b', plain, cast(g, 'wide', stored, 'float32', dtypeCode('float32'))));
    expect(constantBytes(g.finish())).toBe(400 + 400);
  });

  test('counts of a chain of folded nodes only what is left, and a constant that something else reads, too', () => {
    const g = new GraphBuilder('chain');
    const x = g.input('x', 'float32', [batch, 10]);
    const stored = g.constant('stored', tensorOf('float16', [20, 10], new Uint16Array(200)));
    const wide = cast(g, 'wide', stored, 'float32', dtypeCode('float32'));
    const product = matMul(g, 'y', x, transpose(g, 'turned', wide, [1, 0]));
    const rows = gather(g, 'rows', stored, g.input('index', 'int64', [1]), 0);
    g.output(product);
    g.output(rows);
    // What is folded last: 20 · 10 · 4; the stored halves, which Gather reads: 20 · 10 · 2.
    expect(constantBytes(g.finish())).toBe(800 + 400);
  });

  test('counts a folded output of the model', () => {
    const g = new GraphBuilder('output');
    const stored = g.constant('stored', tensorOf('float16', [10], new Uint16Array(10)));
    g.output(cast(g, 'wide', stored, 'float32', dtypeCode('float32')));
    expect(constantBytes(g.finish())).toBe(40);
  });
});
