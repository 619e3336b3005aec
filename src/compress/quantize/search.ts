import { totalError, type Evaluator, type FloatLinear, type FloatOutput } from '../evaluate.js';
import { isWeightFormat, type QuantizeOptions } from './options.js';
import { int8Grid, nearest, UNBOUND_COVER, type InputRange } from './rounding.js';
import { rangeOf, transformed, type ChannelTransform, type ReadValue } from './value.js';
import { roundedWeight } from './weight.js';

/** Strengths in tenths: every second one is tried, and then those beside the best. */
const ALPHAS = [0, 2, 4, 6, 8, 10] as const;
const INPUT_CLIPS = [1, 0.9, 0.8, 0.7, 0.6, 0.5];

/** Share of the error that must be left where a value is divided for less of it: two decibels. */
const WORTH_DIVIDING = 10 ** -0.2;

const WEIGHT_CLIPS = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7];

/** Scales that cover more than the largest weight: fewer pairs of weights reach their bound. */
const WEIGHT_COVERS = [1.05, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, UNBOUND_COVER];

/** A float linear, and what it gives for the sampled rows of what it reads. */
export interface SampledLinear extends FloatLinear {
  readonly output: FloatOutput;
}

/**
 * The channel transform of strength α: channel c is divided by r_c = a_c^α / w_c^(1−α), a_c half its extent and w_c the
 * largest weight that reads it (SmoothQuant, arXiv 2211.10438, eq. 4), normalised so that the largest and the smallest r
 * multiply to 1 (AWQ, arXiv 2306.00978), after its centre is taken off (RepQ-ViT, arXiv 2212.08254).
 *
 * @param value - the value whose channels are transformed
 * @param readers - the linears that read it
 * @param alpha - 0 … 1
 * @param shift - whether to take off the centre
 */
export function channelTransform(
  value: ReadValue,
  readers: readonly FloatLinear[],
  alpha: number,
  shift: boolean,
): ChannelTransform {
  const { lower, upper } = value;
  const channels = lower.length;
  const largestWeight = new Float64Array(channels);
  for (const { weight } of readers) {
    for (let row = 0; row < weight.length; row += channels)
      for (let c = 0; c < channels; c++)
        largestWeight[c] = Math.max(largestWeight[c]!, Math.abs(weight[row + c]!));
  }
  const centre = lower.map((low, c) => (shift ? (low + upper[c]!) / 2 : 0));
  const least = 1e-5;
  const scale = centre.map((middle, c) => {
    const extent = Math.max(upper[c]! - middle, middle - lower[c]!, least);
    return extent ** alpha / Math.max(largestWeight[c]!, least) ** (1 - alpha);
  });
  const norm = Math.sqrt(Math.max(...scale) * Math.min(...scale));
  return { scale: scale.map((r) => Math.max(r / norm, 1e-4)), shift: centre };
}

/**
 * A linear that reads the transformed value and gives what it gave before: W' = W · diag(scale), b' = b + W · shift.
 *
 * @param linear - before
 * @param transform - what is done to the channels it reads
 */
export function readingTransformed({ weight, bias }: FloatLinear, transform: ChannelTransform): FloatLinear {
  const { scale, shift } = transform;
  const inputs = scale.length;
  const scaled = new Float32Array(weight.length);
  const shifted = Float64Array.from(bias);
  for (let o = 0; o < bias.length; o++) {
    const row = o * inputs;
    let sum = shifted[o]!;
    for (let i = 0; i < inputs; i++) {
      const w = weight[row + i]!;
      scaled[row + i] = w * scale[i]!;
      sum += w * shift[i]!;
    }
    shifted[o] = sum;
  }
  return { weight: scaled, bias: Float32Array.from(shifted) };
}

/**
 * Searches α: the strength whose transform gives the least squared error at the outputs of all linears that read the
 * value, weights and (but for weights alone) inputs quantised.
 *
 * @param evaluator - compares candidates on the sampled rows
 * @param value - the value, untransformed
 * @param readers - the linears that read it
 * @param options - of the stage; `alpha` says whether there is anything to search
 * @returns the strength and the transform; undefined when channels are to stay as they are
 */
