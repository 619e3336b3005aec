import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { readModel, writeModel } from '../../src/onnx/file.js';
import type { OnnxModel, OnnxNode } from '../../src/onnx/model.js';
import { float32, int64s, tensorOf, viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { loadOnnx } from '../../src/vit/onnx/load.js';
import type { ViT } from '../../src/vit/vit.js';
import { logitsOf, maxDifference, openBench, type Bench } from '../compress/support.js';
import { useFolder } from '../support/folder.js';
import { refusalOf } from '../support/refusal.js';
import { exported, type Forms } from './exporter.js';

const folder = useFolder();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const transformers: Forms = {
  ...{ opset: 17, norm: 'operator', gelu: 'decomposed', linear: 'matmul', qkv: 'separate' },
  ...{ attention: 'div', tokensFirst: false, dynamic: true, normLast: false },
};
const timm: Forms = { ...transformers, qkv: 'split', attention: 'mul', dynamic: false };
const torchvision: Forms = { ...transformers, qkv: 'gather', attention: 'sdpa', tokensFirst: true };

const exports: [string, Forms][] = [
  ['Transformers, opset 11', { ...transformers, opset: 11, norm: 'decomposed' }],
  ['Transformers, opset 13, eager attention', { ...transformers, opset: 13, norm: 'decomposed' }],
  [
    'Transformers, opset 14, scaled-dot-product attention',
    { ...transformers, opset: 14, norm: 'decomposed', attention: 'sdpa' },
  ],
  ['Transformers, opset 17, fixed batch', { ...transformers, dynamic: false }],
  ['Transformers, weights not folded', { ...transformers, linear: 'transposed' }],
  ['timm, opset 11', { ...timm, opset: 11, norm: 'decomposed' }],
  ['timm, opset 13, free batch', { ...timm, opset: 13, norm: 'decomposed', dynamic: true }],
  [
    'timm, opset 17, parts gathered, fused attention',
    { ...timm, qkv: 'gather', attention: 'sdpa', dynamic: true },
  ],
  ['timm, opset 20 (dynamo): Gelu, Gemm of rows', { ...timm, opset: 20, gelu: 'operator', linear: 'gemm' }],
  [
    'timm, opset 23: Attention',
    { ...timm, opset: 23, gelu: 'operator', attention: 'operator', normLast: true },
  ],
  ['torchvision, opset 14', { ...torchvision, opset: 14, norm: 'decomposed' }],
  ['torchvision, opset 17, Gemm of rows', { ...torchvision, linear: 'gemm' }],
  ['torchvision, opset 18, fixed batch', { ...torchvision, opset: 18, norm: 'decomposed', dynamic: false }],
];

async function imported(model: OnnxModel, config?: string): Promise<ViT> {
  const path = folder('model.onnx');
  await writeModel(model, path);
  return (await loadOnnx(path, await readModel(path), config, bench.engine)).vit;
}

it.each(exports)('what %s exports is recognised', async (_name, forms) => {
  const vit = await imported(await exported(bench.vit, forms));
  expect({ ...vit.config, labels: [], layerNormEpsilon: 0 }).toEqual({
    ...{ ...bench.vit.config, labels: [], layerNormEpsilon: 0 },
  });
  expect(maxDifference(await logitsOf(bench, vit), await logitsOf(bench, bench.vit))).toBeLessThan(1e-4);
});

it('the distilled DeiT of Transformers and of timm is recognised', async () => {
  const { config, weights } = bench.vit;
  const wave = (dims: readonly number[]): TensorSource =>
    float32(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => 0.3 * Math.sin(i)),
    );
  const distilled: ViT = {
    ...{ config: { ...config, distilled: true }, forms: new Map() },
    weights: new Map([
      ...weights,
      ['distillation', wave([128])],
      ['positions', wave([18, 128])],
      ['head.weight', wave([10, 256])],
    ]),
  };
  const expected = await logitsOf(bench, distilled);
  for (const forms of [transformers, { ...timm, normLast: true }]) {
    const vit = await imported(await exported(distilled, forms));
    expect(vit.config.distilled).toBe(true);
    expect(maxDifference(await logitsOf(bench, vit), expected)).toBeLessThan(1e-4);
  }
});

it('takes class names from a config.json', async () => {
  const id2label = Object.fromEntries(bench.vit.config.labels.map((label, index) => [index, label]));
  const config = folder('config.json');
  await writeFile(config, JSON.stringify({ id2label }));
  expect((await imported(await exported(bench.vit, timm), config)).config.labels).toEqual(
    bench.vit.config.labels,
  );
});

