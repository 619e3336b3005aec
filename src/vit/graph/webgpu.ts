import { GraphBuilder, type Value } from '../../onnx/builder.js';
import { batch } from '../../onnx/dims.js';
import { dtypeCode } from '../../onnx/dtype.js';
import {
  asMatrix,
  binary,
  cast,
  gemm,
  multiHeadAttention,
  pad,
  reshape,
  skipLayerNormalization,
} from '../../onnx/ops.js';
import type { OnnxModel } from '../../onnx/model.js';
import {
  attentionWidth,
  layerCount,
  mergesOf,
  patchCount,
  prefixOf,
  prefixTokens,
  queryKeyWidth,
  readsAllTokens,
  tokenCount,
  tokensAt,
  tokensRead,
} from '../config.js';
import { linearName, type LinearRole } from '../linears.js';
import { formOf, weightOf, type ViT } from '../vit.js';
import { emitActivation } from './activation.js';
import { floatConstant, halfConstant, halfMatrix } from './constants.js';
import { emitPatches, emitPixels } from './embedding.js';
import { emitHead } from './head.js';
import { emitHeadsNorm } from './heads-norm.js';
import { emitLeading } from './leading.js';
import { emitLinear } from './linear.js';
import { emitSizeBias, type Tokens } from './merge.js';
import { emitMergeByProducts } from './merge-products.js';
import { emitNorm, emitNormBefore, emitNormBehind } from './norm.js';
import { emitRelativePositions } from './relative.js';
import { emitRotary } from './rotary.js';
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
  const norm = emitNormBefore(g, vit, 'layers.0.norm1', residual);
  let stream: Stream = { residual, norm, sizes: undefined };
  for (let layer = 0; layer + 1 < layerCount(vit.config); layer++) stream = emitBlock(scope, layer, stream);
  g.output(emitHead(g, vit, emitLastBlock(scope, stream), 'webgpu'));
  return g.finish(metadata);
}

/**
 * Patches with the tokens before them, the positions added, and the first LayerNorm of a model that has one. The place of those tokens is padded with
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
  const prefix = prefixOf(config);
  let tokens = patches;
  if (prefix.length > 0)
    tokens = pad(g, 'tokens', patches, [
      [0, 0],
      [prefixTokens(config), 0],
      [0, 0],
    ]);
  let added = config.positions === false ? undefined : floatConstant(g, vit, 'positions');
  let place = 0;
  for (const { name, count } of prefix) {
    const rows = reshape(g, `${name}:rows`, floatConstant(g, vit, name), [count, hiddenSize]);
    const alone = pad(g, `${name}:padded`, rows, [
      [place, tokenCount(config) - count - place],
      [0, 0],
    ]);
    added = added ? binary(g, 'Add', `positions:${name}`, added, alone) : alone;
    place += count;
  }
  const embedded = added ? binary(g, 'Add', 'embedded', tokens, added) : tokens;
  const residual = asMatrix(g, 'embedding', embedded);
  return config.firstNorm ? emitNorm(g, vit, 'first_norm', residual) : residual;
}

function emitBlock(scope: Scope, layer: number, stream: Stream): Stream {
  const { vit } = scope;
  const at = `layers.${layer}`;
  const attended = emitAttention(scope, layer, stream.norm, stream, tokensAt(vit.config, layer));
  const { residual, norm, sizes } = emitSumNorm(scope, layer, attended, stream);
  const mlp = emitMlp(scope, layer, norm);
  const names = { own: `${at}.norm2`, next: `layers.${layer + 1}.norm1`, sum: `${at}.residual2` };
  return { ...emitSkipNorm(scope, names, mlp, residual), sizes };
}

/** Attention and the residual stream summed, merged where the model says so, and normed for the MLP. */
function emitSumNorm(scope: Scope, layer: number, o: Value, stream: Stream): Stream {
  const { g, vit } = scope;
  const { config } = vit;
  const at = `layers.${layer}`;
  const merges = mergesOf(config, layer);
  if (merges === 0)
    return {
      ...emitSkipNorm(scope, betweenIn(at), o, stream.residual),
      sizes: stream.sizes,
    };
  const branch = emitNormBehind(g, vit, `${at}.norm1`, o);
  const residual = binary(g, 'Add', `${at}.residual1`, branch, stream.residual);
  const merged = emitMergeByProducts(...([g, `${at}.merge`, { residual, sizes: stream.sizes }] as const), {
    tokens: tokensAt(config, layer),
    merges,
    prefix: prefixTokens(config),
    hidden: config.hiddenSize,
  });
  return { ...merged, norm: emitNormBefore(g, vit, `${at}.norm2`, merged.residual) };
}

