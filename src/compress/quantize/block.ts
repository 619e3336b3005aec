import { seededRandom } from '../../base/random.js';
import { linearName, type LinearName, type LinearRole, type PATCH } from '../../vit/linears.js';
import { withWeights, type ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import type { Blas } from '../linalg/blas.js';
import { rowsOf, type BlockStream, type Rows } from '../observe/blocks.js';
import { channelTap } from '../observe/channels.js';
import { momentsTap } from '../observe/moments.js';
import { sampleTap } from '../observe/sample.js';
import { floatEntry, floatsOf } from '../weights.js';
import { sqnr, type Evaluator, type FloatLinear } from '../evaluate.js';
import { withFeedback } from './feedback.js';
import { fold, foldGroupsOf, readersOf } from './fold.js';
import { isWeightFormat, type QuantizeOptions } from './options.js';
import { toNearest, type InputRange, type Rounding } from './rounding.js';
import {
  readingTransformed,
  searchDivisors,
  searchInputRange,
  searchTransform,
  searchWeightClip,
  type SampledLinear,
} from './search.js';
import { EXTENT_PERCENTILE, readValue, transformed, type ChannelTransform, type ReadValue } from './value.js';
import { bitsOf, blockwiseWeight, int8Weight, type QuantizedWeight } from './weight.js';

/** What the stage quantises: linears of the blocks and the embedding of the patches. */
export type QuantizedName = LinearName | typeof PATCH;

/** What quantisation did to one linear. */
export interface QuantizedLinear {
  readonly linear: QuantizedName;
  /** Signal-to-noise ratio of its output on the sampled rows, in decibels. */
  readonly sqnr: number;
  /** Strength of the channel transform of its input; undefined where there is none. */
  readonly alpha: number | undefined;
}

/** A block after quantisation. */
export interface QuantizedBlock {
  /** Its linears in the stage's format. */
  readonly quantized: ViT;
  /** The same block with its transforms folded in and all linears float: the function it had before. */
  readonly folded: ViT;
  readonly linears: readonly QuantizedLinear[];
}

/** The distinct values that the linears of a block read; q, k and v read the same. */
const readRoles = ['q', 'o', 'fc1', 'fc2'] as const;
type ReadRole = (typeof readRoles)[number];

/** The linears that read what `role` reads. */
const sharedBy: Record<ReadRole, readonly LinearRole[]> = {
  q: readersOf.attention,
  o: readersOf.context,
  fc1: readersOf.mlp,
  fc2: ['fc2'],
};

/**
 * Quantises the linears of one block, calibrated on the stream that reaches it.
 *
 * @param context - the stage's context
 * @param stream - the calibration images before the block; not moved
 * @param vit - the model, this block still float
 * @param layer - which block
 * @param kept - linears that stay float
 * @param evaluator - compares candidates on sampled rows
 * @param blas - float64 products
 * @param options - of the stage
 */
export async function quantizeBlock(
  context: StageContext,
  stream: BlockStream,
  vit: ViT,
  layer: number,
  kept: ReadonlySet<QuantizedName>,
  evaluator: Evaluator,
  blas: Blas,
  options: QuantizeOptions,
): Promise<QuantizedBlock> {
  const values = await observe(context, stream, vit, layer, options);
  const linears: QuantizedLinear[] = [];
  const alphas = new Map<ReadRole, number>();

  let folded = vit;
  for (const group of foldGroupsOf(vit.config)) {
    const role = readersOf[group][0];
    const readers = await floatLinears(folded, layer, readersOf[group]);
    const found = await searchTransform(evaluator, values[role], readers, options);
    if (found === undefined) continue;
    folded = await fold(folded, layer, group, found.transform);
    values[role] = transformed(values[role], found.transform);
    alphas.set(role, found.alpha);
  }

  let quantized = folded;
  for (const role of readRoles) {
    if (sharedBy[role].every((reader) => kept.has(linearName(layer, reader)))) continue;
    const float = await withOutputs(
      evaluator,
      values[role],
      await floatLinears(folded, layer, sharedBy[role]),
    );
    const divided =
      role === 'fc2' ? await searchDivisors(evaluator, values[role], float, options) : undefined;
    const { value, readers } = readThrough(divided?.transform, values[role], float);
    if (divided) alphas.set(role, divided.alpha);
    const divisors = divided && Float32Array.from(divided.transform.scale);
    const input = isWeightFormat(options.format)
      ? undefined
      : await searchInputRange(evaluator, value, readers, options);
    const rounding = value.moments ? await withFeedback(value.moments, blas) : toNearest;
    for (const [index, reader] of sharedBy[role].entries()) {
      const name = linearName(layer, reader);
      if (kept.has(name)) continue;
      const linear = readers[index]!;
      const weight = await quantizeWeight(evaluator, value, linear, input, divisors, rounding, options);
      const rounded = { weight: weight.rounded, bias: linear.bias, input };
      const error = await evaluator.error(linear.output, value.sample, rounded);
      const bias = options.biasCorrection ? linear.bias.map((b, o) => b + error.mean[o]!) : linear.bias;
      quantized = withWeights(
        quantized,
        [[`${name}.weight`, weight.tensor], floatEntry(vit, `${name}.bias`, [bias.length], bias)],
        [[name, weight.form]],
      );
      linears.push({ linear: name, sqnr: sqnr(error), alpha: alphas.get(role) });
    }
  }
  return { quantized, folded, linears };
}

async function observe(
  context: StageContext,
  stream: BlockStream,
  vit: ViT,
  layer: number,
  options: QuantizeOptions,
): Promise<Record<ReadRole, ReadValue>> {
  const read = (role: ReadRole): Rows => rowsOf(stream, vit.config, layer, role);
  const channels = readRoles.map((role) => {
    const { rows, rowsPerBatch } = read(role);
    return channelTap(role, rows, rowsPerBatch, [EXTENT_PERCENTILE]);
  });
  const random = seededRandom(context.seed + layer);
  const samples = sampleTap(
    context.engine,
    readRoles,
    options.rows,
    stream.images / stream.batchSize,
    (role) => read(role).rowsPerBatch,
    random,
  );
  const moments =
    options.rounding === 'feedback'
      ? readRoles.map((role) => momentsTap(role, read(role).rowsPerBatch))
      : undefined;
  await stream.observe(vit, layer, [...channels, samples, ...(moments ?? [])]);
  const sampled = samples.result();
  return Object.fromEntries(
    readRoles.map((role, index) => [
      role,
      readValue(channels[index]!.result(), sampled[role], moments?.[index]!.result()),
    ]),
  ) as Record<ReadRole, ReadValue>;
}

/** A value and those that read it behind a transform; what they give stays as it is. */
function readThrough(
  transform: ChannelTransform | undefined,
  value: ReadValue,
  readers: readonly SampledLinear[],
): { readonly value: ReadValue; readonly readers: readonly SampledLinear[] } {
  if (transform === undefined) return { value, readers };
  return {
    value: transformed(value, transform),
    readers: readers.map((reader) => ({ ...readingTransformed(reader, transform), output: reader.output })),
  };
}

async function quantizeWeight(
  evaluator: Evaluator,
  value: ReadValue,
  linear: SampledLinear,
  input: InputRange | undefined,
  divisors: Float32Array | undefined,
  rounding: Rounding,
  options: QuantizeOptions,
): Promise<QuantizedWeight> {
  const inputs = value.min.length;
  const { format, clipWeights, blockSize } = options;
  if (!isWeightFormat(format)) {
    const clip = await searchWeightClip(evaluator, value, linear, input!, options);
    return int8Weight(linear.weight, inputs, format, options, input!, divisors, clip, rounding);
  }
  const worth = clipWeights ? value.meanSquare : undefined;
  return blockwiseWeight(linear.weight, inputs, bitsOf(format), blockSize, worth, rounding);
}

/** Linears with what they give for the sampled rows of what they read. */
async function withOutputs(
  evaluator: Evaluator,
  { sample }: ReadValue,
  readers: readonly FloatLinear[],
): Promise<SampledLinear[]> {
  const compared: SampledLinear[] = [];
  for (const reader of readers) compared.push({ ...reader, output: await evaluator.output(sample, reader) });
  return compared;
}

async function floatLinears(vit: ViT, layer: number, roles: readonly LinearRole[]): Promise<FloatLinear[]> {
  const linears: FloatLinear[] = [];
  for (const role of roles) {
    const name = linearName(layer, role);
    linears.push({
      weight: await floatsOf(vit, `${name}.weight`),
      bias: await floatsOf(vit, `${name}.bias`),
    });
  }
  return linears;
}