/** A model of which some nodes are other ones. */
function replaced(model: OnnxModel, change: (node: OnnxNode) => OnnxNode | readonly OnnxNode[]): OnnxModel {
  return { ...model, nodes: model.nodes.flatMap(change) };
}

/** The same, of the only node for which a change is given a chance. */
function once(
  test: (node: OnnxNode) => boolean,
  change: (node: OnnxNode) => readonly OnnxNode[],
): (node: OnnxNode) => readonly OnnxNode[] {
  let done = false;
  return (node) => {
    if (done || !test(node)) return [node];
    done = true;
    return change(node);
  };
}

function after(node: OnnxNode, opType: string, inputs: string[] = []): OnnxNode[] {
  const output = node.outputs[0]!;
  return [
    { ...node, outputs: [`${output}:inner`] },
    {
      name: `/odd/${opType}`,
      opType,
      domain: '',
      inputs: [`${output}:inner`, ...inputs],
      outputs: [output],
      attributes: {},
    },
  ];
}

describe('a graph that is no plain ViT is refused at its node', () => {
  const refused = async (model: OnnxModel): Promise<ReturnType<typeof refusalOf>> =>
    refusalOf(() => imported(model));

  it.each<[string, (node: OnnxNode) => boolean, string, RegExp]>([
    ['another activation', ({ opType }) => opType === 'Gelu', 'Relu', /^an activation that is GELU/],
    ['something on the logits', ({ name }) => name === '/head/Gemm_0', 'Tanh', /linear classifier/],
    ['something behind the last norm', ({ opType }) => opType === 'Gather', 'Tanh', /choice of one token/],
    [
      'something behind the patches',
      ({ opType }) => opType === 'Conv',
      'Relu',
      /one convolution of the image/,
    ],
    ['something on the shares', ({ opType }) => opType === 'Softmax', 'Abs', /softmax over the keys/],
  ])('%s', async (_what, test, opType, expected) => {
    const model = await exported(bench.vit, { ...timm, opset: 20, gelu: 'operator', qkv: 'split' });
    const last = model.nodes.filter(test).at(-1);
    const fault = await refused(replaced(model, (node) => (node === last ? after(node, opType) : node)));
    expect(fault.found).toBe(opType);
    expect(fault.place).toBe(`node /odd/${opType}`);
    expect(fault.expected).toMatch(expected);
  });

  it('norms on queries alone', async () => {
    const model = await exported(bench.vit, transformers);
    const initializers = new Map(model.initializers)
      .set('odd.weight', float32([32], new Float32Array(32).fill(1)))
      .set('odd.bias', float32([32], new Float32Array(32)));
    const change = once(
      ({ opType, attributes }) =>
        opType === 'Transpose' &&
        attributes['perm']?.type === 'ints' &&
        attributes['perm'].value.join() === '0,2,1,3',
      (node) => after(node, 'LayerNormalization', ['odd.weight', 'odd.bias']),
    );
    const fault = await refused({ ...replaced(model, change), initializers });
    expect(fault.found).toBe('MatMul');
    expect(fault.expected).toMatch(/^norms of queries and keys/);
  });

  it('scores scaled in another way', async () => {
    const model = await exported(bench.vit, { ...timm, qkv: 'separate' });
    const change = once(
      ({ opType, inputs }) => opType === 'Mul' && inputs.length === 2 && inputs[1] !== inputs[0],
      (node) => [{ ...node, inputs: [node.inputs[0]!, 'odd.scale'] }],
    );
    const initializers = new Map(model.initializers).set('odd.scale', float32([], [0.5]));
    const fault = await refused({ ...replaced(model, change), initializers });
    expect(fault.expected).toMatch(/^scores scaled by 1\/√32/);
  });

  it('the largest number of all tokens', async () => {
    const model = await exported(bench.vit, { ...timm, opset: 17 });
    const fault = await refused(pooled(model, 'ReduceMax'));
    expect(fault.place).toBe('node /odd/ReduceMax');
    expect(fault.expected).toMatch(/a mean of tokens/);
  });

  it('images of another size than the positions are for', async () => {
    const model = await exported(bench.vit, transformers);
    const fault = await refused({
      ...model,
      inputs: [{ ...model.inputs[0]!, dims: ['batch', 3, 32, 64] }],
    });
    // What the runtime says of the patches, which are twice as many.
    expect(fault.found).toContain('{2,128,4,8}');
  });

  it('a file whose logits are not those of what was recognised: its patches are in another order', async () => {
    const model = await exported(bench.vit, timm);
    const change = once(
      ({ opType }) => opType === 'Conv',
      (node) => {
        const [convolution, turned] = after(node, 'Transpose') as [OnnxNode, OnnxNode];
        return [convolution, { ...turned, attributes: { perm: { type: 'ints', value: [0, 1, 3, 2] } } }];
      },
    );
    const fault = await refused(replaced(model, change));
    expect(fault.place).toBe('logits');
    expect(fault.found).toMatch(/^logits that differ by \S+ from those of what was recognised/);
  });
});

