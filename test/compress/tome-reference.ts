import { seededRandom } from '../../src/base/random.js';
import { square } from '../../src/base/size.js';
import { elementCount, float32 } from '../../src/onnx/tensor.js';
import {
  attentionWidth,
  gridOf,
  layerCount,
  prefixOf,
  prefixTokens,
  type Activation,
  type ViTConfig,
} from '../../src/vit/config.js';
import { weightShapes, type ViT } from '../../src/vit/vit.js';
import { floatsOf } from '../../src/compress/weights.js';

/**
 * A ViT with token merging in float64, written after the paper (ToMe, arXiv 2210.09461), one image and one token at a time, but that
 * tokens are compared by their rows of the residual stream, and each patch's with all others: what the graph is held against.
 */

/** A small ViT whose weights are drawn from a seed, large enough that tokens differ. */
export function smallViT(seed: number, changes: Partial<ViTConfig> = {}): ViT {
  const config: ViTConfig = {
    ...{
      imageSize: square(32),
      patchSize: square(8),
      channels: 3,
      hiddenSize: 24,
      heads: 3,
      mlpSizes: [40, 32, 36],
    },
    ...{ layerNormEpsilon: 1e-6, distilled: false, labels: ['a', 'b', 'c', 'd', 'e'], ...changes },
  };
  const random = seededRandom(seed);
  const weights = [...weightShapes(config)].map(([name, dims]) => {
    const width = name.endsWith('bias')
      ? 0.2
      : /norm/.test(name)
        ? 0.5
        : name.endsWith('distances')
          ? 1
          : 2 / Math.sqrt(dims.at(-1)!);
    const centre = /norm\d?\.weight$/.test(name) ? 1 : 0;
    const values = Float32Array.from(
      { length: elementCount(dims) },
      () => centre + 2 * width * (random.uniform() - 0.5),
    );
    return [name, float32(dims, values)] as const;
  });
  return { config, weights: new Map(weights), forms: new Map() };
}

/** What the reference gives for an image. */
export interface Reference {
  readonly logits: number[];
  /** Sizes of the tokens that leave each block. */
  readonly sizes: number[][];
  /** Which patches each token that leaves the last block stands for; token 0 of an image is the class token. */
  readonly members: number[][];
}

type Row = number[];

/**
 * The reference's answer for one image.
 *
 * @param vit - a float model
 * @param pixels - `[channels, size, size]`
 * @param proportional - whether attention counts a token as often as it stands for
 */
