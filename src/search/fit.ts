import { fcnnlsVector } from 'ml-fcnnls';
import { median } from 'simple-statistics';
import { zip } from './zip.js';

/** What was measured of one model: amounts of which the figure is taken to be a sum, and the figure. */
export interface Observation {
  readonly amounts: readonly number[];
  /** Above zero. */
  readonly figure: number;
}

/** A figure as a sum of amounts, each times a coefficient of at least zero. */
export interface FittedModel {
  readonly coefficients: readonly number[];
  /** Errors of predictions of observations that the fit was made without, as shares of what was measured. */
  readonly leaveOneOut: readonly number[];
  /** The typical one: the median of their sizes. */
  readonly typicalError: number;
  /**
   * Predicts the figure of a model.
   *
   * @param amounts - of the model, in the order of those it was fitted to
   */
  predict(amounts: readonly number[]): number;
}

/**
 * Fits a sum of amounts to figures by least squares of the relative errors, with coefficients of at least zero: nothing takes
 * less than no time and no memory (Lawson & Hanson, "Solving Least Squares Problems", chapter 23). How good it is, is told by
 * leaving out each observation in turn.
 *
 * @param observations - at least two
 */
export function fitSum(observations: readonly Observation[]): FittedModel {
  const coefficients = coefficientsOf(observations);
  const leaveOneOut = observations.map(({ amounts, figure }, index) => {
    const others = observations.filter((_, other) => other !== index);
    return sumOf(amounts, coefficientsOf(others)) / figure - 1;
  });
  return {
    coefficients,
    leaveOneOut,
    typicalError: median(leaveOneOut.map(Math.abs)),
    predict: (amounts) => sumOf(amounts, coefficients),
  };
}

function coefficientsOf(observations: readonly Observation[]): number[] {
  const shares = observations.map(({ amounts, figure }) => amounts.map((amount) => amount / figure));
  // Amounts of like size, or rounding would decide: bytes are many, operators few.
  const scales = shares
    .reduce((most, row) => zip(most, row).map((pair) => Math.max(...pair)))
    .map((most) => most || 1);
  const rows = shares.map((row) => zip(row, scales).map(([share, scale]) => share / scale));
  const ones = observations.map(() => 1);
  const solution = fcnnlsVector(rows, ones, {
    gradientTolerance: 1e-9,
    maxIterations: 100 * scales.length,
  }).K.to1DArray();
  return zip(solution, scales).map(([value, scale]) => value / scale);
}

function sumOf(amounts: readonly number[], coefficients: readonly number[]): number {
  return zip(amounts, coefficients).reduce((sum, [amount, coefficient]) => sum + amount * coefficient, 0);
}
