import type { ViTConfig } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { canMerge, scheduleFor, SLOPES, type MergeSchedule } from '../merge-tokens/schedule.js';
import { withMerges } from '../merge-tokens/stage.js';
import { logitsApart, type Apart } from '../observe/logits.js';
import { outputsInParts } from '../observe/in-parts.js';
import { rankedSpeed } from './speed.js';

/** Raised whenever the same amounts would give other logits: recipes share them. */
const LEVELS_VERSION = 5;

/** Shares of the neurons that are tried, from the gentlest on. */
const RATIOS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];

/** How many times fewer multiplications merging is tried for, from the gentlest on. */
const SPEEDS = [1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2];

/** What merging is to give where the ways to spread it over the blocks are compared: one of `SPEEDS`, which is not tried twice then. */
const COMPARED_AT = 1.3;

/** An amount of pruning. */
export interface PruneLevel extends Apart {
  /** Share of all MLP neurons that go. */
  readonly ratio: number;
  readonly widths: readonly number[];
}

/** An amount of queries and keys. */
export interface QueryKeyLevel extends Apart {
  /** Share of the channels of each head that go. */
  readonly ratio: number;
  /** Their width in each head of each block; undefined as in the model. */
  readonly sizes: readonly number[] | undefined;
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
  readonly queryKeys: readonly QueryKeyLevel[];
  readonly merges: readonly MergeLevel[];
}

/** A model with narrower queries and keys. */
export interface NarrowHeads {
  /** Share of the channels of each head that went. */
  readonly ratio: number;
  readonly vit: ViT;
}

/** The models that neurons went from. */
export interface Pruning {
  /** The widths that removing a share of the neurons leaves; undefined where so many cannot go. */
  widthsOf(ratio: number): readonly number[] | undefined;
  narrowed(widths: readonly number[]): Promise<ViT>;
}

const NOTHING: Apart = { error: 0, agreement: 1 };

/** Makes a model, where its logits are not known yet. */
type Make = () => ViT | Promise<ViT>;

/** What a model does to the logits. */
type Compare = (make: Make, name: string, what: string) => Promise<Apart>;

/**
 * Finds what amounts of each kind do to a model's logits, each alone, the gentlest first and none among them; of each kind the first that
 * does too much is the last.
 *
 * @param context - runtime, checkpoints and progress
 * @param vit - the model
 * @param images - that the logits are compared on
 * @param tooMuch - whether an error of the logits is more than any that may be taken has
 * @param pruning - undefined where no neuron can go
 * @param heads - with ever narrower queries and keys; empty where they cannot become narrower
 * @param about - what those models depend on besides this one
 * @param progress - what of the stage's progress this is, from 0 to 1
 */
export async function levelsOf(
  context: StageContext,
  vit: ViT,
  images: Calibration<'check'>,
  tooMuch: (error: number) => boolean,
  pruning: Pruning | undefined,
  heads: readonly NarrowHeads[],
  about: object,
  [from, to]: readonly [from: number, to: number],
): Promise<Levels> {
  const { config } = vit;
  const checkpoints = await context.observations({
    levels: LEVELS_VERSION,
    compared: images.hash,
    ...about,
  });
  const total = RATIOS.length + heads.length + SLOPES.length + SPEEDS.length;
  let walks = 0;
  const known = new Map<string, Float32Array>();
  const logitsOf = async (make: Make, name: string, what: string): Promise<Float32Array> => {
    context.onProgress(from + ((to - from) * walks++) / total, what);
    return outputsInParts(
      context,
      async () => make(),
      images,
      { store: checkpoints, name: `level.${name}` },
      () => undefined,
    );
  };
  const reference = await logitsOf(() => vit, 'none', 'as it is');
  const compare: Compare = async (make, name, what) => {
    const logits = known.get(name) ?? (await logitsOf(make, name, what));
    known.set(name, logits);
    return logitsApart(logits, reference, config.labels.length);
  };

  const prunes = pruning ? await pruneLevels(config, pruning, tooMuch, compare) : [];
  walks = 1 + RATIOS.length;
  const queryKeys: QueryKeyLevel[] = [];
  for (const { ratio, vit: narrow } of heads) {
    if (tooMuch(queryKeys.at(-1)?.error ?? 0)) break;
    const what = `${percent(ratio)} of the queries' and keys' channels removed`;
    const apart = await compare(() => narrow, `query-keys.${ratio}`, what);
    queryKeys.push({ ratio, sizes: narrow.config.queryKeySizes, ...apart });
  }
  walks = 1 + RATIOS.length + heads.length;
  const merges = canMerge(config) ? await mergeLevels(vit, tooMuch, compare) : [];
  return {
    prunes: [{ ratio: 0, widths: config.mlpSizes, ...NOTHING }, ...prunes],
    queryKeys: [{ ratio: 0, sizes: config.queryKeySizes, ...NOTHING }, ...queryKeys],
    merges: [{ speed: 1, merges: config.mlpSizes.map(() => 0), ...NOTHING }, ...merges],
  };
}

async function pruneLevels(
  config: ViTConfig,
  pruning: Pruning,
  tooMuch: (error: number) => boolean,
  compare: Compare,
): Promise<PruneLevel[]> {
  const levels: PruneLevel[] = [];
  for (const ratio of RATIOS) {
    const widths = pruning.widthsOf(ratio);
    const before = levels.at(-1);
    if (widths === undefined || tooMuch(before?.error ?? 0)) break;
    if ((before?.widths ?? config.mlpSizes).join() === widths.join()) continue;
    const what = `${percent(ratio)} of the neurons removed`;
    levels.push({
      ...{ ratio, widths },
      ...(await compare(() => pruning.narrowed(widths), `prune.${ratio}`, what)),
    });
  }
  return levels;
}

async function mergeLevels(
  vit: ViT,
  tooMuch: (error: number) => boolean,
  compare: Compare,
): Promise<MergeLevel[]> {
  const { config } = vit;
  const slope = await bestSlope(vit, compare);
  const levels: MergeLevel[] = [];
  for (const speed of slope === undefined ? [] : SPEEDS) {
    const schedule = scheduleFor(config, slope ?? 0, speed);
    const before = levels.at(-1);
    if (schedule === undefined || tooMuch(before?.error ?? 0)) break;
    // So little that merging takes longer than it saves.
    if (rankedSpeed(config, { ...config, merges: schedule }) <= 1) continue;
    if (before?.merges.join() === schedule.join()) continue;
    const what = `merged to ${speed}×`;
    levels.push({
      ...{ speed, merges: schedule },
      ...(await compare(() => withMerges(vit, schedule), nameOf(schedule), what)),
    });
  }
  return levels;
}

/** How to spread merges over the blocks; undefined where there are too few tokens to merge. */
async function bestSlope(vit: ViT, compare: Compare): Promise<number | undefined> {
  let best: (MergeSchedule & Apart) | undefined;
  for (const slope of SLOPES) {
    const merges = scheduleFor(vit.config, slope, COMPARED_AT);
    if (merges === undefined) continue;
    const found = await compare(() => withMerges(vit, merges), nameOf(merges), `schedule of slope ${slope}`);
    if (best === undefined || found.error < best.error) best = { slope, merges, ...found };
  }
  return best?.slope;
}

/** Tells a schedule from others. */
function nameOf(merges: readonly number[]): string {
  return `merge.${merges.join('-')}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
