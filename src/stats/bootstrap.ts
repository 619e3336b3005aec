import { mean, median } from 'simple-statistics';
import { seededRandom } from '../base/random.js';
import type { Estimate } from './interval.js';
import { normalQuantile, normalTail } from './normal.js';

/** How a bootstrap is done. */
export interface BootstrapOptions {
  /** Determines the resamples, and with them the interval. */
  readonly seed: number;
  /** 0.95 for a 95 % interval. */
  readonly confidence?: number;
  /** How many resamples; 2,000 settle a 95 % interval to about a twentieth of its width. */
  readonly resamples?: number;
}

/** What of each sample is compared. */
export type Statistic = 'median' | 'mean';

const statistics: Readonly<Record<Statistic, (samples: readonly number[]) => number>> = {
  median: (samples) => median([...samples]),
  mean,
};

/**
 * The ratio of a statistic of two independent samples with its BCa interval: the bootstrap's percentiles, corrected for bias and
 * for skewness (Efron, JASA 1987; Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 14; acceleration from
 * the jackknife over both samples).
 *
 * @param numerator - independent, positive
 * @param denominator - independent, positive
 * @param statistic - what is compared
 * @param options - seed, confidence, resamples
 * @returns undefined with fewer than two samples on either side
 */
export function bootstrapRatio(
  numerator: readonly number[],
  denominator: readonly number[],
  statistic: Statistic,
  options: BootstrapOptions,
): Estimate | undefined {
  const of = statistics[statistic];
  return bca([numerator, denominator], ([a, b]) => Math.log(of(a!) / of(b!)), options);
}

/**
 * The geometric mean of the rounds' ratios with its BCa interval.
 *
 * @param ratios - one of each round, positive
 * @param options - seed, confidence, resamples
 * @returns undefined with fewer than two rounds
 */
export function bootstrapGeometricMean(
  ratios: readonly number[],
  options: BootstrapOptions,
): Estimate | undefined {
  return bca([ratios.map((ratio) => Math.log(ratio))], ([logs]) => mean(logs!), options);
}

/**
 * @param samples - each is resampled by itself
 * @param logarithm - of the figure that is estimated
 */
function bca(
  samples: readonly (readonly number[])[],
  logarithm: (samples: readonly (readonly number[])[]) => number,
  { seed, confidence = 0.95, resamples = 2000 }: BootstrapOptions,
): Estimate | undefined {
  if (samples.some((sample) => sample.length < 2)) return undefined;
  const centre = logarithm(samples);
  const random = seededRandom(seed);
  const drawn = Float64Array.from({ length: resamples }, () =>
    logarithm(samples.map((sample) => sample.map(() => sample[random.integer(sample.length)]!))),
  ).sort();
  // Resamples that hit the estimate itself count half: samples with ties have many.
  let below = 0;
  for (const each of drawn) below += each < centre ? 1 : each === centre ? 0.5 : 0;
  const share = Math.min(1 - 0.5 / resamples, Math.max(0.5 / resamples, below / resamples));
  const bias = normalQuantile(share);
  const acceleration = accelerationOf(samples, logarithm);
  const end = (p: number): number => {
    const z = bias + normalQuantile(p);
    const rest = 1 - acceleration * z;
    const corrected = rest > 0 ? 1 - normalTail(bias + z / rest) : z > 0 ? 1 : 0;
    return drawn[Math.min(resamples - 1, Math.max(0, Math.floor(corrected * (resamples + 1)) - 1))]!;
  };
  const tail = (1 - confidence) / 2;
  return { value: Math.exp(centre), low: Math.exp(end(tail)), high: Math.exp(end(1 - tail)) };
}

/** A sixth of the skewness of the jackknife's influence values; 0 where they do not vary. */
function accelerationOf(
  samples: readonly (readonly number[])[],
  logarithm: (samples: readonly (readonly number[])[]) => number,
): number {
  let [squares, cubes] = [0, 0];
  samples.forEach((sample, index) => {
    const left = sample.map((_, out) => logarithm(samples.with(index, sample.toSpliced(out, 1))));
    const centre = mean(left);
    for (const each of left) {
      const influence = ((sample.length - 1) * (centre - each)) / sample.length;
      squares += influence ** 2;
      cubes += influence ** 3;
    }
  });
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}
