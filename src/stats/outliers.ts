import { mean, median, medianAbsoluteDeviation } from 'simple-statistics';

/** Flagged is what lies further than this from the median, in robust standard deviations. */
const LIMIT = 3.5;

/**
 * Says which samples are outliers, by the modified z-score (Iglewicz & Hoaglin, "How to Detect and Handle Outliers", 1993):
 * |0.6745 (x − median) / MAD| > 3.5, with MAD the median absolute deviation, which is 0.6745 standard deviations of a normal
 * distribution. hyperfine's rule, |x − median| / MAD > 14.826, is the same score with the limit 10. Where more than half of
 * the samples are equal, MAD is 0, and the mean absolute deviation, 0.7979 standard deviations, stands in for it.
 *
 * A flag is a remark. Nothing that EdgeFlex reports is computed without the flagged samples.
 *
 * @param samples - in any order
 * @returns for each whether it is an outlier
 */
export function outlierFlags(samples: readonly number[]): boolean[] {
  if (samples.length === 0) return [];
  const centre = median([...samples]);
  const deviations = samples.map((sample) => Math.abs(sample - centre));
  const spread =
    medianAbsoluteDeviation([...samples]) / 0.6744897501960817 || mean(deviations) / Math.sqrt(2 / Math.PI);
  return deviations.map((deviation) => deviation > LIMIT * spread);
}
