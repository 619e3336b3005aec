import { GraphBuilder, type Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { dtypeCode } from '../../onnx/dtype.js';
import {
  asMatrix,
  binary,
  cast,
  gelu,
  gemm,
  multiHeadAttention,
  pad,
  reshape,
  skipLayerNormalization,
} from '../../onnx/ops.js';
import type { OnnxModel } from '../../onnx/model.js';
import { layerCount, patchCount, tokenCount } from '../config.js';
import { linearName, type LinearRole } from '../linears.js';
import { formOf, weightOf, type ViT } from '../vit.js';
import { emitNorm } from './block.js';
import { floatConstant, halfConstant, halfMatrix } from './constants.js';
import { emitPatches, emitPixels } from './embedding.js';
import { emitHead } from './head.js';
import { emitLinear } from './linear.js';
import { weightOnly } from './weight-only.js';

/** What a block needs besides its input. */
interface Scope {
  readonly g: GraphBuilder;
  readonly vit: ViT;
  /** Whether linears that are stored as float16 are computed so. */
  readonly half: boolean;
}

/** The residual stream and its LayerNorm, `[batch·tokens, hidden]` each. */
interface Stream {
  readonly residual: Value;
  readonly norm: Value;
}

/**
 * The graph of a model in the form that ONNX Runtime's WebGPU provider executes whole: MultiHeadAttention,
 * SkipLayerNormalization, and MatMulNBits for every quantised linear, since it has no kernels for integer products with
 * calibrated activations.
 *
 * Input and output are those of the CPU's graph.
 *
 * @param model - the model
 * @param half - whether linears that are stored as float16 are computed so, between float32 norms and a float32 residual
 *   stream; otherwise they are widened when the model is loaded
 * @param metadata - properties to store in the file
 */
export function buildWebGpuGraph(
  model: ViT,
  half: boolean,
  metadata: Readonly<Record<string, string>>,
): OnnxModel {
  const g = new GraphBuilder('vit');
  const scope = { g, vit: weightOnly(model), half };
  const { vit } = scope;
  const residual = emitTokens(scope);
  let stream: Stream = { residual, norm: emitNorm(g, vit, 'layers.0.norm1', residual) };
  for (let layer = 0; layer + 1 < layerCount(vit.config); layer++) stream = emitBlock(scope, layer, stream);
  // The last sum is normed only after the class token is picked.
  const { mlp, attended } = emitSublayers(scope, layerCount(vit.config) - 1, stream);
  const last = binary(g, 'Add', `layers.${layerCount(vit.config) - 1}.residual2`, mlp, attended);
  g.output(emitHead(g, vit, last));
  return g.finish(metadata);
}

/**
 * Patches with the class token before them and the positions added. The place of the class token is padded with zeros, and
 * the token comes with the positions: so no shape is computed, which WebGPU's provider leaves to the processor.
 */
function emitTokens({ g, vit }: Scope): Value {
  const { hiddenSize } = vit.config;
  const patches = reshape(g, 'patch:sequence', emitPatches(g, vit, emitPixels(g, vit)), [
    batch,
    patchCount(vit.config),
    hiddenSize,
  ]);
  const padded = pad(g, 'tokens', patches, [
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
  const cls = reshape(g, 'cls:row', floatConstant(g, vit, 'cls'), [1, hiddenSize]);
  const first = pad(g, 'cls:padded', cls, [
    [0, tokenCount(vit.config) - 1],
    [0, 0],
  ]);
  const added = binary(g, 'Add', 'positions:cls', floatConstant(g, vit, 'positions'), first);
  return asMatrix(g, 'embedding', binary(g, 'Add', 'embedded', padded, added));
}

function emitBlock(scope: Scope, layer: number, stream: Stream): Stream {
  const { mlp, attended } = emitSublayers(scope, layer, stream);
  return emitSkipNorm(scope, `layers.${layer + 1}.norm1`, `layers.${layer}.residual2`, mlp, attended);
}

/** Attention and MLP; the sum of the two results is the next residual stream. */
function emitSublayers(
  scope: Scope,
  layer: number,
  { residual, norm }: Stream,
): { readonly mlp: Value; readonly attended: Value } {
  const { g, vit } = scope;
  const { hiddenSize, heads } = vit.config;
  const at = `layers.${layer}`;
  const sequence = [batch, tokenCount(vit.config), hiddenSize];
  const read = new Reader(scope);
  const projected = (['q', 'k', 'v'] as const).map((role) => emitProjection(scope, layer, role, norm, read));
  // Attention takes one type for all three.
  const alike = projected.every(({ dtype }) => dtype === 'float16')
    ? projected
    : projected.map((x) => asFloat(g, x));
  const [q, k, v] = alike.map((x) => reshape(g, `${x.name}:sequence`, x, sequence)) as [Value, Value, Value];
  const mixed = multiHeadAttention(g, `${at}.attention`, q, k, v, heads);
  const o = emitProjection(scope, layer, 'o', asMatrix(g, `${at}.context`, mixed), read);
  const after = emitSkipNorm(scope, `${at}.norm2`, `${at}.residual1`, asFloat(g, o), residual);
  const fc1 = emitProjection(scope, layer, 'fc1', after.norm, read);
  const fc2 = emitProjection(scope, layer, 'fc2', gelu(g, `${at}.gelu`, fc1), read);
  return { mlp: asFloat(g, fc2), attended: after.residual };
}

function emitSkipNorm({ g, vit }: Scope, name: string, sumName: string, x: Value, skip: Value): Stream {
  const scale = floatConstant(g, vit, `${name}.weight`);
  const shift = floatConstant(g, vit, `${name}.bias`);
  const { norm, sum } = skipLayerNormalization(
    ...([g, name, sumName, x, skip, scale, shift, vit.config.layerNormEpsilon] as const),
  );
  return { norm, residual: sum };
}

/** A linear, whose result is float16 when it is computed so, and float32 otherwise. */
function emitProjection(scope: Scope, layer: number, role: LinearRole, x: Value, read: Reader): Value {
  const { g, vit, half } = scope;
  const name = linearName(layer, role);
  const stored = weightOf(vit, `${name}.weight`).dtype;
  if (half && formOf(vit, name).kind === 'float' && stored === 'float16')
    return gemm(
      g,
      name,
      read.asHalf(x),
      halfMatrix(g, vit, `${name}.weight`),
      halfConstant(g, vit, `${name}.bias`),
    );
  return emitLinear(g, vit, layer, role, asFloat(g, x), new Map());
}

/** Values in float16, so that q, k and v share one conversion. */
class Reader {
  private readonly halves = new Map<string, Value>();

  constructor(private readonly scope: Scope) {}

  asHalf(x: Value): Value {
    if (x.dtype === 'float16') return x;
    const known = this.halves.get(x.name);
    if (known) return known;
    const made = cast(this.scope.g, `${x.name}:float16`, x, 'float16', dtypeCode('float16'));
    this.halves.set(x.name, made);
    return made;
  }
}

function asFloat(g: GraphBuilder, x: Value): Value {
  return x.dtype === 'float32' ? x : cast(g, `${x.name}:float32`, x, 'float32', dtypeCode('float32'));
}
