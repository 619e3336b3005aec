import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { batch } from '../../src/onnx/dims.js';
import { float32, viewAs } from '../../src/onnx/tensor.js';

function opened(): { g: GraphBuilder; x: ReturnType<GraphBuilder['input']> } {
  const g = new GraphBuilder('test');
  return { g, x: g.input('x', 'float32', [batch, 4]) };
}

describe('GraphBuilder', () => {
  test('keeps nodes in the order of the calls, with types and shapes of every value', () => {
    const { g, x } = opened();
    const a = g.call('Abs', [x], { ...x, name: 'a' });
    const b = g.call('Neg', [a], { ...x, name: 'b' });
    g.output(b);
    const model = g.finish({ recipe: 'none' });
    expect(model.nodes.map((node) => [node.name, node.opType, node.inputs, node.outputs])).toEqual([
      ['a', 'Abs', ['x'], ['a']],
      ['b', 'Neg', ['a'], ['b']],
    ]);
    expect(model.inputs).toEqual([{ name: 'x', dtype: 'float32', dims: ['batch', 4] }]);
    expect(model.outputs).toEqual([{ name: 'b', dtype: 'float32', dims: ['batch', 4] }]);
    expect(model.values).toEqual([{ name: 'a', dtype: 'float32', dims: ['batch', 4] }]);
    expect(model).toMatchObject({ name: 'test', metadata: { recipe: 'none' } });
  });

  test('refuses a second value of the same name, whatever the two are', () => {
    const { g, x } = opened();
    g.constant('w', float32([1], [1]));
    g.call('Abs', [x], { ...x, name: 'a' });
    for (const name of ['x', 'w', 'a']) {
      expect(() => g.input(name, 'float32', [1])).toThrow(name);
      expect(() => g.call('Neg', [x], { ...x, name })).toThrow(name);
      expect(() => g.constant(name, float32([1], [2]))).toThrow(name);
    }
  });

  test('takes the same constant again, and not another one under its name', () => {
    const { g } = opened();
    const weight = float32([2], [1, 2]);
    expect(g.constant('w', weight)).toEqual(g.constant('w', weight));
    expect(() => g.constant('w', float32([2], [1, 2]))).toThrow('w');
    expect(g.finish().initializers.size).toBe(1);
  });

  test('stores the same indices once', async () => {
    const { g } = opened();
    const first = g.indices([0, -1]);
    expect(g.indices([0, -1])).toEqual(first);
    expect(g.indices([0, 1]).name).not.toBe(first.name);
    expect(g.indices([0]).name).not.toBe(first.name);
    const { initializers } = g.finish();
    expect(initializers.size).toBe(3);
    const tensor = initializers.get(first.name)!;
    expect(tensor).toMatchObject({ dtype: 'int64', dims: [2] });
    expect([...viewAs(await tensor.read(), BigInt64Array)]).toEqual([0n, -1n]);
  });

  test('leaves out optional inputs and outputs by an empty name', () => {
    const { g, x } = opened();
    const [, kept] = g.callMany('Split', [x, undefined, x], [undefined, { ...x, name: 'kept' }] as const, {
      domain: 'com.microsoft',
      attributes: { axis: { type: 'int', value: 1 } },
    });
    expect(kept.name).toBe('kept');
    expect(g.finish().nodes).toEqual([
      {
        name: 'kept',
        opType: 'Split',
        domain: 'com.microsoft',
        inputs: ['x', '', 'x'],
        outputs: ['', 'kept'],
        attributes: { axis: { type: 'int', value: 1 } },
      },
    ]);
  });

  test('declares the operator sets that its operators are of', () => {
    const { opsets, irVersion } = opened().g.finish();
    // Attention came with operator set 23, and that with IR version 11 (ONNX 1.18).
    expect(opsets['']).toBeGreaterThanOrEqual(23);
    expect(opsets['com.microsoft']).toBe(1);
    expect(irVersion).toBeGreaterThanOrEqual(11);
  });
});