/** The residual stream of the tokens that the head reads, as the CPU's graph has it. */
function emitLastBlock(scope: Scope, stream: Stream): Tokens {
  const { g, vit } = scope;
  const layer = layerCount(vit.config) - 1;
  const at = `layers.${layer}`;
  if (readsAllTokens(vit.config)) {
    const attended = emitAttention(scope, layer, stream.norm, stream, tokensAt(vit.config, layer));
    const { residual, norm, sizes } = emitSumNorm(scope, layer, attended, stream);
    const branch = emitNormBehind(g, vit, `${at}.norm2`, emitMlp(scope, layer, norm));
    return { residual: binary(g, 'Add', `${at}.residual2`, branch, residual), sizes };
  }
  const picked = (name: string, x: Value): Value =>
    emitLeading(g, name, vit.config, x, tokensAt(vit.config, layer));
  const asking = picked(`${at}.norm1:read`, stream.norm);
  const o = emitAttention(scope, layer, asking, stream, tokensRead(vit.config));
  const before = picked(`${at}:read`, stream.residual);
  const { residual, norm } = emitSkipNorm(scope, betweenIn(at), o, before);
  const branch = emitNormBehind(g, vit, `${at}.norm2`, emitMlp(scope, layer, norm));
  // The sum is normed by the head.
  return { residual: binary(g, 'Add', `${at}.residual2`, branch, residual), sizes: undefined };
}

/**
 * Adds attention.
 *
 * @param asking - `[batch·rows, hidden]`: the norm of the tokens that get new values
 * @param all - all tokens
 * @param rows - how many of an image get new values
 * @returns what it gives before it is added to the residual stream, float32
 */
function emitAttention(scope: Scope, layer: number, asking: Value, all: Stream, rows: number): Value {
  const { g, vit } = scope;
  const { heads } = vit.config;
  const tokens = tokensAt(vit.config, layer);
  const at = `layers.${layer}`;
  const read = new Reader(scope);
  const projected = (['q', 'k', 'v'] as const).map((role) => {
    const made = emitProjection(scope, layer, role, role === 'q' ? asking : all.norm, read);
    if (role === 'v' || !(vit.config.queryKeyNorms || vit.config.rotary)) return made;
    const count = role === 'q' ? rows : tokens;
    return emitRotary(
      g,
      vit,
      layer,
      role,
      emitHeadsNorm(g, vit, layer, role, asFloat(g, made), count),
      count,
    );
  });
  // Attention takes one type for all.
  const half = projected.every(({ dtype }) => dtype === 'float16');
  const alike = half ? projected : projected.map((x) => asFloat(g, x));
  const [q, k, v] = alike.map((x, index) =>
    reshape(g, `${x.name}:sequence`, x, [
      batch,
      index === 0 ? rows : tokens,
      index === 2 ? attentionWidth(vit.config) : queryKeyWidth(vit.config, layer),
    ]),
  ) as [Value, Value, Value];
  const bias = all.sizes
    ? emitSizeBias(g, `${at}.size_bias`, all.sizes, tokens, rows)
    : emitRelativePositions(g, vit, layer, rows);
  const mixed = multiHeadAttention(
    g,
    `${at}.attention`,
    ...([q, k, v, heads, bias && half ? read.asHalf(bias) : bias] as const),
  );
  const context = asMatrix(g, `${at}.context`, mixed);
  const normed = vit.config.attentionNorm
    ? emitNorm(g, vit, `${at}.attention_norm`, asFloat(g, context))
    : context;
  return asFloat(g, emitProjection(scope, layer, 'o', normed, read));
}

/** The MLP, before it is added to the residual stream; float32. */
function emitMlp(scope: Scope, layer: number, norm: Value): Value {
  const { g, vit } = scope;
  const read = new Reader(scope);
  const fc1 = emitProjection(scope, layer, 'fc1', norm, read);
  const neurons = emitActivation(g, `layers.${layer}`, vit.config, fc1, 'webgpu');
  const activated = vit.config.mlpNorm
    ? emitNorm(g, vit, `layers.${layer}.mlp_norm`, asFloat(g, neurons))
    : neurons;
  const fc2 = emitProjection(scope, layer, 'fc2', activated, read);
  return asFloat(g, fc2);
}

/** Names of the LayerNorms around a sum with the residual stream, and of the sum. */
interface SumNames {
  /** Of the branch that is added. */
  readonly own: string;
  /** Of the branch that reads the sum. */
  readonly next: string;
  readonly sum: string;
}

/** The names between attention and MLP of a block. */
function betweenIn(at: string): SumNames {
  return { own: `${at}.norm1`, next: `${at}.norm2`, sum: `${at}.residual1` };
}

/** A branch and the residual stream summed, and what the next branch reads of it. */
function emitSkipNorm(
  { g, vit }: Scope,
  { own, next, sum: sumName }: SumNames,
  x: Value,
  skip: Value,
): Normed {
  if (vit.config.resPostNorm) {
    const residual = binary(g, 'Add', sumName, emitNormBehind(g, vit, own, x), skip);
    return { residual, norm: residual };
  }
  const scale = floatConstant(g, vit, `${next}.weight`);
  const shift = floatConstant(g, vit, `${next}.bias`);
  const { norm, sum } = skipLayerNormalization(
    ...([g, next, sumName, x, skip, scale, shift, vit.config.layerNormEpsilon] as const),
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
