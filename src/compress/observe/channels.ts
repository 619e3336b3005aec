import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { topK } from '../../onnx/index-ops.js';
import { binary, reduce, transpose, unary } from '../../onnx/ops.js';
import type { BlockValues } from '../../vit/graph/block.js';
import type { LinearRole } from '../../vit/linears.js';
import { numbers, type Tap } from './taps.js';

/** What the channels of a linear's input look like over the calibration images. One number for each channel. */
export interface ChannelStatistics {
  /** Token rows that were seen. */
  readonly rows: number;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly mean: Float64Array;
  readonly meanAbs: Float64Array;
  /** E[x²]. */
  readonly meanSquare: Float64Array;
  /** By percentile, such as 99.9: the value that so many percent of the rows do not exceed, and its mirror image. */
  readonly percentiles: ReadonlyMap<number, { readonly lower: Float64Array; readonly upper: Float64Array }>;
}

/**
 * Observes the input of a linear, channel by channel. Percentiles are exact: each batch gives its largest and smallest
 * values, among which those of the whole must be.
 *
 * @param role - which linear of the block
 * @param rows - token rows there will be in all
 * @param rowsPerBatch - token rows of a batch
 * @param percentiles - which percentiles, between 50 and 100
 */
export function channelTap(
  role: LinearRole,
  rows: number,
  rowsPerBatch: number,
  percentiles: readonly number[] = [],
): Tap<ChannelStatistics> {
  const name = (what: string): string => `tap:${role}:${what}`;
  const beyond = (percentile: number): number => Math.floor((1 - percentile / 100) * rows);
  const tail = percentiles.length === 0 ? 0 : beyond(Math.min(...percentiles)) + 1;
  const k = Math.min(tail, rowsPerBatch);
  let state: Accumulator | undefined;

  return {
    emit(g: GraphBuilder, values: BlockValues): Value[] {
      const x = values[role];
      // Squares are summed by ReduceSum: ReduceSumSquare over the first axis is several times slower.
      const outputs = [
        reduce(g, 'ReduceMin', name('min'), x, [0]),
        reduce(g, 'ReduceMax', name('max'), x, [0]),
        reduce(g, 'ReduceSum', name('sum'), x, [0]),
        reduce(g, 'ReduceSum', name('sumAbs'), unary(g, 'Abs', name('abs'), x), [0]),
        reduce(g, 'ReduceSum', name('sumSquare'), binary(g, 'Mul', name('square'), x, x), [0]),
      ];
      if (k > 0) {
        const columns = transpose(g, name('columns'), x, [1, 0]);
        for (const [end, largest] of [
          ['largest', true],
          ['smallest', false],
        ] as const)
          outputs.push(topK(g, name(end), columns, k, 1, { largest, sorted: true }).values);
      }
      return outputs;
    },
    add(outputs) {
      const sum = numbers(outputs, name('sum'));
      state ??= emptyAccumulator(sum.length);
      accumulate(state.min, numbers(outputs, name('min')), Math.min);
      accumulate(state.max, numbers(outputs, name('max')), Math.max);
      accumulate(state.sum, sum, add);
      accumulate(state.sumAbs, numbers(outputs, name('sumAbs')), add);
      accumulate(state.sumSquare, numbers(outputs, name('sumSquare')), add);
      if (k > 0) {
        state.largest = mergeTails(state.largest, numbers(outputs, name('largest')), k, tail, 1);
        state.smallest = mergeTails(state.smallest, numbers(outputs, name('smallest')), k, tail, -1);
      }
    },
    result() {
      if (state === undefined) throw new Error(`nothing was observed at ${role}`);
      const { largest, smallest } = state;
      return {
        rows,
        min: state.min,
        max: state.max,
        mean: state.sum.map((value) => value / rows),
        meanAbs: state.sumAbs.map((value) => value / rows),
        meanSquare: state.sumSquare.map((value) => value / rows),
        percentiles: new Map(
          percentiles.map((percentile) => {
            const at = beyond(percentile);
            return [percentile, { lower: valuesAt(smallest, at), upper: valuesAt(largest, at) }];
          }),
        ),
      };
    },
  };
}

interface Accumulator {
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly sumAbs: Float64Array;
  readonly sumSquare: Float64Array;
  largest: Tails;
  smallest: Tails;
}

/** For each channel its extreme values so far, the most extreme first: in one array, for thousands of small ones keep the collector busy. */
interface Tails {
  /** `[channels, count]`. */
  readonly values: Float32Array;
  /** Of each channel. */
  readonly count: number;
}

function emptyAccumulator(channels: number): Accumulator {
  return {
    min: new Float64Array(channels).fill(Infinity),
    max: new Float64Array(channels).fill(-Infinity),
    sum: new Float64Array(channels),
    sumAbs: new Float64Array(channels),
    sumSquare: new Float64Array(channels),
    largest: { values: new Float32Array(), count: 0 },
    smallest: { values: new Float32Array(), count: 0 },
  };
}

const add = (a: number, b: number): number => a + b;

function accumulate(
  into: Float64Array,
  values: Float32Array,
  combine: (a: number, b: number) => number,
): void {
  for (let i = 0; i < into.length; i++) into[i] = combine(into[i]!, values[i]!);
}

/**
 * For each channel, of the values known and the `k` that a batch gave, the `keep` most extreme; all with the most extreme
 * first.
 *
 * @param sign - 1 where the largest are the most extreme, −1 where the smallest are
 */
function mergeTails(known: Tails, batch: Float32Array, k: number, keep: number, sign: 1 | -1): Tails {
  const channels = batch.length / k;
  const count = Math.min(keep, known.count + k);
  const values = new Float32Array(channels * count);
  for (let channel = 0; channel < channels; channel++) {
    let [a, b] = [channel * known.count, channel * k];
    const [knownEnd, end] = [a + known.count, b + k];
    for (let i = channel * count; i < (channel + 1) * count; i++)
      values[i] =
        b === end || (a < knownEnd && sign * known.values[a]! >= sign * batch[b]!)
          ? known.values[a++]!
          : batch[b++]!;
  }
  return { values, count };
}

/** The value of each channel at a place. */
function valuesAt({ values, count }: Tails, place: number): Float64Array {
  return Float64Array.from(
    { length: values.length / count },
    (_, channel) => values[channel * count + place]!,
  );
}
