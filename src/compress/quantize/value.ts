import type { ChannelStatistics } from '../observe/channels.js';
import type { Moments } from '../observe/moments.js';
import type { RowSample } from '../observe/sample.js';
import { inputRange, type InputRange } from './rounding.js';

/** What happens to the channels of a value: `x' = (x − shift) / scale`. */
export interface ChannelTransform {
  /** `[channels]`, positive. */
  readonly scale: Float64Array;
  /** `[channels]`. */
  readonly shift: Float64Array;
}

/** A value that linears read, as the searches know it. One number for each channel. */
export interface ReadValue {
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** The extent without the outliers: a low and a high percentile. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** E[x²]. */
  readonly meanSquare: Float64Array;
  /** Some of its rows. */
  readonly sample: RowSample;
  /** How its channels vary together; undefined where nobody asks. */
  readonly moments: Moments | undefined;
}

/** Percentile that stands for a channel's extent: one outlier must not set the scale of its channel. */
export const EXTENT_PERCENTILE = 99.9;

/**
 * A value from what was observed of it.
 *
 * @param statistics - with the percentile `EXTENT_PERCENTILE`
 * @param sample - some of its rows
 * @param moments - how its channels vary together, where anybody asks
 */
export function readValue(
  statistics: ChannelStatistics,
  sample: RowSample,
  moments: Moments | undefined,
): ReadValue {
  const { min, max, meanSquare, percentiles } = statistics;
  return { min, max, ...percentiles.get(EXTENT_PERCENTILE)!, meanSquare, sample, moments };
}

/**
 * A value after a transform of its channels.
 *
 * @param value - before
 * @param transform - what is done to the channels
 */
export function transformed(value: ReadValue, { scale, shift }: ChannelTransform): ReadValue {
  const channels = scale.length;
  const apply = (x: number, c: number): number => (x - shift[c]!) / scale[c]!;
  const { values, rows } = value.sample;
  const sample = { rows, values: new Float32Array(values.length) };
  // E[((x−t)/r)²] needs E[x]; the sample's is close enough for a weight in a search.
  const meanSquare = new Float64Array(channels);
  for (let row = 0; row < values.length; row += channels) {
    for (let c = 0; c < channels; c++) {
      sample.values[row + c] = apply(values[row + c]!, c);
      meanSquare[c]! += sample.values[row + c]! ** 2 / rows;
    }
  }
  return {
    min: value.min.map(apply),
    max: value.max.map(apply),
    lower: value.lower.map(apply),
    upper: value.upper.map(apply),
    meanSquare,
    sample,
    moments: value.moments && {
      rows: value.moments.rows,
      mean: value.moments.mean.map(apply),
      covariance: value.moments.covariance.map(
        (sum, index) => sum / (scale[Math.floor(index / channels)]! * scale[index % channels]!),
      ),
    },
  };
}

/**
 * The uint8 range of a value.
 *
 * @param value - the value
 * @param low - share of the least value that the calibration images had to cover
 * @param high - … and of the greatest
 */
export function rangeOf(value: ReadValue, low: number, high = low): InputRange {
  return inputRange(Math.min(...value.min) * low, Math.max(...value.max) * high);
}
