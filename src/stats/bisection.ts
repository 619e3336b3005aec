/** Something was found out about one place of a sequence that turns from good to bad at one place. */
export interface BisectionTest {
  /** Of the place, counted from 0. */
  readonly index: number;
  /** How likely the place is bad, by this test alone, if nothing else were known. */
  readonly bad: number;
}

/** A test may be wrong for reasons that no interval knows: none counts as surer than this. */
const LEAST_DOUBT = 0.01;

/**
 * How likely each place of a sequence is the first bad one, by Bayes' theorem: all are equally likely before anything is tested, and a test
 * that finds place j bad with probability b makes every first bad place up to j b / (1 − b) times as likely as those behind it.
 *
 * This is the posterior of the probabilistic bisection algorithm (Horstein, "Sequential transmission using noiseless feedback", IEEE
 * Trans. Inf. Theory 9, 1963; Waeber, Frazier & Henderson, "Bisection search with noisy responses", SIAM J. Control Optim. 51,
 * 2013, eq. 2), in which a response has a probability of its own to be right.
 *
 * @param count - places, at least one, of which the last is known to be bad
 * @param tests - in any order; a place may be tested more than once
 * @returns one probability for each place; their sum is 1
 */
export function firstBad(count: number, tests: readonly BisectionTest[]): number[] {
  const logs = new Array<number>(count).fill(0);
  for (const { index, bad } of tests) {
    const sure = Math.min(1 - LEAST_DOUBT, Math.max(LEAST_DOUBT, bad));
    for (let place = 0; place < count; place++)
      logs[place] = (logs[place] ?? 0) + Math.log(place <= index ? sure : 1 - sure);
  }
  const highest = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - highest));
  const sum = weights.reduce((all, each) => all + each, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * The place to test next: the one nearest to the posterior's median, which tells most (Waeber, Frazier & Henderson, 2013, section 2).
 *
 * @param probabilities - of `firstBad`
 * @param isTestable - whether a place can be tested
 * @returns undefined where no test would tell anything
 */
export function nextToTest(
  probabilities: readonly number[],
  isTestable: (index: number) => boolean,
): number | undefined {
  let best: { readonly index: number; readonly distance: number } | undefined;
  let upTo = 0;
  // Of the last it is known that it is bad.
  for (const [index, probability] of probabilities.slice(0, -1).entries()) {
    upTo += probability;
    const distance = Math.abs(upTo - 0.5);
    if (isTestable(index) && distance < (best?.distance ?? 0.5)) best = { index, distance };
  }
  return best?.index;
}

/** Places that no test can tell apart, the last of which can be tested. */
export interface BisectionRange {
  readonly from: number;
  readonly to: number;
  /** How likely the first bad place is one of them. */
  readonly probability: number;
}

/**
 * Where the first bad place is most likely: a single place, or a range of which all but the last cannot be tested.
 *
 * @param probabilities - of `firstBad`
 * @param isTestable - whether a place can be tested
 */
export function likeliest(
  probabilities: readonly number[],
  isTestable: (index: number) => boolean,
): BisectionRange {
  let best: BisectionRange = { from: 0, to: 0, probability: -1 };
  let [from, probability] = [0, 0];
  for (const [index, own] of probabilities.entries()) {
    probability += own;
    if (index < probabilities.length - 1 && !isTestable(index)) continue;
    if (probability > best.probability) best = { from, to: index, probability };
    [from, probability] = [index + 1, 0];
  }
  return best;
}
