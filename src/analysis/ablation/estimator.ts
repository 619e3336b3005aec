import { mean } from 'simple-statistics';
import { defined } from '../../base/defined.js';
import type { DesignPoint } from '../../base/design.js';
import { pairedContrast, sharesContrast, unpairedContrast } from '../../stats/contrast.js';
import type { Estimate } from '../../stats/interval.js';
import { dot } from '../../stats/least-squares.js';
import { commonRounds, type AblationMetric, type Response } from './responses.js';

/** What the interval of an effect is of. */
export type Replicates =
  /** Rounds; paired: each round has one observation of an effect, in which what slows a whole round down cancels. */
  | { readonly kind: 'rounds'; readonly rounds: number; readonly paired: boolean }
  /** With `images`, effects on which all seeds agree have an interval over these: seeds that agree by chance say nothing of its width. */
  | { readonly kind: 'seeds'; readonly seeds: number; readonly images?: number }
  | { readonly kind: 'images'; readonly images: number }
  /** Nothing is left to chance. */
  | { readonly kind: 'exact' };

/** A weighted sum of responses: of logarithms, or of shares of right answers. */
export interface Contrast extends Estimate {
  /** Undefined where nothing is left to chance, and where there is one round alone: then there is no interval either. */
  readonly p: number | undefined;
}

/** Estimates weighted sums of the responses of a design's points. */
export interface Estimator {
  readonly replicates: Replicates;
  /** @param weights - of each point */
  estimate(weights: readonly number[]): Contrast;
}

/** Estimates weighted sums by the images that all variants classified. */
interface ByImages extends Estimator {
  readonly replicates: Extract<Replicates, { readonly kind: 'images' }>;
}

/** A point that was measured. */
export interface MeasuredPoint {
  readonly point: DesignPoint;
  readonly response: Response;
}

/**
 * How weighted sums of the responses of some points are estimated. Latency and memory: by the rounds, seeds averaged; paired, where at
 * least half of the rounds have all points. Accuracy: by the seeds where there are several and they do not all agree, else by the images.
 * Several points of one variant are one thing: their weights are added.
 *
 * @param measured - points of one kind of response
 * @param seed - index of the factor whose levels are seeds; -1 for none
 * @param metric - of the responses
 */
export function estimatorOf(
  measured: readonly MeasuredPoint[],
  seed: number,
  metric: AblationMetric,
): Estimator {
  const recipes = [...new Set(measured.map(({ point }) => point.recipe))];
  const responses = recipes.map((recipe) =>
    defined(measured.find(({ point }) => point.recipe === recipe)?.response, recipe),
  );
  const merged = (weights: readonly number[]): number[] =>
    recipes.map((recipe) =>
      measured.reduce((sum, { point }, at) => sum + (point.recipe === recipe ? (weights[at] ?? 0) : 0), 0),
    );
  const rounds = responses.filter((each) => each.kind === 'rounds');
  if (rounds.length === responses.length) return byRounds(rounds, merged, metric);
  const images = byImages(responses, merged);
  const estimator = bySeeds(measured, seed, images) ?? images;
  if (estimator) return estimator;
  const values = responses.map(levelOf);
  return { replicates: { kind: 'exact' }, estimate: (weights) => alone(dot(merged(weights), values)) };
}

/** The typical figure of a response: a mean of logarithms, or the share of right answers. */
export function levelOf(response: Response): number {
  switch (response.kind) {
    case 'rounds':
      return mean([...response.values.values()]);
    case 'images':
      return mean([...response.right]);
    case 'exact':
      return response.value;
  }
}

function byRounds(
  responses: readonly Extract<Response, { kind: 'rounds' }>[],
  merged: (weights: readonly number[]) => number[],
  metric: AblationMetric,
): Estimator {
  const common = commonRounds(responses, metric);
  const most = Math.max(...responses.map(({ values }) => values.size));
  if (common.length >= 2 && common.length * 2 >= most) {
    const blocks = common.map((round) => responses.map(({ values }) => values.get(round) ?? NaN));
    return {
      replicates: { kind: 'rounds', rounds: common.length, paired: true },
      estimate: (weights) => defined(pairedContrast(merged(weights), blocks), 'a contrast of rounds'),
    };
  }
  const samples = responses.map(({ values }) => [...values.values()]);
  const levels = responses.map(levelOf);
  return {
    replicates: { kind: 'rounds', rounds: Math.min(...samples.map(({ length }) => length)), paired: false },
    estimate: (weights) => {
      const own = merged(weights);
      return unpairedContrast(own, samples) ?? alone(dot(own, levels));
    },
  };
}

/** Undefined where the variants have not all classified the same images. */
function byImages(
  responses: readonly Response[],
  merged: (weights: readonly number[]) => number[],
): ByImages | undefined {
  const images = responses.flatMap((each) => (each.kind === 'images' ? [each.right] : []));
  if (images.length < responses.length || new Set(images.map(({ length }) => length)).size !== 1)
    return undefined;
  return {
    replicates: { kind: 'images', images: images[0]?.length ?? 0 },
    estimate: (weights) => sharesContrast(merged(weights), images),
  };
}

/**
 * Undefined where there is one seed alone, or not the same points with each.
 *
 * @param images - estimates what all seeds agree on, where there are images
 */
function bySeeds(
  measured: readonly MeasuredPoint[],
  seed: number,
  images: ByImages | undefined,
): Estimator | undefined {
  const seeds = [...new Set(measured.map(({ point }) => point.levels[seed]))];
  if (seed < 0 || seeds.length < 2) return undefined;
  const keyOf = ({ levels }: DesignPoint): string => levels.toSpliced(seed, 1).join(' ');
  const keys = [...new Set(measured.map(({ point }) => keyOf(point)))];
  if (measured.length !== seeds.length * keys.length) return undefined;
  const at = new Map(
    measured.map((each) => [`${each.point.levels[seed] ?? ''}: ${keyOf(each.point)}`, each]),
  );
  const blocks = seeds.map((level) =>
    keys.map((key) => levelOf(defined(at.get(`${level ?? ''}: ${key}`), 'a point').response)),
  );
  return {
    replicates: {
      ...{ kind: 'seeds', seeds: seeds.length },
      ...(images && { images: images.replicates.images }),
    },
    estimate: (weights) => {
      const own = keys.map((key) =>
        measured.reduce(
          (sum, { point }, index) => sum + (keyOf(point) === key ? (weights[index] ?? 0) : 0),
          0,
        ),
      );
      const contrast = defined(pairedContrast(own, blocks), 'a contrast of seeds');
      return images && contrast.low === contrast.high ? images.estimate(weights) : contrast;
    },
  };
}

/** A value without an interval. */
function alone(value: number): Contrast {
  return { value, low: value, high: value, p: undefined };
}
