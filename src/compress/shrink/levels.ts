import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { canMerge, scheduleFor, SLOPES, type MergeSchedule } from '../merge-tokens/schedule.js';
import { withMerges } from '../merge-tokens/stage.js';
import { logitsApart, type Apart } from '../observe/logits.js';
import { openModel } from '../observe/opened.js';

/** Raised whenever the same amounts would give other logits: recipes share them. */
const LEVELS_VERSION = 4;

/** Shares of the neurons that are tried, from the gentlest on. */
const RATIOS = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];

/** How many times fewer multiplications merging is tried for, from the gentlest on. */
const SPEEDS = [1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.75, 2];

/** What merging is to give where the ways to spread it over the blocks are compared. */
const COMPARED_AT = 1.25;

/** An amount that changes so many times what may be lost, or this share of the images, is the last that is tried. */
const TOO_MUCH = { times: 4, share: 0.05 } as const;

/** An amount of pruning. */
export interface PruneLevel extends Apart {
  /** Share of all MLP neurons that go. */
  readonly ratio: number;
  readonly widths: readonly number[];
}

/** An amount of merging. */
export interface MergeLevel extends Apart {
  /** How many times fewer multiplications it gives alone. */
  readonly speed: number;
  /** How many tokens each block merges. */
  readonly merges: readonly number[];
}

/** What amounts of pruning and of merging do to the logits, each alone. */
export interface Levels {
  readonly prunes: readonly PruneLevel[];
  readonly merges: readonly MergeLevel[];
}

const NOTHING: Apart = { error: 0, agreement: 1 };

/** Makes a model, where its logits are not known yet. */
type Make = () => ViT | Promise<ViT>;

/**
 * Finds what amounts of pruning and of merging do to a model's logits, each alone, the gentlest first and none among them; no more are
 * tried of one that changes too many images.
 *
 * @param context - runtime, checkpoints and progress
 * @param vit - the model
 * @param images - that the logits are compared on
 * @param points - percentage points that may be lost
 * @param pruning - the widths that remove a share of the neurons, and the model that has them; undefined where nothing can be pruned
 * @param progress - what of the stage's progress this is, from 0 to 1
 */
export async function levelsOf(
  context: StageContext,
  vit: ViT,
  images: Calibration<'check'>,
  points: number,
  pruning:
    | {
        /** What the widths and their models depend on. */
        readonly about: object;
        widthsOf(ratio: number): readonly number[] | undefined;
        narrowed(widths: readonly number[]): Promise<ViT>;
      }
    | undefined,
  [from, to]: readonly [from: number, to: number],
): Promise<Levels> {
  const { config } = vit;
  const about = { levels: LEVELS_VERSION, compared: images.hash, pruning: pruning?.about };
  const checkpoints = await context.observations(about);
  const total = 1 + RATIOS.length + SLOPES.length + SPEEDS.length;
  let walks = 0;
  const logitsOf = async (make: Make, name: string, what: string): Promise<Float32Array> => {
    context.onProgress(from + ((to - from) * walks++) / total, what);
    const kept = await checkpoints.take<{ logits: Float32Array; seconds: number }>(`level.${name}`);
    if (kept !== undefined) {
      context.workedBefore(kept.value.seconds);
      return kept.value.logits;
    }
    const started = performance.now();
    const opened = await openModel(context, await make());
    const logits = await opened.logits(images).finally(() => opened.close());
    const value = { logits, seconds: (performance.now() - started) / 1000 };
    await checkpoints.put(`level.${name}`, { value, tensors: new Map() });
    return logits;
  };
  const reference = await logitsOf(() => vit, 'none', 'as it is');
  const apart = async (make: Make, name: string, what: string): Promise<Apart> =>
    logitsApart(await logitsOf(make, name, what), reference, config.labels.length);
  const enough = 1 - Math.max(TOO_MUCH.share, (TOO_MUCH.times * points) / 100);

  const prunes: PruneLevel[] = [{ ratio: 0, widths: config.mlpSizes, ...NOTHING }];
  for (const ratio of pruning ? RATIOS : []) {
    const widths = pruning?.widthsOf(ratio);
    const before = prunes.at(-1);
    if (pruning === undefined || widths === undefined || (before && before.agreement < enough)) break;
    if (before?.widths.join() === widths.join()) continue;
    const what = `${(100 * ratio).toFixed(0)} % of the neurons removed`;
    prunes.push({ ratio, widths, ...(await apart(() => pruning.narrowed(widths), `prune.${ratio}`, what)) });
  }

  const merges: MergeLevel[] = [{ speed: 1, merges: config.mlpSizes.map(() => 0), ...NOTHING }];
  walks = 1 + RATIOS.length;
  const slope = canMerge(config) ? await bestSlope(vit, apart) : undefined;
  for (const speed of slope === undefined ? [] : SPEEDS) {
    const schedule = scheduleFor(config, slope ?? 0, speed);
    const before = merges.at(-1);
    if (schedule === undefined || (before && before.agreement < enough)) break;
    if (before?.merges.join() === schedule.join()) continue;
    const what = `merged to ${speed}×`;
    merges.push({
      ...{ speed, merges: schedule },
      ...(await apart(() => withMerges(vit, schedule), `merge.${speed}`, what)),
    });
  }
  return { prunes, merges };
}

/** How to spread merges over the blocks; undefined where there are too few tokens to merge. */
async function bestSlope(
  vit: ViT,
  apart: (make: Make, name: string, what: string) => Promise<Apart>,
): Promise<number | undefined> {
  let best: (MergeSchedule & Apart) | undefined;
  for (const slope of SLOPES) {
    const merges = scheduleFor(vit.config, slope, COMPARED_AT);
    if (merges === undefined) continue;
    const found = await apart(() => withMerges(vit, merges), `slope.${slope}`, `schedule of slope ${slope}`);
    if (best === undefined || found.error < best.error) best = { slope, merges, ...found };
  }
  return best?.slope;
}