export async function referenceOf(
  vit: ViT,
  pixels: ArrayLike<number>,
  proportional = true,
): Promise<Reference> {
  const { config } = vit;
  const all = new Map<string, Float32Array>();
  for (const name of vit.weights.keys()) all.set(name, await floatsOf(vit, name));
  const linear = (name: string, x: Row): Row => {
    const [weight, bias] = [all.get(`${name}.weight`)!, all.get(`${name}.bias`)!];
    return Array.from(bias, (b, o) =>
      x.reduce((sum, value, i) => sum + value * weight[o * x.length + i]!, b),
    );
  };
  const norm = (name: string, x: Row): Row => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    const [weight, bias] = [all.get(`${name}.weight`)!, all.get(`${name}.bias`)!];
    return x.map(
      (value, c) => ((value - mean) / Math.sqrt(variance + config.layerNormEpsilon)) * weight[c]! + bias[c]!,
    );
  };
  const plus = (a: Row, b: Row): Row => a.map((value, c) => value + b[c]!);
  const positions = all.get('positions');
  const before = prefixOf(config).flatMap(({ name, count }) => {
    const values = Array.from(all.get(name)!);
    return Array.from({ length: count }, (_, t) =>
      values.slice(t * config.hiddenSize, (t + 1) * config.hiddenSize),
    );
  });
  let tokens: Row[] = [...before, ...patches(config, pixels).map((p) => linear('patch', p))]
    .map((row, t) => row.map((value, c) => value + (positions?.[t * row.length + c] ?? 0)))
    .map((row) => (config.firstNorm ? norm('first_norm', row) : row));
  /** Channels of a head's query or key, as complex numbers whose imaginary parts lie behind all real ones, turned. */
  const turned = (part: Row, patch: number, head: number, layer: number): Row => {
    const angles = all.get('rotary') ?? all.get(`layers.${layer}.rotary`);
    if (angles === undefined || patch < 0) return part;
    const half = part.length / 2;
    const place = config.rotary === 'shared' ? patch : head * (tokens.length - before.length) + patch;
    return part.map((value, c) => {
      const angle = angles[place * half + (c % half)]!;
      const other = c < half ? -part[c + half]! : part[c - half]!;
      return value * Math.cos(angle) + other * Math.sin(angle);
    });
  };
  let sizes = tokens.map(() => 1);
  let members = tokens.map((_, t) => [t]);
  const history: number[][] = [];
  for (let layer = 0; layer < layerCount(config); layer++) {
    const at = `layers.${layer}`;
    const normed = tokens.map((row) => norm(`${at}.norm1`, row));
    const [q, k, v] = ['q', 'k', 'v'].map((role) =>
      normed.map((row, t) => {
        const made = linear(`${at}.${role}`, row);
        if (role === 'v') return made;
        const size = attentionWidth(config) / config.heads;
        return Array.from({ length: config.heads }, (_, head) => {
          const part = made.slice(head * size, (head + 1) * size);
          const own = config.queryKeyNorms ? norm(`${at}.${role}_norm`, part) : part;
          return turned(own, t - before.length, head, layer);
        }).flat();
      }),
    );
    const table = all.get(`${at}.distances`);
    const bias = (head: number, from: number, to: number): number =>
      table ? table[(head * table.length) / config.heads + distance(config, from, to)]! : 0;
    const mixed = attend(q!, k!, v!, config.heads, proportional ? sizes : sizes.map(() => 1), bias);
    const context = mixed.map((row) => (config.attentionNorm ? norm(`${at}.attention_norm`, row) : row));
    tokens = tokens.map((row, t) => plus(row, linear(`${at}.o`, context[t]!)));
    const groups = matchTokens(tokens, config.merges?.[layer] ?? 0, prefixTokens(config));
    tokens = groups.map((group) => {
      const size = group.reduce((sum, t) => sum + sizes[t]!, 0);
      return tokens[0]!.map((_, c) => group.reduce((sum, t) => sum + tokens[t]![c]! * sizes[t]!, 0) / size);
    });
    members = groups.map((group) => group.flatMap((t) => members[t]!));
    sizes = groups.map((group) => group.reduce((sum, t) => sum + sizes[t]!, 0));
    history.push(sizes);
    tokens = tokens.map((row) => {
      const hidden = activated(config.activation ?? 'gelu', linear(`${at}.fc1`, norm(`${at}.norm2`, row)));
      return plus(row, linear(`${at}.fc2`, config.mlpNorm ? norm(`${at}.mlp_norm`, hidden) : hidden));
    });
  }
  const { pooling = 'class', lastNorm = 'tokens' } = config;
  const read = lastNorm === 'tokens' ? tokens.map((row) => norm('norm', row)) : tokens;
  const mean = (from: number): Row => {
    const total = sizes.slice(from).reduce((sum, size) => sum + size, 0);
    return read[0]!.map(
      (_, c) => read.reduce((sum, row, t) => (t < from ? sum : sum + row[c]! * sizes[t]!), 0) / total,
    );
  };
  const attended = (from: number): Row => {
    const scores = all.get('pool.scores')!;
    const { poolHeads = config.heads } = config;
    const width = config.hiddenSize / poolHeads;
    const seen = read.slice(from);
    const context = Array.from({ length: poolHeads }, (_, h) => {
      const row = scores.subarray(h * config.hiddenSize, (h + 1) * config.hiddenSize);
      const weights = seen.map(
        (token, t) => sizes[from + t]! * Math.exp(token.reduce((sum, value, c) => sum + value * row[c]!, 0)),
      );
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const values = seen.map((token) => linear('pool.v', token).slice(h * width, (h + 1) * width));
      return values[0]!.map((_, c) =>
        values.reduce((sum, value, t) => sum + (weights[t]! * value[c]!) / total, 0),
      );
    }).flat();
    const o = linear('pool.o', context);
    const hidden = activated(config.activation ?? 'gelu', linear('pool.fc1', norm('pool.norm', o)));
    return plus(o, linear('pool.fc2', hidden));
  };
  const features = {
    'patches-attention': () => attended(prefixTokens(config)),
    'tokens-attention': () => attended(0),
    class: () => read.slice(0, config.distilled ? 2 : 1).flat(),
    patches: () => mean(prefixTokens(config)),
    tokens: () => mean(0),
    'class-patches': () => [...read[0]!, ...mean(prefixTokens(config))],
  }[pooling]();
  const pooled = lastNorm === 'pooled' ? norm('norm', features) : features;
  const projection = all.get('projection.weight');
  const projected = Array.from({ length: config.projection ?? 0 }, (_, o) =>
    pooled.reduce((sum, value, i) => sum + value * projection![o * pooled.length + i]!, 0),
  );
  return { logits: linear('head', projection ? projected : pooled), sizes: history, members };
}

