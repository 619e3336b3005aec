import type { Blas } from '../linalg/blas.js';
import { stacked } from '../linalg/stacked.js';
import { scoreOf, type Classifier, type Labelled, type Score } from './classifier.js';
import { logistic, type LogisticFit } from './logistic.js';
import type { HeadKind } from './options.js';
import { ridge } from './ridge.js';

/** A penalty that was tried, and how the head it gives does on images held out. */
export interface TriedPenalty extends Score {
  /** In units of the features' mean variance. */
  readonly lambda: number;
  /** Of the search for the minimum; undefined for a head in closed form. */
  readonly search?: Pick<LogisticFit, 'iterations' | 'gradient' | 'converged'>;
}

/** A head whose penalty was chosen on images held out. */
export interface ChosenHead {
  /** Fitted on all images, those held out included. */
  readonly classifier: Classifier;
  /** The penalty that was best, and how its head did that was fitted without the images held out. */
  readonly best: TriedPenalty;
  /** In the order in which they were tried. */
  readonly tried: readonly TriedPenalty[];
}

/** Half decades from more than the features themselves to next to nothing. */
const RIDGE_LAMBDAS = halfDecades(1, -5);
const LOGISTIC_LAMBDAS = halfDecades(0.5, -6);

/** On a path from strong penalties to weak ones: once this many in a row did worse than the one before, weaker ones do, too. */
const HOPELESS = 3;

/**
 * Fits a head of each penalty of a grid and takes the one that does best on images held out: by squared error for ridge regression, by
 * cross-entropy for logistic regression, which are what they minimise.
 *
 * @param kind - of the head
 * @param known - what to fit
 * @param heldOut - what chooses the penalty
 * @param count - how many classes there are
 * @param blas - does the products
 * @param onPenalty - told of each penalty before it is tried: which, of how many
 * @returns undefined where no search found a minimum
 */
export async function chosenHead(
  kind: HeadKind,
  known: Labelled,
  heldOut: Labelled,
  count: number,
  blas: Blas,
  onPenalty: (index: number, of: number) => void,
): Promise<ChosenHead | undefined> {
  return kind === 'ridge'
    ? chosenRidge(known, heldOut, count, blas, onPenalty)
    : chosenLogistic(known, heldOut, count, blas, onPenalty);
}

async function chosenRidge(
  known: Labelled,
  heldOut: Labelled,
  count: number,
  blas: Blas,
  onPenalty: (index: number, of: number) => void,
): Promise<ChosenHead> {
  const fitted = await ridge(known, count, blas);
  const tried: TriedPenalty[] = [];
  for (const [index, lambda] of RIDGE_LAMBDAS.entries()) {
    onPenalty(index, RIDGE_LAMBDAS.length);
    tried.push({ lambda, ...scoreOf(await fitted(lambda), heldOut) });
  }
  const best = tried.reduce((least, each) => (each.squaredError < least.squaredError ? each : least));
  const all = await ridge(joined(known, heldOut), count, blas);
  return { classifier: await all(best.lambda), best, tried };
}

async function chosenLogistic(
  known: Labelled,
  heldOut: Labelled,
  count: number,
  blas: Blas,
  onPenalty: (index: number, of: number) => void,
): Promise<ChosenHead | undefined> {
  const fitted = await logistic(known, count, blas);
  const tried: TriedPenalty[] = [];
  let best: { readonly tried: TriedPenalty; readonly at: Float64Array } | undefined;
  let [start, worse]: [Float64Array | undefined, number] = [undefined, 0];
  for (const [index, lambda] of LOGISTIC_LAMBDAS.entries()) {
    if (worse === HOPELESS) break;
    onPenalty(index, LOGISTIC_LAMBDAS.length);
    const { classifier, at, iterations, gradient, converged } = await fitted(lambda, start);
    const each = { lambda, ...scoreOf(classifier, heldOut), search: { iterations, gradient, converged } };
    const before = tried.at(-1)?.crossEntropy ?? Infinity;
    worse = each.crossEntropy > before ? worse + 1 : 0;
    tried.push(each);
    start = at;
    if (converged && each.crossEntropy < (best?.tried.crossEntropy ?? Infinity)) best = { tried: each, at };
  }
  if (best === undefined) return undefined;
  const all = await logistic(joined(known, heldOut), count, blas);
  const { classifier, converged } = await all(best.tried.lambda, best.at);
  return converged ? { classifier, best: best.tried, tried } : undefined;
}

/**
 * Powers of ten, half a decade apart: penalties from strong to weak.
 *
 * @param from - exponent of the first
 * @param to - exponent of the last, which is less by a multiple of a half
 */
export function halfDecades(from: number, to: number): readonly number[] {
  return Array.from({ length: 2 * (from - to) + 1 }, (_, index) => 10 ** (from - index / 2));
}

function joined(a: Labelled, b: Labelled): Labelled {
  return {
    features: stacked(a.features, b.features),
    classes: Uint16Array.from([...a.classes, ...b.classes]),
  };
}
