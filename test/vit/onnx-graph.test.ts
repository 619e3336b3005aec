import { expect, it } from 'vitest';
import { int64s } from '../../src/onnx/tensor.js';
import type { OnnxNode } from '../../src/onnx/model.js';
import { foreignGraph, inputOf } from '../../src/vit/onnx/graph.js';
import { refusalOf } from '../support/refusal.js';

const node = (opType: string, inputs: readonly string[], outputs: readonly string[]): OnnxNode => ({
  ...{ name: 'odd', opType, domain: '', inputs, outputs },
  attributes: { value: { type: 'tensor', value: int64s([1]) } },
});

const graphOf = (...nodes: OnnxNode[]): ReturnType<typeof foreignGraph> =>
  foreignGraph('a.onnx', {
    ...{ name: 'odd', irVersion: 9, nodes, inputs: [], outputs: [], values: [], opsets: { '': 17 } },
    ...{ initializers: new Map(), metadata: {} },
  });

it('a constant that gives nothing is refused by its name', async () => {
  const fault = await refusalOf(() => graphOf(node('Constant', [], [])));
  expect(fault).toMatchObject({ source: 'a.onnx', place: 'node odd', found: 'Constant' });
});

it('a node without the input that is asked for is refused by its name', async () => {
  const relu = node('Relu', ['x'], ['y']);
  const graph = graphOf(relu);
  expect(inputOf(graph, relu, 0)).toBe('x');
  expect(await refusalOf(() => inputOf(graph, relu, 1))).toMatchObject({ place: 'node odd', found: 'Relu' });
});