/** Which number of a head's stands for two tokens (BEiT): by the way from patch to patch, the last three for the class token. */
function distance(config: ViTConfig, from: number, to: number): number {
  const { classToken = true } = config;
  const side = gridOf(config).width;
  const ways = (2 * side - 1) ** 2;
  if (classToken && from === 0 && to === 0) return ways + 2;
  if (classToken && from === 0) return ways;
  if (classToken && to === 0) return ways + 1;
  const [a, b] = classToken ? [from - 1, to - 1] : [from, to];
  const down = Math.floor(a / side) - Math.floor(b / side) + side - 1;
  return down * (2 * side - 1) + (a % side) - (b % side) + side - 1;
}

function activated(kind: Activation, x: Row): Row {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
  switch (kind) {
    case 'gelu':
      return x.map(gelu);
    case 'gelu-tanh':
      return x.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));
    case 'quick-gelu':
      return x.map((v) => v * sigmoid(1.702 * v));
    case 'silu':
      return x.map((v) => v * sigmoid(v));
    case 'relu':
      return x.map((v) => Math.max(0, v));
    case 'swiglu':
      return x.slice(0, x.length / 2).map((v, i) => v * sigmoid(v) * x[x.length / 2 + i]!);
  }
}

/**
 * Which tokens each token after merging is made of, in the order that they have then.
 *
 * @param rows - of each token, what it is compared by
 * @param r - how many tokens go
 * @param leading - tokens at the front that neither go nor are joined
 */
export function matchTokens(rows: readonly Row[], r: number, leading: number): number[][] {
  if (r === 0) return rows.map((_, t) => [t]);
  const metric = rows.map((row) => {
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  });
  const all = rows.map((_, t) => t);
  const patches = all.slice(leading);
  const cosine = (a: number, b: number): number =>
    metric[a]!.reduce((sum, value, c) => sum + value * metric[b]![c]!, 0);
  const like = new Map(
    patches.map((a) => [a, Math.max(...patches.filter((b) => b !== a).map((b) => cosine(a, b)))]),
  );
  const proposals = patches.slice(1).map((from) => {
    const earlier = patches.filter((to) => to < from);
    const merits = earlier.map((to) => cosine(from, to) - 0.4 * (like.get(from)! + like.get(to)!));
    const merit = Math.max(...merits);
    return { from, to: earlier[merits.indexOf(merit)]!, merit };
  });
  const taken = new Map(
    proposals
      .sort((a, b) => b.merit - a.merit)
      .slice(0, r)
      .map(({ from, to }) => [from, to]),
  );
  const endOf = (t: number): number => (taken.has(t) ? endOf(taken.get(t)!) : t);
  return all
    .filter((t) => !taken.has(t))
    .map((t) => [t, ...all.filter((other) => other !== t && endOf(other) === t)]);
}

function attend(
  q: readonly Row[],
  k: readonly Row[],
  v: readonly Row[],
  heads: number,
  sizes: readonly number[],
  bias: (head: number, from: number, to: number) => number,
): Row[] {
  const width = q[0]!.length / heads;
  return q.map((query, from) => {
    const out = query.map(() => 0);
    for (let head = 0; head < heads; head++) {
      const channels = Array.from({ length: width }, (_, c) => head * width + c);
      const scores = k.map(
        (key, to) =>
          channels.reduce((sum, c) => sum + query[c]! * key[c]!, 0) / Math.sqrt(width) + bias(head, from, to),
      );
      const largest = Math.max(...scores);
      // A token that stands for s others is as s times the same token.
      const weights = scores.map((score, t) => sizes[t]! * Math.exp(score - largest));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const c of channels) out[c] = v.reduce((sum, row, t) => sum + (weights[t]! * row[c]!) / total, 0);
    }
    return out;
  });
}

function patches(config: ViTConfig, pixels: ArrayLike<number>): Row[] {
  const {
    imageSize: { height: imageSize },
    patchSize: { height: patchSize },
    channels,
  } = config;
  const side = imageSize / patchSize;
  return Array.from({ length: side * side }, (_, patch) => {
    const [top, left] = [Math.floor(patch / side) * patchSize, (patch % side) * patchSize];
    const row: Row = [];
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < patchSize; y++)
        for (let x = 0; x < patchSize; x++)
          row.push(pixels[(c * imageSize + top + y) * imageSize + left + x]!);
    return row;
  });
}

/** x · Φ(x), with erf as a power series: it converges for all x, to float64 accuracy where |x| is small. */
function gelu(x: number): number {
  const z = x / Math.SQRT2;
  if (Math.abs(z) > 4) return x > 0 ? x : 0;
  let [term, sum] = [z, z];
  for (let n = 1; n < 120; n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  return (x * (1 + (2 / Math.sqrt(Math.PI)) * sum)) / 2;
}
