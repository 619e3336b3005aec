import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { asMatrix, attention, binary, gelu, layerNormalization, reshape } from '../../onnx/ops.js';
import { tokenCount } from '../config.js';
import type { LinearRole } from '../linears.js';
import type { ViT } from '../vit.js';
import { floatConstant } from './constants.js';
import { emitLinear, type QuantizedValues } from './linear.js';

/** What a block's linears read, before any quantisation: `[batch·tokens, inputs]`. q, k and v read the same value. */
export type LinearInputs = Readonly<Record<LinearRole, Value>>;

/**
 * Adds a LayerNorm with the constants of that name.
 *
 * @param x - `[rows, hidden]`
 */
export function emitNorm(g: GraphBuilder, vit: ViT, name: string, x: Value): Value {
  const scale = floatConstant(g, vit, `${name}.weight`);
  const shift = floatConstant(g, vit, `${name}.bias`);
  return layerNormalization(g, name, x, scale, shift, vit.config.layerNormEpsilon);
}

/**
 * Adds one transformer block: attention and MLP, each behind a LayerNorm and added to the residual stream.
 *
 * Matrices `[batch·tokens, …]` throughout, so that biases ride in the Gemm; only attention sees sequences. The sums are
 * plain Adds: ONNX Runtime 1.30's SkipLayerNormalization takes several times as long on a CPU as Add and
 * LayerNormalization (`npm run bench -- graph-forms` measures it), and its optimiser does not fuse them for matrices.
 *
 * @param g - the graph
 * @param vit - the model
 * @param layer - which block
 * @param residual - `[batch·tokens, hidden]`
 * @returns the residual stream after the block, and what its linears read
 */
export function emitBlock(
  g: GraphBuilder,
  vit: ViT,
  layer: number,
  residual: Value,
): { readonly residual: Value; readonly inputs: LinearInputs } {
  const { hiddenSize, heads } = vit.config;
  const at = `layers.${layer}`;
  const sequence = [batch, tokenCount(vit.config), hiddenSize];
  const quantized: QuantizedValues = new Map();
  const linear = (role: LinearRole, x: Value): Value => emitLinear(g, vit, layer, role, x, quantized);
  const projected = (role: 'q' | 'k' | 'v', x: Value): Value =>
    reshape(g, `${at}.${role}:sequence`, linear(role, x), sequence);

  const norm1 = emitNorm(g, vit, `${at}.norm1`, residual);
  const [q, k, v] = [projected('q', norm1), projected('k', norm1), projected('v', norm1)];
  const context = asMatrix(g, `${at}.context`, attention(g, `${at}.attention`, q, k, v, heads));
  const attended = binary(g, 'Add', `${at}.residual1`, linear('o', context), residual);

  const norm2 = emitNorm(g, vit, `${at}.norm2`, attended);
  const hidden = gelu(g, `${at}.gelu`, linear('fc1', norm2));
  const after = binary(g, 'Add', `${at}.residual2`, linear('fc2', hidden), attended);
  return { residual: after, inputs: { q: norm1, k: norm1, v: norm1, o: context, fc1: norm2, fc2: hidden } };
}
