import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { batch, sizeAt } from '../../src/onnx/dims.js';
import * as ops from '../../src/onnx/index-ops.js';
import { scalar } from '../../src/onnx/tensor.js';
import { runOnce } from '../support/engine.js';

const EIGHT = scalar(8);

/** Every operator there is, on an input `[batch, 4, 3]`. */
function everyOperator(g: GraphBuilder): (readonly [string, ReturnType<typeof ops.slice>])[] {
  const x = g.input('x', 'float32', [batch, 4, 3]);
  const { values, indices } = ops.topK(g, 'topK', x, 2, 1, { largest: true, sorted: true });
  const rows = ops.topK(g, 'rows', ops.slice(g, 'column', x, 2, 0, 1), 2, 1, {
    largest: false,
    sorted: true,
  });
  return [
    ['topK', values],
    ['topK:indices', indices],
    ['slice', ops.slice(g, 'slice', x, 1, 1, 4, 2)],
    ['gatherRows', ops.gatherRows(g, 'gatherRows', x, rows.indices)],
    ['gatherElements', ops.gatherElements(g, 'gatherElements', x, indices, 1)],
    [
      'equal',
      ops.compared(g, 'Equal', 'equal', indices, ops.int64Constant(g, 'two', [1], [2]), [batch, 2, 3]),
    ],
    ['greater', ops.compared(g, 'Greater', 'greater', values, g.constant('8', EIGHT), [batch, 2, 3])],
    ['less', ops.compared(g, 'Less', 'less', values, g.constant('8', EIGHT), [batch, 2, 3])],
  ];
}

/** Images of 4 rows: in the second one the columns fall where they rise in the first. */
const x = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const images = Float32Array.from([...x, ...x.toReversed()]);

describe('operators that order and pick', () => {
  test.each([1, 2])('have the type and the shape that they declare, at batch %d', async (size) => {
    const g = new GraphBuilder('operators');
    for (const [, value] of everyOperator(g)) g.output(value);
    const model = g.finish();
    const outputs = await runOnce(model, { x: { dims: [size, 4, 3], data: images.subarray(0, size * 12) } });
    for (const { name, dtype, dims } of model.outputs) {
      const found = outputs[name]!;
      expect({ name, dims: [...found.dims], type: found.type }).toEqual({
        name,
        dims: dims.map((dim) => sizeAt(dim, size)),
        type: dtype,
      });
    }
  });

  test('compute what their names say, each image by itself', async () => {
    const g = new GraphBuilder('operators');
    for (const [, value] of everyOperator(g)) g.output(value);
    const outputs = await runOnce(g.finish(), { x: { dims: [2, 4, 3], data: images } });
    const of = (name: string): number[] => Array.from(outputs[name]!.data as Float32Array, Number);
    expect(of('topK')).toEqual([9, 10, 11, 6, 7, 8, 11, 10, 9, 8, 7, 6]);
    expect(of('topK:indices')).toEqual([3, 3, 3, 2, 2, 2, 0, 0, 0, 1, 1, 1]);
    expect(of('slice')).toEqual([3, 4, 5, 9, 10, 11, 8, 7, 6, 2, 1, 0]);
    expect(of('gatherRows')).toEqual([0, 1, 2, 3, 4, 5, 2, 1, 0, 5, 4, 3]);
    expect(of('gatherElements')).toEqual(of('topK'));
    expect(of('equal')).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect(of('greater')).toEqual([1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0]);
    expect(of('less')).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1]);
  });
});
