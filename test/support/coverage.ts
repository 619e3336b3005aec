import { seededRandom, type Random } from '../../src/base/random.js';
import { changePoints } from '../../src/stats/change-points.js';
import { driftOf } from '../../src/stats/drift.js';
import { tailOverRounds } from '../../src/stats/tail.js';
import { geometricMean } from '../../src/stats/geometric.js';
import { holm } from '../../src/stats/holm.js';
import type { Estimate } from '../../src/stats/interval.js';
import { enoughQueries, loadOutcome, poissonArrivals } from '../../src/stats/load.js';
import { mannWhitney } from '../../src/stats/mann-whitney.js';
import { mcnemar, pairedDifference } from '../../src/stats/mcnemar.js';
import { medianEstimate } from '../../src/stats/median.js';
import { quantileEstimate } from '../../src/stats/quantile.js';
import { nextRate, rateBracket, type TriedRate } from '../../src/stats/rate-search.js';
import { pairedRatio, unpairedRatio } from '../../src/stats/ratio.js';
import { creep } from '../../src/stats/trend.js';
import { wilson } from '../../src/stats/wilson.js';
import { autoregressive, bimodal, gamma, logNormal, normal, type Distribution } from './distributions.js';
import { highestLoad } from './queue.js';
import { covers, draw } from './simulate.js';

/** What one simulated case came to. */
interface Outcome {
  /** Whether the interval covered the truth; undefined for what has no interval. */
  readonly covered?: boolean;
  /** The interval's width. */
  readonly width?: number;
  /** Whether the test raised an alarm although nothing differs; undefined for what has no test. */
  readonly alarm?: boolean;
}

/** What is claimed of the coverage of a 95 % interval. */
type Claim =
  /** 93 … 97 %. */
  | 'exact'
  /** 93 % or more: careful by construction. */
  | 'careful'
  /** Nothing: the estimator is not made for this, and the table shows why. */
  | 'none';

/** An estimator in a world of which the truth is known. */
export interface CoverageCase {
  readonly estimator: string;
  readonly distribution: string;
  /** Samples, rounds or images, in words. */
  readonly size: string;
  readonly claim: Claim;
  /** The level of the test. */
  readonly alpha: number;
  /** Whether it takes so long that the tests simulate fewer cases. */
  readonly slow?: boolean;
  readonly simulate: (random: Random) => Outcome;
}

/** Shares over many simulated cases. */
export interface CoverageResult {
  readonly coverage: number | undefined;
  readonly width: number | undefined;
  readonly alarms: number | undefined;
}

/**
 * Simulates a case many times.
 *
 * @param it - the case
 * @param repeats - how many times
 * @param seed - determines them all
 */
export function simulate(it: CoverageCase, repeats: number, seed: number): CoverageResult {
  const random = seededRandom(seed);
  let [covered, width, alarms] = [0, 0, 0];
  let last: Outcome = {};
  for (let i = 0; i < repeats; i++) {
    last = it.simulate(random);
    covered += Number(last.covered ?? 0);
    width += last.width ?? 0;
    alarms += Number(last.alarm ?? 0);
  }
  return {
    coverage: last.covered === undefined ? undefined : covered / repeats,
    width: last.width === undefined ? undefined : width / repeats,
    alarms: last.alarm === undefined ? undefined : alarms / repeats,
  };
}

function interval(estimate: Estimate, truth: number): Outcome {
  return { covered: covers(estimate, truth), width: estimate.high - estimate.low };
}

const independent = [normal, logNormal, gamma, bimodal];

/** Rounds of a run: what slows a round slows both variants; each process has a speed of its own; samples scatter. */
function* rounds(
  count: number,
  samples: number,
  of: Distribution,
  random: Random,
  process = 0.01,
): Generator<[number[], number[]]> {
  for (let round = 0; round < count; round++) {
    const common = Math.exp(0.05 * random.normal());
    const one = (): number[] => {
      const own = common * Math.exp(process * random.normal());
      const next = of.stream(random);
      return draw(samples, () => own * next());
    };
    yield [one(), one()];
  }
}

const quantiles: CoverageCase[] = [...independent, autoregressive(0.5)].flatMap((of) =>
  [10, 64, 1000].flatMap((n): CoverageCase[] => {
    const common = {
      distribution: of.name,
      size: `${n} samples`,
      claim: of.name.startsWith('AR') ? ('none' as const) : ('careful' as const),
      alpha: 0.05,
      slow: n === 1000,
    };
    const sample = (random: Random): number[] => draw(n, of.stream(random));
    return [
      {
        ...common,
        estimator: 'median, order statistics',
        simulate: (random) => interval(medianEstimate(sample(random)), of.median),
      },
      {
        ...common,
        // Ten samples hold no upper end of the ninth tenth; the estimate says so in its `coverage`.
        claim: n < 60 ? ('none' as const) : common.claim,
        estimator: 'p90, order statistics',
        simulate: (random) => interval(quantileEstimate(sample(random), 0.9), of.p90),
      },
    ];
  }),
);

