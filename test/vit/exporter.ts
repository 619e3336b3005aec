import type { Attribute, OnnxModel, OnnxNode } from '../../src/onnx/model.js';
import { float32, int64s, scalar, tensorOf, viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { layerCount, tokenCount } from '../../src/vit/config.js';
import { weightOf, type ViT } from '../../src/vit/vit.js';

/** How an exporter writes a model: what differs between PyTorch's exporters, libraries and operator sets. */
export interface Forms {
  readonly opset: number;
  readonly norm: 'operator' | 'decomposed';
  readonly gelu: 'operator' | 'decomposed';
  /** MatMul and Add of a folded matrix, the same of one that is turned in the graph, or Gemm of rows. */
  readonly linear: 'matmul' | 'transposed' | 'gemm';
  readonly qkv: 'separate' | 'gather' | 'split';
  /**
   * `div`: scores divided by √d. `mul`: queries scaled. `sdpa`: both scaled by the root of 1/√d, which is computed from a
   * shape. `operator`: the operator of opset 23.
   */
  readonly attention: 'div' | 'mul' | 'sdpa' | 'operator';
  /** Whether sequences run through the blocks as `[tokens, batch, …]`, as in torchvision's MultiheadAttention. */
  readonly tokensFirst: boolean;
  /** Whether the batch is free, so that shapes are computed in the graph. */
  readonly dynamic: boolean;
  /** Whether the last norm comes behind the choice of the class token. */
  readonly normLast: boolean;
}

const ints = (value: readonly number[]): Attribute => ({ type: 'ints', value });
const int = (value: number): Attribute => ({ type: 'int', value });

/**
 * Writes a float model as PyTorch's exporters do, with their names of values: numbers, and `onnx::MatMul_…` for what they fold.
 *
 * @param vit - the model
 * @param forms - in which forms
 */
export async function exported(vit: ViT, forms: Forms): Promise<OnnxModel> {
  const { config } = vit;
  const { hiddenSize: width, heads, channels } = config;
  const {
    patchSize: { height: patchSize },
    imageSize: { height: imageSize },
  } = config;
  const [tokens, size] = [tokenCount(config), width / heads];
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, TensorSource>();
  let count = 0;
  const floats = async (name: string): Promise<Float32Array> =>
    viewAs(await weightOf(vit, name).read(), Float32Array);
  const constant = (tensor: TensorSource): string => {
    const name = `onnx::Const_${count++}`;
    initializers.set(name, tensor);
    return name;
  };
  const many = (
    opType: string,
    inputs: string[],
    outputs: number,
    attributes: OnnxNode['attributes'] = {},
  ): string[] => {
    const names = Array.from({ length: outputs }, () => String(count++));
    nodes.push({ name: `/${opType}_${names[0]!}`, opType, domain: '', inputs, outputs: names, attributes });
    return names;
  };
  const op = (opType: string, inputs: string[], attributes: OnnxNode['attributes'] = {}): string =>
    many(opType, inputs, 1, attributes)[0]!;
  const number = (value: number): string =>
    op('Constant', [], { value: { type: 'tensor', value: scalar(value) } });
  const axesOp = (opType: 'Squeeze' | 'Unsqueeze', x: string, axes: number[]): string =>
    forms.opset >= 13 ? op(opType, [x, constant(int64s(axes))]) : op(opType, [x], { axes: ints(axes) });
  /** A dimension that is the batch: of what has the batch at an axis. */
  const batchOf = (x: string, axis: number): string => {
    const index = constant({ ...int64s([axis]), dims: [] });
    return axesOp('Unsqueeze', op('Gather', [op('Shape', [x]), index], { axis: int(0) }), [0]);
  };
  /** Reshape in which -1 stands for the batch. */
  const reshape = (x: string, dims: number[], batchAxis: number): string => {
    if (!forms.dynamic || !dims.includes(-1))
      return op('Reshape', [x, constant(int64s(dims.map((dim) => (dim === -1 ? 1 : dim))))]);
    const parts = dims.map((dim) => (dim === -1 ? batchOf(x, batchAxis) : constant(int64s([dim]))));
    return op('Reshape', [x, op('Concat', parts, { axis: int(0) })]);
  };
  const transpose = (x: string, perm: number[]): string => op('Transpose', [x], { perm: ints(perm) });

  const matrix = async (
    names: readonly string[],
  ): Promise<{ rows: Float32Array; outputs: number; inputs: number }> => {
    const parts = await Promise.all(names.map((name) => floats(`${name}.weight`)));
    const rows = Float32Array.from(parts.flatMap((part) => [...part]));
    const [outputs, inputs] = weightOf(vit, `${names[0]!}.weight`).dims as [number, number];
    return { rows, outputs: outputs * names.length, inputs };
  };
  const linear = async (x: string, ...names: string[]): Promise<string> => {
    const { rows, outputs, inputs } = await matrix(names);
    const biases = await Promise.all(names.map((name) => floats(`${name}.bias`)));
    const bias = constant(
      float32(
        [outputs],
        biases.flatMap((part) => [...part]),
      ),
    );
    const stored = constant(float32([outputs, inputs], rows));
    if (forms.linear === 'gemm') {
      const flat = op('Reshape', [x, constant(int64s([-1, inputs]))]);
      const product = op('Gemm', [flat, stored, bias], { transB: int(1) });
      return forms.tokensFirst
        ? op('Reshape', [product, constant(int64s([tokens, -1, outputs]))])
        : op('Reshape', [product, constant(int64s([-1, tokens, outputs]))]);
    }
    const turned = Float32Array.from(
      { length: rows.length },
      (_, i) => rows[(i % outputs) * inputs + Math.floor(i / outputs)]!,
    );
    const factor =
      forms.linear === 'transposed'
        ? transpose(stored, [1, 0])
        : constant(float32([inputs, outputs], turned));
    return op('Add', [bias, op('MatMul', [x, factor])]);
  };
  const norm = async (x: string, name: string): Promise<string> => {
    const [scale, shift] = [
      constant(float32([width], await floats(`${name}.weight`))),
      constant(float32([width], await floats(`${name}.bias`))),
    ];
    const epsilon = config.layerNormEpsilon;
    if (forms.norm === 'operator')
      return op('LayerNormalization', [x, scale, shift], {
        axis: int(-1),
        epsilon: { type: 'float', value: epsilon },
      });
    const axes = (value: string): string =>
      forms.opset >= 18
        ? op('ReduceMean', [value, constant(int64s([-1]))])
        : op('ReduceMean', [value], { axes: ints([-1]) });
    const centred = op('Sub', [x, axes(x)]);
    const variance = axes(op('Pow', [centred, number(2)]));
    const normed = op('Div', [centred, op('Sqrt', [op('Add', [variance, number(epsilon)])])]);
    return op('Add', [op('Mul', [normed, scale]), shift]);
  };
  const gelu = (x: string): string => {
    if (forms.gelu === 'operator') return op('Gelu', [x]);
    const erf = op('Erf', [op('Div', [x, number(Math.SQRT2)])]);
    return op('Mul', [op('Mul', [x, op('Add', [erf, number(1)])]), number(0.5)]);
  };
  /** From `[batch, tokens, width]` (or tokens first) to `[batch, heads, tokens, size]`. */
  const cut = (x: string): string => {
    if (!forms.tokensFirst) return transpose(reshape(x, [-1, tokens, heads, size], 0), [0, 2, 1, 3]);
    // torchvision: heads and batch are one dimension at first.
    const apart = op('Reshape', [x, constant(int64s([tokens, -1, size]))]);
    return op('Reshape', [transpose(apart, [1, 0, 2]), constant(int64s([-1, heads, tokens, size]))]);
  };
  const operands = async (x: string, at: string): Promise<string[]> => {
    const roles = ['q', 'k', 'v'];
    if (forms.qkv === 'separate') {
      const outputs: string[] = [];
      for (const role of roles) outputs.push(cut(await linear(x, `${at}.${role}`)));
      return outputs;
    }
    const fused = await linear(x, ...roles.map((role) => `${at}.${role}`));
    if (forms.tokensFirst) {
      // torchvision: [tokens, batch, 3, width] → [3, tokens, batch, width], then one after the other.
      const parted = reshape(fused, [tokens, -1, 3, width], 1);
      const turned = axesOp('Squeeze', transpose(axesOp('Unsqueeze', parted, [0]), [3, 1, 2, 0, 4]), [3]);
      return [0, 1, 2].map((index) =>
        cut(op('Gather', [turned, constant({ ...int64s([index]), dims: [] })], { axis: int(0) })),
      );
    }
    // timm: [batch, tokens, 3, heads, size] → [3, batch, heads, tokens, size].
    const turned = transpose(reshape(fused, [-1, tokens, 3, heads, size], 0), [2, 0, 3, 1, 4]);
    if (forms.qkv === 'gather')
      return [0, 1, 2].map((index) =>
        op('Gather', [turned, constant({ ...int64s([index]), dims: [] })], { axis: int(0) }),
      );
    const parts =
      forms.opset >= 18
        ? many('Split', [turned], 3, { axis: int(0), num_outputs: int(3) })
        : many('Split', forms.opset >= 13 ? [turned, constant(int64s([1, 1, 1]))] : [turned], 3, {
            axis: int(0),
          });
    return parts.map((part) => axesOp('Squeeze', part, [0]));
  };
  const attend = (q: string, k: string, v: string): string => {
    const turned = (): string => transpose(k, [0, 1, 3, 2]);
    const weigh = (scores: string): string => op('MatMul', [op('Softmax', [scores], { axis: int(-1) }), v]);
    switch (forms.attention) {
      case 'operator':
        return op('Attention', [q, k, v]);
      case 'div':
        return weigh(op('Div', [op('MatMul', [q, turned()]), number(Math.sqrt(size))]));
      case 'mul':
        return weigh(op('MatMul', [op('Mul', [q, number(size ** -0.5)]), turned()]));
      case 'sdpa': {
        const last = op('Slice', [op('Shape', [q]), constant(int64s([-1])), constant(int64s([2 ** 31]))]);
        const root = op('Sqrt', [op('Cast', [last], { to: int(1) })]);
        const scale = op('Sqrt', [op('Div', [constant(float32([1], [1])), root])]);
        return weigh(
          op('MatMul', [
            op('Mul', [q, scale]),
            op('Mul', [turned(), op('Sqrt', [op('Div', [constant(float32([1], [1])), root])])]),
          ]),
        );
      }
    }
  };

  const image = 'input.1';
  const batch = forms.dynamic ? 'batch' : 1;
  const kernel = constant(float32([width, channels, patchSize, patchSize], await floats('patch.weight')));
  const patchBias = constant(float32([width], await floats('patch.bias')));
  const cutImage = op('Conv', [image, kernel, patchBias], {
    ...{ dilations: ints([1, 1]), group: int(1), kernel_shape: ints([patchSize, patchSize]) },
    ...{ pads: ints([0, 0, 0, 0]), strides: ints([patchSize, patchSize]) },
  });
  const patches = transpose(reshape(cutImage, [-1, width, (imageSize / patchSize) ** 2], 0), [0, 2, 1]);
  const tokensBefore: string[] = [];
  for (const name of config.distilled ? ['cls', 'distillation'] : ['cls']) {
    const token = constant(float32([1, 1, width], await floats(name)));
    if (!forms.dynamic) {
      tokensBefore.push(token);
      continue;
    }
    // What becomes of expand(batch, -1, -1): a -1 is put in the place of sizes that stay.
    const wanted = op('Concat', [batchOf(image, 0), constant(int64s([-1])), constant(int64s([-1]))], {
      axis: int(0),
    });
    const ones = op('ConstantOfShape', [constant(int64s([3]))], {
      value: { type: 'tensor', value: tensorOf('int64', [1], BigInt64Array.of(1n)) },
    });
    const minus = op('Mul', [ones, constant({ ...int64s([-1]), dims: [] })]);
    tokensBefore.push(op('Expand', [token, op('Where', [op('Equal', [wanted, minus]), ones, wanted])]));
  }
  const sequence = op('Concat', [...tokensBefore, patches], { axis: int(1) });
  const positions = constant(float32([1, tokens, width], await floats('positions')));
  let residual = op('Add', [sequence, positions]);
  for (let layer = 0; layer < layerCount(config); layer++) {
    const at = `layers.${layer}`;
    const read = await norm(residual, `${at}.norm1`);
    const [q, k, v] = await operands(forms.tokensFirst ? transpose(read, [1, 0, 2]) : read, at);
    const mixed = attend(q!, k!, v!);
    const joined = forms.tokensFirst
      ? op('Reshape', [transpose(mixed, [2, 0, 1, 3]), constant(int64s([tokens, -1, width]))])
      : reshape(transpose(mixed, [0, 2, 1, 3]), [-1, tokens, width], 0);
    const projected = await linear(joined, `${at}.o`);
    residual = op('Add', [forms.tokensFirst ? transpose(projected, [1, 0, 2]) : projected, residual]);
    const before = await norm(residual, `${at}.norm2`);
    const inner = forms.tokensFirst ? transpose(before, [1, 0, 2]) : before;
    const hidden = gelu(await linear(inner, `${at}.fc1`));
    const after = await linear(hidden, `${at}.fc2`);
    residual = op('Add', [residual, forms.tokensFirst ? transpose(after, [1, 0, 2]) : after]);
  }
  const normed = forms.normLast ? residual : await norm(residual, 'norm');
  const choose = async (index: number): Promise<string> => {
    const token = op('Gather', [normed, constant({ ...int64s([index]), dims: [] })], { axis: int(1) });
    return forms.normLast ? norm(token, 'norm') : token;
  };
  const { rows, outputs, inputs } = await matrix(['head']);
  const bias = constant(float32([outputs], await floats('head.bias')));
  const classify = async (index: number, name: string): Promise<void> => {
    // A distilled model's head holds half of each classifier.
    const share = inputs / width;
    const own = Float32Array.from(
      { length: outputs * width },
      (_, i) => share * rows[Math.floor(i / width) * inputs + index * width + (i % width)]!,
    );
    nodes.push({
      ...{ name: `/head/Gemm_${index}`, opType: 'Gemm', domain: '', outputs: [name] },
      inputs: [await choose(index), constant(float32([outputs, width], own)), bias],
      attributes: {
        ...{ transB: int(1), alpha: { type: 'float', value: 1 }, beta: { type: 'float', value: 1 } },
      },
    });
  };
  if (config.distilled) {
    await classify(0, 'cls_logits');
    await classify(1, 'distillation_logits');
    const sum = op('Add', ['cls_logits', 'distillation_logits']);
    const half: OnnxNode['inputs'] = [sum, number(2)];
    nodes.push({
      name: '/Div',
      opType: 'Div',
      domain: '',
      inputs: half,
      outputs: ['logits'],
      attributes: {},
    });
  } else await classify(0, 'logits');
  return {
    ...{
      name: 'main_graph',
      irVersion: forms.opset >= 23 ? 11 : 8,
      opsets: { '': forms.opset },
      nodes,
      initializers,
    },
    inputs: [{ name: image, dtype: 'float32', dims: [batch, channels, imageSize, imageSize] }],
    outputs: [{ name: 'logits', dtype: 'float32', dims: [batch, config.labels.length] }],
    ...{ values: [], metadata: {} },
  };
}
