import type { Design } from '../../base/design.js';
import { MOST_PLAYERS, shapleyWeights } from '../../stats/shapley.js';
import { levelOf, type Contrast, type Estimator, type MeasuredPoint } from './estimator.js';
import type { TermPart } from './terms.js';

/** What each factor gives of the difference between all at their first level and all at their last. */
export interface Attribution {
  /** All factors at their first level, and at their last: a logarithm, or a share of right answers. */
  readonly from: number;
  readonly to: number;
  readonly total: Contrast;
  /** Shapley's values; they sum to the total. */
  readonly parts: readonly { readonly part: TermPart; readonly value: Contrast }[];
}

/**
 * Attributes the difference between all factors at their first level and all at their last to the factors: what each one adds, averaged
 * over all orders in which they may be added (Shapley, 1953). It is exact: every subset was measured.
 *
 * @param design - of the run; seeds take no part
 * @param measured - its points
 * @param estimator - of their responses
 * @returns undefined with fewer than two factors, more than `MOST_PLAYERS`, or where a subset was not measured
 */
export function attributionOf(
  { factors }: Design,
  measured: readonly MeasuredPoint[],
  estimator: Estimator,
): Attribution | undefined {
  const players = [...factors.keys()].filter((index) => factors[index]?.kind !== 'seed');
  if (players.length < 2 || players.length > MOST_PLAYERS) return undefined;
  // Which subset a point stands for; undefined for one with a factor at a level between.
  const coalitions = measured.map(({ point }) => {
    let coalition: number | undefined = 0;
    for (const [bit, player] of players.entries()) {
      const [level, last] = [point.levels[player] ?? 0, (factors[player]?.levels.length ?? 1) - 1];
      if (level !== 0 && level !== last) coalition = undefined;
      else if (coalition !== undefined && level === last) coalition |= 1 << bit;
    }
    return coalition;
  });
  const all = 2 ** players.length;
  const counts = Array.from(
    { length: all },
    (_, coalition) => coalitions.filter((each) => each === coalition).length,
  );
  if (counts.includes(0)) return undefined;
  /** Each subset's weight, divided among its points. */
  const onPoints = (weights: readonly number[]): number[] =>
    coalitions.map((coalition) =>
      coalition === undefined ? 0 : (weights[coalition] ?? 0) / (counts[coalition] ?? 1),
    );
  const only = (coalition: number): number[] =>
    Array.from({ length: all }, (_, each) => Number(each === coalition));
  const typical = (coalition: number): number =>
    onPoints(only(coalition)).reduce((sum, weight, at) => {
      const point = measured[at];
      return weight === 0 || point === undefined ? sum : sum + weight * levelOf(point.response);
    }, 0);
  const total = only(all - 1);
  total[0] = -1;
  return {
    ...{ from: typical(0), to: typical(all - 1), total: estimator.estimate(onPoints(total)) },
    parts: shapleyWeights(players.length).flatMap((weights, bit) => {
      const factor = factors[players[bit] ?? -1];
      const [reference, level] = [factor?.levels[0], factor?.levels.at(-1)];
      if (factor === undefined || reference === undefined || level === undefined) return [];
      return [
        { part: { factor: factor.name, level, reference }, value: estimator.estimate(onPoints(weights)) },
      ];
    }),
  };
}