/** The pooled samples of several processes are not independent: here the order statistics know too little. */
const pooled: CoverageCase = {
  estimator: 'median, order statistics of pooled rounds',
  distribution: '5 processes that differ by 1 %',
  size: '5 × 200 samples',
  claim: 'none',
  alpha: 0.05,
  simulate: (random) =>
    interval(
      medianEstimate(
        draw(5, () => Math.exp(0.01 * random.normal())).flatMap((own) =>
          draw(200, normal.stream(random)).map((each) => own * each),
        ),
      ),
      1,
    ),
};

const paired: CoverageCase[] = [...independent, autoregressive(0.5)].flatMap((of) =>
  [2, 3, 5, 10, 30].map((count): CoverageCase => ({
    estimator: 'ratio of rounds, Student',
    distribution: `${of.name}, random rounds and processes`,
    size: `${count} rounds × 40`,
    claim: 'exact',
    alpha: 0.05,
    slow: count === 30,
    simulate: (random) => {
      const all = [...rounds(count, 40, of, random)];
      const estimate = pairedRatio(
        new Map(all.map(([a], round) => [round, a])),
        new Map(all.map(([, b], round) => [round, b])),
      )!;
      return { ...interval(estimate, 1), alarm: estimate.p <= 0.05 };
    },
  })),
);

const tails: CoverageCase[] = [normal, logNormal, bimodal].flatMap((of) =>
  (
    [
      [5, 200],
      [10, 200],
      [30, 200],
      [10, 40],
      [30, 40],
    ] as const
  ).map(([count, samples]): CoverageCase => ({
    estimator: 'p90 over rounds, Student',
    distribution: `${of.name}, random processes`,
    size: `${count} rounds × ${samples}`,
    // What is left of the bias of few samples shows when many rounds make the interval narrow.
    claim: samples < 200 && count > 10 ? 'none' : 'exact',
    alpha: 0.05,
    slow: true,
    simulate: (random) => {
      const processes = Array.from({ length: count }, () => {
        const own = Math.exp(0.03 * random.normal());
        return draw(samples, of.stream(random)).map((each) => own * each);
      });
      return interval(tailOverRounds(processes, 0.9)!, of.p90);
    },
  })),
);

const unpaired: CoverageCase[] = [normal, logNormal, bimodal].flatMap((of) =>
  (
    [
      [2, 2],
      [3, 3],
      [5, 5],
      [10, 10],
      [3, 10],
    ] as const
  ).map(([m, n]): CoverageCase => ({
    estimator: 'ratio of two runs, Welch',
    distribution: `${of.name}, random processes`,
    size: `${m} and ${n} rounds × 40`,
    // Satterthwaite's degrees of freedom are an approximation: a careful one for two or three rounds, not so where one run has
    // three and the other many.
    claim: m !== n ? 'none' : m < 5 ? 'careful' : 'exact',
    alpha: 0.05,
    simulate: (random) => {
      const a = [...rounds(m, 40, of, random)].map(([first]) => first);
      const b = [...rounds(n, 40, of, random, 0.03)].map(([first]) => first);
      const estimate = unpairedRatio(a, b)!;
      return { ...interval(estimate, 1), alarm: estimate.p <= 0.05 };
    },
  })),
);

const proportions: CoverageCase[] = [0.5, 0.85, 0.99].flatMap((p) =>
  [50, 200, 1000, 10_000].map((n): CoverageCase => ({
    estimator: 'accuracy, Wilson',
    distribution: `${100 * p} % right`,
    size: `${n} images`,
    // Where a single image more or less decides, coverage leaps by several points; it is right in the mean over p.
    claim: n * (1 - p) < 5 ? 'none' : 'exact',
    alpha: 0.05,
    slow: n > 1000,
    simulate: (random) => {
      let right = 0;
      for (let i = 0; i < n; i++) right += Number(random.uniform() < p);
      return interval(wilson(right, n), p);
    },
  })),
);

const pairs: CoverageCase[] = (
  [
    [0.025, 0.025],
    [0.05, 0.02],
    [0.2, 0.2],
  ] as const
).flatMap(([first, second]) =>
  [50, 200, 1000, 10_000].map((n): CoverageCase => ({
    estimator: 'accuracy of two, Tango and McNemar',
    distribution: `${100 * first} % and ${100 * second} % only one right`,
    size: `${n} images`,
    claim: n * (first + second) < 10 ? 'careful' : 'exact',
    alpha: 0.05,
    slow: n > 1000,
    simulate: (random) => {
      let [onlyFirst, onlySecond] = [0, 0];
      for (let i = 0; i < n; i++) {
        const u = random.uniform();
        if (u < first) onlyFirst += 1;
        else if (u < first + second) onlySecond += 1;
      }
      const outcomes = { onlyFirst, onlySecond };
      const outcome = interval(pairedDifference(outcomes, n), 100 * (first - second));
      return first === second ? { ...outcome, alarm: mcnemar(outcomes) <= 0.05 } : outcome;
    },
  })),
);