/** A model that reads all tokens in place of the class token. */
function pooled(model: OnnxModel, opType: 'ReduceMean' | 'ReduceMax'): OnnxModel {
  const last = model.nodes.filter(({ opType }) => opType === 'Gather').at(-1)!;
  const pool: OnnxNode = {
    ...{ ...last, name: `/odd/${opType}`, opType, inputs: [last.inputs[0]!] },
    attributes: { axes: { type: 'ints', value: [1] }, keepdims: { type: 'int', value: 0 } },
  };
  return replaced(model, (node) => (node === last ? pool : node));
}

it('reads a mean over all tokens', async () => {
  const { config } = await imported(pooled(await exported(bench.vit, { ...timm, opset: 17 }), 'ReduceMean'));
  expect(config).toMatchObject({ pooling: 'tokens' });
});

it('knows the approximation of GELU by tanh from the exact one', async () => {
  const model = await exported(bench.vit, { ...timm, opset: 20, gelu: 'operator' });
  const tanh = replaced(model, (node) =>
    node.opType === 'Gelu'
      ? { ...node, attributes: { approximate: { type: 'string', value: 'tanh' } } }
      : node,
  );
  expect((await imported(tanh)).config).toMatchObject({ activation: 'gelu-tanh' });
});

it('follows heads that are cut in another order', async () => {
  const model = await exported(bench.vit, { ...timm, qkv: 'separate' });
  const initializers = new Map(model.initializers).set('odd.order', int64s([1, 0, 3, 2]));
  const turn = (node: OnnxNode): OnnxNode => ({
    ...{ name: `/odd/${node.outputs[0]!}`, opType: 'Gather', domain: '' },
    ...{ inputs: [`${node.outputs[0]!}:inner`, 'odd.order'], outputs: [node.outputs[0]!] },
    attributes: { axis: { type: 'int', value: 1 } },
  });
  // Queries and keys of one block in another order of heads than its values.
  const parts = model.nodes.filter(
    ({ opType, attributes }) =>
      opType === 'Transpose' &&
      attributes['perm']?.type === 'ints' &&
      attributes['perm'].value.join() === '0,2,1,3',
  );
  const qk = new Set(parts.slice(0, 2));
  const vit = await imported({
    ...replaced(model, (node) =>
      qk.has(node) ? [{ ...node, outputs: [`${node.outputs[0]!}:inner`] }, turn(node)] : node,
    ),
    initializers,
  });
  // Loaded means that the logits are the file's own; that they are other ones than the model's shows that heads moved.
  expect(maxDifference(await logitsOf(bench, vit), await logitsOf(bench, bench.vit))).toBeGreaterThan(1e-2);
});

/** A model with a mask in front of each softmax, or as the fourth input of each Attention. */
function masked(model: OnnxModel, mask: TensorSource): OnnxModel {
  const added = replaced(model, (node): readonly OnnxNode[] => {
    if (node.opType === 'Attention') return [{ ...node, inputs: [...node.inputs, 'mask'] }];
    if (node.opType !== 'Softmax') return [node];
    const [scores = ''] = node.inputs;
    const sum = { name: '', opType: 'Add', domain: '', attributes: {}, outputs: [`${scores}:masked`] };
    return [
      { ...sum, inputs: [scores, 'mask'] },
      { ...node, inputs: [`${scores}:masked`] },
    ];
  });
  return { ...added, initializers: new Map([...added.initializers, ['mask', mask]]) };
}

