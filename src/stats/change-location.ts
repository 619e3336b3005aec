/**
 * How likely each place of a series is where its mean changed, if it changed once: Bayes' theorem for independent normal values of known variances,
 * with the same prior for every place and flat ones for both means (Smith, "A Bayesian approach to inference about a change-point
 * in a sequence of random variables", Biometrika 62, 1975, section 3, with variances of their own).
 *
 * @param values - at least two, in order; of ratios the logarithms
 * @param variances - of each value, above 0
 * @returns for each place the probability that it is the first one at the new mean; their sum is 1, and the first has none
 * @throws RangeError for fewer than two values
 */
export function changeLocation(values: readonly number[], variances: readonly number[]): number[] {
  if (values.length < 2) throw new RangeError('a series of one value has no place to change at');
  const weights = values.map((_, index) => 1 / (variances[index] ?? NaN));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  // About their mean, so that squares of large values do not swallow what differs.
  const mean = values.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0) / all;
  const total = values.reduce((sum, value, index) => sum + (value - mean) * (weights[index] ?? 0), 0);
  const logs = [-Infinity];
  let [weight, sum] = [0, 0];
  for (const [index, value] of values.slice(0, -1).entries()) {
    weight += weights[index] ?? 0;
    sum += (value - mean) * (weights[index] ?? 0);
    const [rest, restSum] = [all - weight, total - sum];
    // The sum of all squares is the same wherever it changed.
    logs.push((sum ** 2 / weight + restSum ** 2 / rest - Math.log(weight) - Math.log(rest)) / 2);
  }
  const highest = Math.max(...logs);
  const likelihoods = logs.map((log) => Math.exp(log - highest));
  const whole = likelihoods.reduce((one, other) => one + other, 0);
  return likelihoods.map((likelihood) => likelihood / whole);
}

/** Neighbouring places, and how likely one of them is it. */
export interface LikelyRange {
  readonly from: number;
  readonly to: number;
  readonly probability: number;
}

/**
 * The places about one of them that are together likely enough: from it on, the likelier neighbour is added.
 *
 * @param probabilities - whose sum is 1
 * @param centre - index of the place to begin with
 * @param confidence - such as 0.95
 */
export function likelyRange(
  probabilities: readonly number[],
  centre: number,
  confidence: number,
): LikelyRange {
  let [from, to, probability] = [centre, centre, probabilities[centre] ?? 0];
  while (probability < confidence && (from > 0 || to < probabilities.length - 1)) {
    const [before, after] = [probabilities[from - 1] ?? -1, probabilities[to + 1] ?? -1];
    probability += Math.max(before, after);
    if (before >= after) from--;
    else to++;
  }
  return { from, to, probability: Math.min(1, probability) };
}
