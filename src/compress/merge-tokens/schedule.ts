import { InputError } from '../../base/errors.js';
import {
  attentionWidth,
  fc1Parts,
  layerCount,
  mostMerges,
  patchCount,
  patchValues,
  prefixTokens,
  queryKeyWidth,
  readsAllTokens,
  tokenCount,
  tokensAt,
  tokensRead,
  type ViTConfig,
} from '../../vit/config.js';
import { EVERY, type MergeTokensOptions } from './options.js';

/** How merges are spread over the blocks, from twice the mean in the first block (−1) to twice the mean in the last (1). */
export const SLOPES = [-1, -0.5, 0, 0.5, 1] as const;

/** A schedule that is searched merges at most this share of the tokens that reach a block: of so many proposals the last ones are bad. */
const MOST_AT_ONCE = 1 / 3;

/** Which blocks merge, and how much at most. */
interface Limits {
  /** 2 merges in every second block alone, twice as many as every block would. */
  readonly every: number;
  /** Share of the tokens that reach a block; half of the patches is the most in any case. */
  readonly atOnce: number;
}

const EVERYWHERE: Limits = { every: 1, atOnce: 1 };

/** A schedule that meets a budget. */
export interface MergeSchedule {
  /** −1 merges most in the first blocks, 1 in the last, 0 the same in all. */
  readonly slope: number;
  /** One number for each block. */
  readonly merges: readonly number[];
}

/**
 * Multiplications that a model needs for one image, in the products alone: embedding, linears, and attention's scores and
 * mixing; of the last block only keys and values are computed for tokens that the head does not read. What speed-ups are
 * predicted from; how long a multiplication takes differs between products and between devices.
 *
 * @param config - the architecture
 */
export function multiplications(config: ViTConfig): number {
  const { hiddenSize, mlpSizes } = config;
  let sum = patchCount(config) * patchValues(config) * hiddenSize;
  for (const [layer, mlp] of mlpSizes.entries()) {
    const before = tokensAt(config, layer);
    const last = layer === mlpSizes.length - 1 && !readsAllTokens(config);
    const asking = last ? tokensRead(config) : before;
    const after = last ? asking : tokensAt(config, layer + 1);
    const widths = queryKeyWidth(config, layer) + attentionWidth(config);
    sum += (before + asking) * hiddenSize * widths + asking * before * widths;
    sum += (1 + fc1Parts(config)) * after * hiddenSize * mlp;
  }
  return sum;
}

/** Whether a model's tokens can be merged: not where attention depends on how far two patches are apart. */
export function canMerge({ relativePositions = false, rotary }: ViTConfig): boolean {
  return !relativePositions && rotary === undefined;
}

/**
 * The schedules that the options allow: one that they name, or several that meet the budget.
 *
 * @param config - the architecture, unmerged
 * @param options - of the stage
 * @throws InputError when the model's tokens cannot be merged, a list does not fit it, or no schedule meets the budget
 */
export function candidatesFor(
  config: ViTConfig,
  { r, schedule, budget }: MergeTokensOptions,
): MergeSchedule[] {
  if (!canMerge(config))
    throw new InputError({
      source: 'recipe',
      place: 'merge-tokens',
      found: `a model with ${config.rotary === undefined ? 'relative' : 'rotary'} positions: it knows how far two patches are apart, which no merged token is`,
      expected: 'a model whose positions are added to its tokens',
    });
  if (budget !== undefined)
    return SLOPES.map((slope) => {
      const merges = scheduleFor(config, slope, budget.speed, budget.every);
      if (merges === undefined) throw unreachable(budget.speed, mostSpeed(config, slope, EVERYWHERE));
      return { slope, merges };
    });
  if (Array.isArray(r)) {
    checkList(config, r);
    return [{ slope: 0, merges: r }];
  }
  const slope = schedule === 'constant' ? 0 : -1;
  // The schema lets exactly one of r and budget through.
  return [{ slope, merges: spread(config, slope, r as number, EVERYWHERE) }];
}

/**
 * Merges of a mean number for each block, a block that has no more to give merging all it can; the last merges none, since
 * behind its attention only what the head reads is computed, or a mean taken.
 *
 * @param config - the architecture
 * @param slope - how they are spread
 * @param mean - merges of a block, on average
 * @param limits - which blocks merge, and how much at most
 */
function spread(config: ViTConfig, slope: number, mean: number, { every, atOnce }: Limits): number[] {
  const layers = layerCount(config);
  let tokens = tokenCount(config);
  return Array.from({ length: layers }, (_, layer) => {
    if (layer === layers - 1 || layer % every !== every - 1) return 0;
    const place = (2 * layer) / (layers - 1) - 1;
    const share = Math.floor(every * mean * (1 + slope * place));
    const merges = Math.min(mostMerges(tokens, prefixTokens(config)), Math.floor(atOnce * tokens), share);
    tokens -= merges;
    return merges;
  });
}

/**
 * The gentlest schedule that makes multiplications so many times fewer: in every second block or so, at most a third of the tokens at once,
 * or, where that is not enough, in every one.
 *
 * @param config - the architecture, unmerged
 * @param slope - how merges are spread, one of `SLOPES`
 * @param speed - how many times fewer
 * @param every - 2 for every second block
 * @returns how many tokens each block merges; undefined where merging everything is not enough
 */
export function scheduleFor(
  config: ViTConfig,
  slope: number,
  speed: number,
  every: number = EVERY,
): number[] | undefined {
  const apart = gentlest(config, slope, speed, { every, atOnce: MOST_AT_ONCE });
  return apart ?? gentlest(config, slope, speed, EVERYWHERE);
}

function gentlest(config: ViTConfig, slope: number, speed: number, limits: Limits): number[] | undefined {
  if (mostSpeed(config, slope, limits) < speed) return undefined;
  const before = multiplications(config);
  let [low, high] = [0, tokenCount(config)];
  // Merges are whole numbers for each block, so that a tenth of one on average is fine enough.
  while (high - low > 0.1) {
    const middle = (low + high) / 2;
    if (before / multiplications({ ...config, merges: spread(config, slope, middle, limits) }) < speed)
      low = middle;
    else high = middle;
  }
  return spread(config, slope, high, limits);
}

/** How many times fewer multiplications the most that a slope can merge within the limits gives. */
function mostSpeed(config: ViTConfig, slope: number, limits: Limits): number {
  const merges = spread(config, slope, tokenCount(config), limits);
  return multiplications(config) / multiplications({ ...config, merges });
}

function checkList(config: ViTConfig, merges: readonly number[]): void {
  const layers = layerCount(config);
  if (merges.length !== layers)
    throw new InputError({
      source: 'recipe',
      place: 'merge-tokens.r',
      found: `${merges.length} numbers`,
      expected: `one number, or ${layers}: one for each block`,
    });
  for (const [layer, count] of merges.entries()) {
    const most = mostMerges(tokensAt({ ...config, merges }, layer), prefixTokens(config));
    if (count > most)
      throw new InputError({
        source: 'recipe',
        place: `merge-tokens.r.${layer}`,
        found: String(count),
        expected: `at most ${most}, half of the patches that reach block ${layer}`,
      });
  }
}

function unreachable(speed: number, most: number): InputError {
  return new InputError({
    source: 'recipe',
    place: 'merge-tokens.budget.speed',
    found: String(speed),
    expected: `at most ${(Math.floor(most * 100) / 100).toFixed(2)}, what merging everything gives`,
  });
}