describe('a mask', () => {
  const operator: Forms = { ...timm, opset: 23, gelu: 'operator', attention: 'operator', normLast: true };
  const everywhere = (value: number): TensorSource =>
    float32([1, 1, 17, 17], new Float32Array(289).fill(value));
  const one = float32([1, 1, 1, 17], [...new Array<number>(16).fill(0), -3e38]);
  const allTrue = tensorOf('bool', [1, 1, 17, 17], new Uint8Array(289).fill(1));
  const someTrue = tensorOf('bool', [1, 1, 17, 17], new Uint8Array(289).fill(1).fill(0, 3, 4));

  it.each([
    ['zeros that are added', transformers, everywhere(0)],
    ['zeros of the operator', operator, everywhere(0)],
    ['true everywhere', operator, allTrue],
  ] as const)('that hides nothing is left out: %s', async (_what, forms, mask) => {
    const vit = await imported(masked(await exported(bench.vit, forms), mask));
    expect(maxDifference(await logitsOf(bench, vit), bench.reference)).toBeLessThan(1e-3);
  });

  it.each([
    ['the last token', transformers, one, 'Add'],
    ['the last token, by the operator', operator, one, 'Attention'],
    ['a token, by truth', operator, someTrue, 'Attention'],
  ] as const)('that hides %s is refused', async (_what, forms, mask, found) => {
    const model = masked(await exported(bench.vit, forms), mask);
    expect(await refusalOf(() => imported(model))).toMatchObject({ found });
  });
});

it('may leave all axes of its images free, as Optimum writes them', async () => {
  const model = await exported(bench.vit, transformers);
  const [input] = model.inputs;
  const free = { ...input!, dims: ['batch_size', 'num_channels', 'height', 'width'] };
  const { config } = await imported({ ...model, inputs: [free] });
  expect(config).toMatchObject({ imageSize: square(32), channels: 3, patchSize: square(8) });
});

it('may put the class token before patches that have their positions already', async () => {
  const model = await exported(bench.vit, { ...timm, dynamic: false });
  const [concat] = model.nodes.filter(
    ({ opType, attributes }) => opType === 'Concat' && attributes['axis']?.value === 1,
  );
  const sum = model.nodes.find(
    ({ opType, inputs }) => opType === 'Add' && inputs.includes(concat!.outputs[0]!),
  );
  const positions = sum!.inputs.find((name) => name !== concat!.outputs[0])!;
  const rows = viewAs(await model.initializers.get(positions)!.read(), Float32Array).slice(128);
  const moved = replaced(model, (node): readonly OnnxNode[] => {
    if (node === sum) return [];
    if (node !== concat) return [node];
    const [token = '', patches = ''] = node.inputs;
    return [
      { ...sum!, inputs: [patches, 'positions of patches'], outputs: ['placed'] },
      { ...node, inputs: [token, 'placed'], outputs: sum!.outputs },
    ];
  });
  const initializers = new Map([
    ...moved.initializers,
    ['positions of patches', float32([1, 16, 128], rows)],
  ] as const);
  const vit = await imported({ ...moved, initializers });
  const read = viewAs(await vit.weights.get('positions')!.read(), Float32Array);
  expect(new Set(read.subarray(0, 128))).toEqual(new Set([0]));
  expect(Math.max(...read.subarray(128).map((value, i) => Math.abs(value - rows[i]!)))).toBeLessThan(1e-6);
});

describe('a file that does not compute in floats', () => {
  it.each([
    ['MatMulInteger', ''],
    ['DequantizeLinear', ''],
    ['MatMulNBits', 'com.microsoft'],
  ])('is refused as quantised: %s', async (opType, domain) => {
    const model = await exported(bench.vit, transformers);
    const strange: OnnxNode = { name: 'q', opType, domain, inputs: [], outputs: ['q'], attributes: {} };
    const fault = await refusalOf(() => parsed({ ...model, nodes: [strange, ...model.nodes] }));
    expect(fault).toMatchObject({ place: 'node q' });
    expect(fault.found).toContain('quantised already');
  });

  /** Loads a graph that need not be written to be refused. */
  async function parsed(model: OnnxModel): Promise<unknown> {
    return loadOnnx('model.onnx', model, undefined, bench.engine);
  }
});

it('refuses a weight that is not finite when it is read', async () => {
  const model = await exported(bench.vit, transformers);
  const [name, tensor] = [...model.initializers].find(([, { dims }]) => dims.length === 4)!;
  const values = viewAs(await tensor.read(), Float32Array).slice();
  values[7] = NaN;
  const damaged = {
    ...model,
    initializers: new Map([...model.initializers, [name, float32(tensor.dims, values)]] as const),
  };
  const fault = await refusalOf(() => imported(damaged));
  expect(fault.found).toContain('NaN');
});
