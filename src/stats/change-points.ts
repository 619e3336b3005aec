import { WeightedMedian } from './weighted-median.js';

/** One measurement of a history. */
export interface HistoryPoint {
  /** Above 0. */
  readonly value: number;
  /** Half the width of its interval, in the unit of the value; 0 where the value has no noise. */
  readonly error: number;
}

/** A stretch of a history over which nothing changed. */
export interface Segment {
  /** Index of its first point. */
  readonly from: number;
  /** Index of its last point. */
  readonly to: number;
  /** Its level: the weighted median of its points. */
  readonly level: number;
  /** Uncertainty of the level, as half the width of an interval, in the unit of the values. */
  readonly error: number;
}

/** How a history is cut. */
export interface ChangePointOptions {
  /** Fewer points than this are no segment of their own, but at the end of the history, where more may follow. */
  readonly shortest?: number;
}

/** Points are not believed to be surer than this share of themselves, and a fit not to be closer. */
const FLOOR = 0.001;

/** By so little, as a share, sums of the same costs may differ that were taken in another order. */
const ROUNDING = 1e-9;

/**
 * Cuts a history where its level changed: the piecewise constant fit to the logarithms of its values, with the weights
 * w = 1 / relative error, scaled to the mean 1, that minimises Σ w |y − μ| for each number of segments k (dynamic programming),
 * and of all k the one that minimises β k + ln(0.001 + Σ w |y − μ|), β = 4 ln n / n. A blip of fewer than `shortest` points is
 * not a segment.
 *
 * Fit and β are those by which asv finds the steps of a benchmark's history. asv searches k through a penalty; here every k is
 * tried. asv also frees the residuals of their correlation with the one before; that takes much of a step for correlated noise
 * (a step of five standard deviations amid thirty points is found in two of three histories instead of all), and without it there
 * are still false alarms in less than 5 % of histories whose neighbours correlate by 0.5.
 *
 * @param series - in the order of commits; the work grows with the square of its length times the number of segments that are worth trying
 * @param options - the shortest segment, 2 points unless said otherwise
 * @returns the segments in order, that cover the series; one where nothing changed, none of no points. The last may be a single
 *   point: what is new has had no time to stay
 * @throws RangeError for a value that is not above 0
 */
export function changePoints(
  series: readonly HistoryPoint[],
  { shortest = 2 }: ChangePointOptions = {},
): Segment[] {
  const n = series.length;
  if (n === 0) return [];
  const wrong = series.find(({ value }) => !(value > 0));
  if (wrong) throw new RangeError(`a history of positive values has ${wrong.value}`);
  const y = series.map(({ value }) => Math.log(value));
  const relative = series.map(({ value, error }) => Math.max(FLOOR, error / value));
  const inverse = relative.map((error) => 1 / error);
  const meanWeight = inverse.reduce((sum, each) => sum + each, 0) / n;
  const weights = inverse.map((each) => each / meanWeight);
  const fits = segmentFits(y, weights);
  let best: { cut: Cut; criterion: number } | undefined;
  const criterionOf = (segments: number, cost: number): number =>
    ((4 * Math.log(n)) / n) * segments + Math.log(FLOOR + cost);
  const leastCost = costOfAnyCut(fits, n, shortest) * (1 - ROUNDING);
  for (const cut of cheapestCuts(fits, n, shortest)) {
    const criterion = criterionOf(cut.bounds.length, cut.cost);
    if (best === undefined || criterion < best.criterion) best = { cut, criterion };
    // More segments can fit no better than any number of them does.
    if (criterionOf(cut.bounds.length + 1, leastCost) >= best.criterion) break;
  }
  return best!.cut.bounds.map(([from, to]) => {
    const level = fits.level(from, to);
    const count = to - from + 1;
    let [scatter, stated] = [0, 0];
    for (let i = from; i <= to; i++) {
      scatter += Math.abs(y[i]! - level) / count;
      stated += relative[i]! / count;
    }
    // Points that scatter by d in the mean leave about 2 d √(π/2) √(π/2) / √count = π d / √count to the level at 95 %.
    const error = Math.max(Math.PI * scatter, stated) / Math.sqrt(count);
    return { from, to, level: Math.exp(level), error: Math.exp(level) * error };
  });
}

interface Fits {
  readonly level: (from: number, to: number) => number;
  readonly cost: (from: number, to: number) => number;
}

interface Cut {
  /** First and last point of each segment. */
  readonly bounds: readonly (readonly [number, number])[];
  /** Σ w |y − μ|. */
  readonly cost: number;
}

/** Level and cost of one segment over any stretch. */
function segmentFits(y: readonly number[], weights: readonly number[]): Fits {
  const n = y.length;
  const levels = new Float64Array(n * n);
  const costs = new Float64Array(n * n);
  for (let from = 0; from < n; from++) {
    const points = new WeightedMedian();
    for (let to = from; to < n; to++) {
      points.add(y[to]!, weights[to]!);
      const { level, cost } = points.fit();
      levels[from * n + to] = level;
      costs[from * n + to] = cost;
    }
  }
  return { level: (from, to) => levels[from * n + to]!, cost: (from, to) => costs[from * n + to]! };
}

/** What the cheapest way to cut the series costs, however many segments it has. */
function costOfAnyCut({ cost }: Fits, n: number, shortest: number): number {
  const costs = new Float64Array(n + 1).fill(Infinity);
  costs[0] = 0;
  for (let j = 1; j <= n; j++) {
    const least = j === n ? 1 : shortest;
    for (let i = 0; i <= j - least; i++) costs[j] = Math.min(costs[j]!, costs[i]! + cost(i, j - 1));
  }
  return costs[n]!;
}

/** For each number of segments the cheapest way to cut the series, where there is one. */
function* cheapestCuts({ cost }: Fits, n: number, shortest: number): Generator<Cut> {
  // cheapest[k][j]: the cost of k + 1 segments over the first j points; begins[k][j]: where the last of them begins.
  const cheapest: Float64Array[] = [];
  const begins: Int32Array[] = [];
  for (let k = 0; k < Math.max(1, Math.ceil(n / shortest)); k++) {
    const costs = new Float64Array(n + 1).fill(Infinity);
    const starts = new Int32Array(n + 1);
    for (let j = 1; j <= n; j++) {
      const least = j === n ? 1 : shortest;
      if (k === 0) {
        if (j >= least) costs[j] = cost(0, j - 1);
        continue;
      }
      for (let i = k; i <= j - least; i++) {
        const total = cheapest[k - 1]![i]! + cost(i, j - 1);
        if (total < costs[j]!) [costs[j], starts[j]] = [total, i];
      }
    }
    cheapest.push(costs);
    begins.push(starts);
    if (costs[n] === Infinity) continue;
    const bounds: (readonly [number, number])[] = [];
    for (let [j, segment] = [n, k]; segment >= 0; segment--) {
      const from = begins[segment]![j]!;
      bounds.unshift([from, j - 1]);
      j = from;
    }
    yield { bounds, cost: costs[n]! };
  }
}
