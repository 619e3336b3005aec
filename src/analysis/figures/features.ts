import { canonicalJson } from '../../base/hash.js';
import type { Estimate } from '../../stats/interval.js';
import { meanEstimate } from '../../stats/mean.js';
import { featureScoringSchema, type FeatureScoring } from '../../store/feature-scoring.js';
import type { StoredCell } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';

/** What the embeddings of a variant without a head are like on a device. */
export interface FeatureFigures {
  /** How its test images got their classes. */
  readonly scoring: FeatureScoring;
  /** How they lie to fp32's on the same device; undefined for fp32 itself. */
  readonly cosine: CosineFigures | undefined;
}

/** Cosines of the embeddings of the same images, of a variant and of fp32. */
export interface CosineFigures {
  /** Their mean, with Student's 95 % interval over the images. */
  readonly mean: Estimate;
  /** Of the image that moved the most. */
  readonly least: number;
}

/**
 * How a variant is scored that has no head.
 *
 * @param variant - of a run
 * @returns undefined for one that has a head
 */
export function featureScoringOf({
  features_json,
}: Pick<VariantRow, 'features_json'>): FeatureScoring | undefined {
  return features_json === null ? undefined : featureScoringSchema.parse(JSON.parse(features_json));
}

/**
 * Whether two variants get their classes in the same way: both by a head, or both by as many neighbours among as many training images,
 * however many were asked for.
 *
 * @param one - of a run
 * @param other - of the same run or another
 */
export function scoredAlike(
  one: Pick<VariantRow, 'features_json'>,
  other: Pick<VariantRow, 'features_json'>,
): boolean {
  const [a, b] = [one, other].map((variant) => {
    const scoring = featureScoringOf(variant);
    return scoring && canonicalJson({ ...scoring, asked: undefined });
  });
  return a === b;
}

/**
 * What a cell of accuracy says of embeddings.
 *
 * @param cell - a done cell of accuracy
 * @returns undefined for a variant with a head
 */
export function featuresOf({ variant, cosines }: StoredCell): FeatureFigures | undefined {
  const scoring = featureScoringOf(variant);
  if (scoring === undefined) return undefined;
  if (cosines === undefined) return { scoring, cosine: undefined };
  const least = cosines.reduce((smallest, each) => Math.min(smallest, each), 1);
  return { scoring, cosine: { mean: meanEstimate(cosines), least } };
}
