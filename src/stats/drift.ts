import { median, sampleCorrelation } from 'simple-statistics';
import { mannKendall } from './mann-kendall.js';
import { ranksOf } from './ranks.js';
import { theilSen } from './theil-sen.js';

/** How samples changed from the first to the last. */
export interface Drift {
  /** The change over the whole sequence, as a share of the median: 0.02 for 2 % slower at the end. */
  readonly share: number;
  /** The two-sided probability of so steady a change without any drift. */
  readonly p: number;
}

/** Blocks of fewer samples are still too much alike to their neighbours. */
const SHORTEST_BLOCK = 4;
/** Of four blocks even perfect order is no finding at 0.05. */
const FEWEST_BLOCKS = 5;
/** More would cost more and find hardly more. */
const MOST_BLOCKS = 40;

/**
 * Looks for drift in samples that came one after the other, as latencies do while a processor heats up. The samples are cut into
 * 5 … 40 blocks; the Theil–Sen slope of the blocks' medians is the drift, and the Mann–Kendall test on them says whether it
 * is one. Neighbouring latencies are alike, which the test must not take for a trend: its variance is inflated by what
 * an autoregressive process with the samples' own lag-1 correlation leaves between blocks (Hamed & Rao, 1998).
 *
 * @param samples - of one process, in the order they came
 * @returns p is 1 with fewer than 20 samples: too few to tell
 */
export function driftOf(samples: readonly number[]): Drift {
  const n = samples.length;
  const count = Math.min(MOST_BLOCKS, Math.floor(n / SHORTEST_BLOCK));
  if (count < FEWEST_BLOCKS) {
    const share = n < 2 ? 0 : (theilSen(samples) * (n - 1)) / median([...samples]);
    return { share, p: 1 };
  }
  const blocks = Array.from({ length: count }, (_, block) =>
    median(samples.slice(Math.round((block * n) / count), Math.round(((block + 1) * n) / count))),
  );
  const length = n / count;
  const slope = theilSen(blocks) / length;
  const level = samples.map((sample, index) => sample - slope * index);
  return {
    share: (slope * (n - 1)) / median([...samples]),
    p: mannKendall(blocks, inflationOf(lagOne(level), length, count)),
  };
}

/** Correlation of each sample's rank with the next one's, freed of its bias towards less (Kendall, Biometrika 1954). */
function lagOne(samples: readonly number[]): number {
  const ranks = ranksOf(samples);
  if (ranks.every((rank) => rank === ranks[0])) return 0;
  const own = sampleCorrelation(ranks.slice(0, -1), ranks.slice(1));
  return Math.min(0.99, own + (1 + 3 * own) / samples.length);
}

/**
 * By how much the variance of Kendall's score of block means of an AR(1) process exceeds that of independent ones.
 *
 * @param correlation - of neighbouring samples
 * @param length - samples in a block
 * @param count - blocks
 */
function inflationOf(correlation: number, length: number, count: number): number {
  if (!(correlation > 0)) return 1;
  const rest = 1 - correlation ** length;
  let between = (correlation * rest ** 2) / (length * (1 - correlation ** 2) - 2 * correlation * rest);
  let sum = 0;
  for (let lag = 1; lag < count - 2; lag++) {
    sum += (count - lag) * (count - lag - 1) * (count - lag - 2) * between;
    between *= correlation ** length;
  }
  return 1 + (2 * sum) / (count * (count - 1) * (count - 2));
}
