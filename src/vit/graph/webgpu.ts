import { defined } from '../../base/defined.js';
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
import { layerCount, leadingTokens, mergesOf, patchCount, tokenCount, tokensAt } from '../config.js';
import { linearName, type LinearRole } from '../linears.js';
import { formOf, weightOf, type ViT } from '../vit.js';
import { emitNorm } from './block.js';
import { floatConstant, halfConstant, halfMatrix } from './constants.js';
import { emitPatches, emitPixels } from './embedding.js';
import { emitHead } from './head.js';
import { emitLeading } from './leading.js';
import { emitLinear } from './linear.js';
import { emitSizeBias, type Tokens } from './merge.js';
import { emitMergeByProducts } from './merge-products.js';
import { weightOnly } from './weight-only.js';

/** What a block needs besides its input. */
interface Scope {
  readonly g: GraphBuilder;
  readonly vit: ViT;
  /** Whether linears that are stored as float16 are computed so. */
  readonly half: boolean;
}

/** The residual stream and its LayerNorm, `[batch·tokens, hidden]` each. */
interface Normed {
  readonly residual: Value;
  readonly norm: Value;
}

/** What goes from block to block. */
interface Stream extends Normed, Tokens {}

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
  const norm = emitNorm(g, vit, 'layers.0.norm1', residual);
  let stream: Stream = { residual, norm, sizes: undefined };
  for (let layer = 0; layer + 1 < layerCount(vit.config); layer++) stream = emitBlock(scope, layer, stream);
  g.output(emitHead(g, vit, emitLastBlock(scope, stream)));
  return g.finish(metadata);
}

/**
 * Patches with the tokens before them that the head reads, and the positions added. The place of those tokens is padded with
 * zeros, and they come with the positions: so no shape is computed, which WebGPU's provider leaves to the processor.
 */
function emitTokens({ g, vit }: Scope): Value {
  const { config } = vit;
  const { hiddenSize } = config;
  const patches = reshape(g, 'patch:sequence', emitPatches(g, vit, emitPixels(g, vit)), [
    batch,
    patchCount(config),
    hiddenSize,
  ]);
  const padded = pad(g, 'tokens', patches, [
    [0, 0],
    [leadingTokens(config), 0],
    [0, 0],
  ]);
  let positions = floatConstant(g, vit, 'positions');
  for (const [place, name] of (config.distilled ? ['cls', 'distillation'] : ['cls']).entries()) {
    const row = reshape(g, `${name}:row`, floatConstant(g, vit, name), [1, hiddenSize]);
    const alone = pad(g, `${name}:padded`, row, [
      [place, tokenCount(config) - 1 - place],
      [0, 0],
    ]);
    positions = binary(g, 'Add', `positions:${name}`, positions, alone);
  }
  return asMatrix(g, 'embedding', binary(g, 'Add', 'embedded', padded, positions));
}

function emitBlock(scope: Scope, layer: number, stream: Stream): Stream {
  const { vit } = scope;
  const at = `layers.${layer}`;
  const attended = emitAttention(scope, layer, stream.norm, stream, tokensAt(vit.config, layer));
  const { residual, norm, sizes } = emitSumNorm(scope, layer, attended, stream);
  const mlp = emitMlp(scope, layer, norm);
  return { ...emitSkipNorm(scope, `layers.${layer + 1}.norm1`, `${at}.residual2`, mlp, residual), sizes };
}

/** Attention and the residual stream summed, merged where the model says so, and normed for the MLP. */
function emitSumNorm(scope: Scope, layer: number, { o, k }: Attended, stream: Stream): Stream {
  const { g, vit } = scope;
  const { config } = vit;
  const at = `layers.${layer}`;
  const merges = mergesOf(config, layer);
  if (merges === 0)
    return {
      ...emitSkipNorm(scope, `${at}.norm2`, `${at}.residual1`, o, stream.residual),
      sizes: stream.sizes,
    };
  const residual = binary(g, 'Add', `${at}.residual1`, o, stream.residual);
  const merged = emitMergeByProducts(g, `${at}.merge`, { residual, sizes: stream.sizes }, asFloat(g, k), {
    ...{ tokens: tokensAt(config, layer), merges, leading: leadingTokens(config) },
    ...{ hidden: config.hiddenSize, heads: config.heads },
  });
  return { ...merged, norm: emitNorm(g, vit, `${at}.norm2`, merged.residual) };
}

/** The residual stream of the tokens that the head reads, `[batch·leading, hidden]`, as the CPU's graph has it. */
function emitLastBlock(scope: Scope, stream: Stream): Value {
  const { g, vit } = scope;
  const layer = layerCount(vit.config) - 1;
  const at = `layers.${layer}`;
  const picked = (name: string, x: Value): Value =>
    emitLeading(g, name, vit.config, x, tokensAt(vit.config, layer));
  const asking = picked(`${at}.norm1:read`, stream.norm);
  const { o } = emitAttention(scope, layer, asking, stream, leadingTokens(vit.config));
  const before = picked(`${at}:read`, stream.residual);
  const { residual, norm } = emitSkipNorm(scope, `${at}.norm2`, `${at}.residual1`, o, before);
  // The sum is normed by the head.
  return binary(g, 'Add', `${at}.residual2`, emitMlp(scope, layer, norm), residual);
}

/** Of attention: its result before it is added to the residual stream, float32, and the keys of all tokens. */
interface Attended {
  readonly o: Value;
  readonly k: Value;
}

/**
 * Adds attention.
 *
 * @param asking - `[batch·rows, hidden]`: the norm of the tokens that get new values
 * @param all - all tokens
 * @param rows - how many of an image get new values
 */
function emitAttention(scope: Scope, layer: number, asking: Value, all: Stream, rows: number): Attended {
  const { g, vit } = scope;
  const { hiddenSize, heads } = vit.config;
  const at = `layers.${layer}`;
  const read = new Reader(scope);
  const projected = (['q', 'k', 'v'] as const).map((role) =>
    emitProjection(scope, layer, role, role === 'q' ? asking : all.norm, read),
  );
  // Attention takes one type for all.
  const half = projected.every(({ dtype }) => dtype === 'float16');
  const alike = half ? projected : projected.map((x) => asFloat(g, x));
  const tokens = tokensAt(vit.config, layer);
  const [q, k, v] = alike.map((x, index) =>
    reshape(g, `${x.name}:sequence`, x, [batch, index === 0 ? rows : tokens, hiddenSize]),
  ) as [Value, Value, Value];
  const bias = all.sizes && emitSizeBias(g, `${at}.size_bias`, all.sizes, tokens, rows);
  const mixed = multiHeadAttention(
    g,
    `${at}.attention`,
    ...([q, k, v, heads, bias && half ? read.asHalf(bias) : bias] as const),
  );
  const o = emitProjection(scope, layer, 'o', asMatrix(g, `${at}.context`, mixed), read);
  return { o: asFloat(g, o), k: defined(projected[1], 'the keys') };
}

/** The MLP, before it is added to the residual stream; float32. */
function emitMlp(scope: Scope, layer: number, norm: Value): Value {
  const { g } = scope;
  const read = new Reader(scope);
  const fc1 = emitProjection(scope, layer, 'fc1', norm, read);
  const fc2 = emitProjection(scope, layer, 'fc2', gelu(g, `layers.${layer}.gelu`, fc1), read);
  return asFloat(g, fc2);
}

function emitSkipNorm({ g, vit }: Scope, name: string, sumName: string, x: Value, skip: Value): Normed {
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
