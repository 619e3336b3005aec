import type { Random } from '../../src/base/random.js';
import { exponential } from './simulate.js';

/** A distribution of latencies, of which the truth is known. */
export interface Distribution {
  readonly name: string;
  readonly median: number;
  readonly mean: number;
  /** Nine in ten are no larger. */
  readonly p90: number;
  /** One after the other: neighbours may be alike. */
  readonly stream: (random: Random) => () => number;
}

const gammaMedian = 1.6783469900166612;

/** Bell-shaped, 5 % wide. */
export const normal: Distribution = {
  name: 'normal',
  median: 1,
  mean: 1,
  p90: 1 + 0.05 * 1.2815515655446004,
  stream: (random) => () => 1 + 0.05 * random.normal(),
};

/** With a heavy tail: one in forty is more than 2.6 times the median. */
export const logNormal: Distribution = {
  name: 'log-normal',
  median: 1,
  mean: Math.exp(0.125),
  p90: Math.exp(0.5 * 1.2815515655446004),
  stream: (random) => () => Math.exp(0.5 * random.normal()),
};

/** Gamma of shape 2. */
export const gamma: Distribution = {
  name: 'gamma',
  median: 1,
  mean: 2 / gammaMedian,
  p90: 3.8897201698674291 / gammaMedian,
  stream: (random) => () => (exponential(random) + exponential(random)) / gammaMedian,
};

/** A fast and a slow mode, as of a core that is sometimes shared. */
export const bimodal: Distribution = {
  name: 'two modes',
  // 0.8 Φ((x − 1) / 0.02) = 0.5.
  median: 1 + 0.02 * 0.31863936396437514,
  mean: 1.1,
  p90: 1.5,
  stream: (random) => () => (random.uniform() < 0.8 ? 1 : 1.5) + 0.02 * random.normal(),
};

/** Neighbours correlate by φ; 5 % wide. */
export function autoregressive(correlation: number): Distribution {
  return {
    ...normal,
    name: `AR(1) ${correlation}`,
    stream: (random) => {
      let state = random.normal();
      const fresh = Math.sqrt(1 - correlation ** 2);
      return () => {
        state = correlation * state + fresh * random.normal();
        return 1 + 0.05 * state;
      };
    },
  };
}