export async function searchTransform(
  evaluator: Evaluator,
  value: ReadValue,
  readers: readonly FloatLinear[],
  options: QuantizeOptions,
): Promise<{ readonly alpha: number; readonly transform: ChannelTransform } | undefined> {
  if (options.alpha === 'off') return undefined;
  const shift = options.shift && !isWeightFormat(options.format);
  const transformOf = (alpha: number): ChannelTransform => channelTransform(value, readers, alpha, shift);
  if (options.alpha !== 'search') return { alpha: options.alpha, transform: transformOf(options.alpha) };
  // A transform changes nothing of what float readers give.
  const known: SampledLinear[] = [];
  for (const reader of readers)
    known.push({ ...reader, output: await evaluator.output(value.sample, reader) });
  const attempt = async (tenths: number): Promise<Attempt> => {
    const alpha = tenths / 10;
    const transform = transformOf(alpha);
    return {
      tenths,
      alpha,
      transform,
      error: await errorBehind(evaluator, value, known, transform, options),
    };
  };
  const better = (a: Attempt, b: Attempt): Attempt => (b.error < a.error ? b : a);
  const [first, ...others] = ALPHAS;
  let best = await attempt(first);
  for (const tenths of others) best = better(best, await attempt(tenths));
  const { tenths: middle } = best;
  for (const tenths of [middle - 1, middle + 1])
    if (tenths >= 0 && tenths <= 10) best = better(best, await attempt(tenths));
  return best;
}

/** Squared error at the outputs of all readers of a value behind a transform, weights and inputs quantised. */
async function errorBehind(
  evaluator: Evaluator,
  value: ReadValue,
  readers: readonly SampledLinear[],
  transform: ChannelTransform,
  options: QuantizeOptions,
): Promise<number> {
  const after = transformed(value, transform);
  const input = isWeightFormat(options.format) ? undefined : rangeOf(after, 1);
  let error = 0;
  for (const reader of readers) {
    const { weight, bias } = readingTransformed(reader, transform);
    const rounded = roundedWeight(weight, transform.scale.length, options);
    error += totalError(await evaluator.error(reader.output, after.sample, { weight: rounded, bias, input }));
  }
  return error;
}

/**
 * Searches what the channels of a value are to be divided by before it is quantised, where that can be folded into nothing: behind an
 * activation. Each division is one more pass over the value, and so only taken where it makes the error of the linears that read it less
 * than `WORTH_DIVIDING` of what it is without.
 *
 * @param evaluator - compares candidates on the sampled rows
 * @param value - the value
 * @param readers - the linears that read it
 * @param options - of the stage
 * @returns the strength and the transform, without a shift; undefined where channels are to stay as they are
 */
export async function searchDivisors(
  evaluator: Evaluator,
  value: ReadValue,
  readers: readonly SampledLinear[],
  options: QuantizeOptions,
): Promise<{ readonly alpha: number; readonly transform: ChannelTransform } | undefined> {
  if (!options.divideNeurons || options.format === 'dynamic' || isWeightFormat(options.format))
    return undefined;
  const found = await searchTransform(evaluator, value, readers, { ...options, shift: false });
  if (found === undefined) return undefined;
  const errorOf = (transform: ChannelTransform): Promise<number> =>
    errorBehind(evaluator, value, readers, transform, options);
  const channels = value.min.length;
  const nothing = { scale: new Float64Array(channels).fill(1), shift: new Float64Array(channels) };
  return (await errorOf(found.transform)) < WORTH_DIVIDING * (await errorOf(nothing)) ? found : undefined;
}

/** A strength that was tried. */
interface Attempt {
  readonly tenths: number;
  readonly alpha: number;
  readonly transform: ChannelTransform;
  /** Squared, at the outputs of all readers. */
  readonly error: number;
}

