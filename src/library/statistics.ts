/**
 * The estimators and tests that EdgeFlex decides by, as pure functions of arrays: `import { wilson } from 'edgeflex/statistics'`.
 * Nothing here needs Node: browsers may import it, too.
 *
 * @example
 * ```ts
 * import { mcnemar, pairedOutcomes, wilson } from 'edgeflex/statistics';
 *
 * wilson(812, 1000); // { value: 0.812, low: 0.787, high: 0.835 }
 * ```
 *
 * @module
 */
export { minimumDetectableEffect, roundsNeeded } from '../stats/detectable.js';
export { geometricMean } from '../stats/geometric.js';
export { holm } from '../stats/holm.js';
export type { Estimate } from '../stats/interval.js';
export { mannWhitney } from '../stats/mann-whitney.js';
export { mcnemar, pairedDifference, pairedOutcomes, type PairedOutcomes } from '../stats/mcnemar.js';
export { medianEstimate } from '../stats/median.js';
export { quantileEstimate, type QuantileEstimate } from '../stats/quantile.js';
export { pairedRatio, unpairedRatio, type RatioEstimate } from '../stats/ratio.js';
export { wilson } from '../stats/wilson.js';