const ranks: CoverageCase[] = [normal, logNormal, bimodal].flatMap((of) =>
  [4, 10, 11, 30].map((n): CoverageCase => ({
    estimator: 'Mann–Whitney',
    distribution: of.name,
    size: `${n} and ${n} samples`,
    claim: 'careful',
    alpha: 0.05,
    simulate: (random) => {
      const next = of.stream(random);
      return { alarm: mannWhitney(draw(n, next), draw(n, next)) <= 0.05 };
    },
  })),
);

const family: CoverageCase = {
  estimator: 'Holm, any alarm among 12 cells',
  distribution: 'ratios of 5 rounds against one baseline',
  size: '12 cells',
  claim: 'careful',
  alpha: 0.05,
  simulate: (random) => {
    // The cells share their baseline, so that their tests depend on each other.
    const one = (): Map<number, number[]> =>
      new Map(draw(5, () => Math.exp(0.01 * random.normal())).map((each, round) => [round, [each]]));
    const baseline = one();
    const ps = draw(12, () => pairedRatio(one(), baseline)!.p);
    return { alarm: holm(ps).some((p) => p <= 0.05) };
  },
};

const drifts: CoverageCase[] = [normal, logNormal, bimodal, autoregressive(0.5), autoregressive(0.8)].flatMap(
  (of) =>
    [20, 64, 200, 1000].map((n): CoverageCase => ({
      estimator: 'drift, Mann–Kendall of blocks',
      distribution: of.name,
      size: `${n} samples`,
      claim: of.name === 'AR(1) 0.8' ? 'none' : 'careful',
      alpha: 0.05,
      slow: n === 1000,
      simulate: (random) => ({ alarm: driftOf(draw(n, of.stream(random))).p <= 0.05 }),
    })),
);

const histories: CoverageCase[] = [normal, logNormal, autoregressive(0.5)].flatMap((of) =>
  [8, 20, 60].flatMap((n): CoverageCase[] => {
    const history = (random: Random): { value: number; error: number }[] =>
      draw(n, of.stream(random)).map((value) => ({ value, error: 0.1 * value }));
    const common = { distribution: of.name, size: `${n} commits`, alpha: 0.05, slow: n > 20 };
    return [
      {
        ...common,
        claim: 'careful',
        estimator: 'history, change points',
        simulate: (random) => ({ alarm: changePoints(history(random)).length > 1 }),
      },
      {
        ...common,
        claim: of.name.startsWith('AR') ? 'none' : 'careful',
        estimator: 'history, creep',
        simulate: (random) => ({ alarm: creep(history(random), 0) !== undefined }),
      },
    ];
  }),
);

/**
 * The highest rate that holds of a server that takes the same time for each query, against what the theory of queues says: in trials of as
 * many queries as the bound needs, and of 200, in which a long queue has no time to build up.
 */
const rates: CoverageCase[] = [3, 6, 10].flatMap((bound) =>
  [enoughQueries(bound, 1), 200].map((queries): CoverageCase => ({
    estimator: 'highest rate, Student',
    distribution: `M/D/1, p99 within ${bound} service times`,
    size: `5 rounds × ${queries} queries`,
    claim: queries === 200 ? 'none' : 'careful',
    alpha: 0.05,
    slow: true,
    simulate: (random) => {
      const found = draw(5, () => highestRateOf(poissonArrivals(queries, random), bound));
      return interval(geometricMean(found), highestLoad(bound));
    },
  })),
);

/** Searches the highest rate of a server whose service takes a millisecond, as the agent does: what it found, in queries a service time. */
function highestRateOf(arrivals: readonly number[], bound: number): number {
  const tried: TriedRate[] = [];
  const first = 0.5;
  for (let rate: number | undefined = first; rate !== undefined; rate = nextRate(tried, first)) {
    const current = rate;
    const scheduled = arrivals.map((arrival) => arrival / current);
    const started: number[] = [];
    let free = 0;
    for (const arrival of scheduled) {
      const start = Math.max(arrival, free);
      started.push(start);
      free = start + 1;
    }
    const ended = started.map((start) => start + 1);
    const load = { ...{ scheduled, started, ended }, rate: 1000 * current, planned: arrivals.length };
    tried.push({ rate: current, outcome: loadOutcome(load, bound) });
  }
  return rateBracket(tried).held!;
}

const ofLatencies = [...quantiles, pooled, ...paired, ...tails, ...unpaired];
const ofTheRest = [...proportions, ...pairs, ...ranks, family, ...drifts, ...histories, ...rates];

/** Seeds of cases that are gone: the others keep theirs, and with them the rows of the table in docs/. */
const RETIRED_SEEDS = 19;

/** Every estimator in every world that it is tried in. */
export const coverageCases: readonly (CoverageCase & { readonly seed: number })[] = [
  ...ofLatencies.map((each, index) => ({ ...each, seed: index + 1 })),
  ...ofTheRest.map((each, index) => ({ ...each, seed: ofLatencies.length + RETIRED_SEEDS + index + 1 })),
];