/**
 * Searches the range of a value's uint8 quantiser: the share of what the calibration images had that gives the least
 * squared error at the outputs of all linears that read the value. Narrower ranges are tried until one is worse than the one before: at
 * both ends together, and then at each of them alone, since what stands behind an activation reaches much further up than down.
 *
 * @param evaluator - compares candidates on the sampled rows
 * @param value - the value, transformed
 * @param readers - the linears that read it, in its coordinates
 * @param options - of the stage
 */
export async function searchInputRange(
  evaluator: Evaluator,
  value: ReadValue,
  readers: readonly SampledLinear[],
  options: QuantizeOptions,
): Promise<InputRange> {
  // A range that is taken while the model runs covers everything.
  if (!options.clipInputs || options.format === 'dynamic') return rangeOf(value, 1);
  const weights = readers.map(({ weight }) => roundedWeight(weight, value.min.length, options));
  const attempt = async (low: number, high: number): Promise<TriedRange> => {
    const input = rangeOf(value, low, high);
    let error = 0;
    for (const [index, { output, bias }] of readers.entries())
      error += totalError(
        await evaluator.error(output, value.sample, { weight: weights[index]!, bias, input }),
      );
    return { low, high, input, error };
  };
  let best = await attempt(1, 1);
  const narrowed = async (narrow: (clip: number) => readonly [low: number, high: number]): Promise<void> => {
    for (const clip of INPUT_CLIPS) {
      const [low, high] = narrow(clip);
      if (low > best.low || high > best.high || (low === best.low && high === best.high)) continue;
      const tried = await attempt(low, high);
      if (tried.error >= best.error) break;
      best = tried;
    }
  };
  await narrowed((clip) => [clip, clip]);
  await narrowed((clip) => [best.low, clip]);
  await narrowed((clip) => [clip, best.high]);
  return best.input;
}

/** A range that was tried. */
interface TriedRange {
  /** Share of the range below zero, and of that above. */
  readonly low: number;
  readonly high: number;
  readonly input: InputRange;
  /** Squared, at the outputs of all readers. */
  readonly error: number;
}

/**
 * Searches, for each output of a linear, how much of its largest weight the int8 scale should cover: less and less, until that is better
 * for no output, and then, where pairs of weights are bounded, more and more. Where that is not to be searched, so much that no weight and no
 * pair is cut.
 *
 * @param evaluator - compares candidates on the sampled rows
 * @param value - what the linear reads
 * @param linear - the linear
 * @param input - how its input is quantised
 * @param options - of the stage
 * @returns the share to cover, `[outputs]`
 */
export async function searchWeightClip(
  evaluator: Evaluator,
  value: Pick<ReadValue, 'sample'>,
  linear: SampledLinear,
  input: InputRange,
  options: QuantizeOptions,
): Promise<Float32Array> {
  const { bias, output } = linear;
  const outputs = bias.length;
  const inputs = linear.weight.length / outputs;
  const least = new Float64Array(outputs).fill(Infinity);
  const best = new Float32Array(outputs).fill(1);
  const { clipWeights, perChannel, boundPairs } = options;
  if (!clipWeights) return best.fill(boundPairs ? UNBOUND_COVER : 1);
  for (const direction of boundPairs ? [WEIGHT_CLIPS, WEIGHT_COVERS] : [WEIGHT_CLIPS]) {
    for (const clip of direction) {
      const clips = new Float32Array(outputs).fill(clip);
      const grid = int8Grid(linear.weight, inputs, perChannel, clips, boundPairs);
      const weight = nearest(linear.weight, inputs, grid);
      const { squared } = await evaluator.error(output, value.sample, { weight, bias, input });
      let better = false;
      for (let o = 0; o < outputs; o++) {
        if (squared[o]! >= least[o]!) continue;
        [least[o], best[o], better] = [squared[o]!, clip, true];
      }
      if (!better) break;
    }
  }
  return best;
}
