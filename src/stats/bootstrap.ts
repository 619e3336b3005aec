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

/** Fewer rounds than this, and the interval of their geometric mean covers less than it says. */
const FEWEST_ROUNDS = 50;

/** What of each sample is compared. */
export type Statistic = 'median' | 'mean';

/** How a statistic is computed, and of how many samples on either side its interval covers as it should. */
const statistics: Readonly<
  Record<Statistic, { of: (samples: readonly number[]) => number; fewest: number }>
> = {
  median: { of: (samples) => median([...samples]), fewest: 5 },
  mean: { of: mean, fewest: 100 },
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
 * @returns undefined with fewer than 5 samples on either side for medians, 100 for means: of 10 samples with two modes the 95 %
 *   interval of means covered in 86 % of simulated cases, of 50 log-normal ones in 93 %
 */
export function bootstrapRatio(
  numerator: readonly number[],
  denominator: readonly number[],
  statistic: Statistic,
  options: BootstrapOptions,
): Estimate | undefined {
  const { of, fewest } = statistics[statistic];
  if (Math.min(numerator.length, denominator.length) < fewest) return undefined;
  return bca([numerator, denominator], ([a, b]) => Math.log(of(a!) / of(b!)), options);
}

/**
 * The geometric mean of the rounds' ratios with its BCa interval. Of few rounds `pairedRatio` is right, which knows of the
 * uncertainty of their spread; the bootstrap does not.
 *
 * @param ratios - one of each round, positive
 * @param options - seed, confidence, resamples
 * @returns undefined with fewer than 50 rounds: of 30 the 95 % interval covered in 93 % of simulated cases
 */
export function bootstrapGeometricMean(
  ratios: readonly number[],
  options: BootstrapOptions,
): Estimate | undefined {
  if (ratios.length < FEWEST_ROUNDS) return undefined;
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
): Estimate {
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
