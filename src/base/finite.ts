/**
 * Where the first number stands that is infinite or not a number.
 *
 * @param values - weights, activations, …
 * @returns its position; −1 where all are finite
 */
export function firstNotFinite(values: Float32Array): number {
  // 0 · x is 0 for all finite x and NaN otherwise: a loop without a call for each number, since every weight passes here at each reading.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i]!;
  return sum === 0 ? -1 : values.findIndex((value) => !Number.isFinite(value));
}
