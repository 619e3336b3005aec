import { InputError } from '../base/errors.js';
import { reportOf } from '../compress/pipeline.js';
import { fp32, type Recipe } from '../compress/recipe.js';
import { EVERY } from '../compress/merge-tokens/options.js';
import { stepOf } from '../compress/stage.js';
import { mergeTokensStage } from '../compress/stages/merge-tokens.js';
import { pruneStage } from '../compress/stages/prune.js';
import { quantizeStage } from '../compress/stages/quantize.js';
import type { Artifact } from '../run/artifacts/artifact.js';
import { lossEstimate, type JudgedLoss } from './judged-loss.js';
import { recipeOf, untouched, type Settings } from './settings.js';

/** Shares of MLP neurons that are tried. */
const RATIOS = [0.1, 0.2, 0.33, 0.5, 0.65];

/** How many times fewer multiplications merging tokens is tried for. */
const MERGE_SPEEDS = [1.15, 1.3, 1.5, 1.75, 2];

/** Shares of the linears that are kept float, those that INT8 hurts most. */
const KEPT_SHARES = [0, 1 / 12, 1 / 4];

/** One position of one knob, and what it costs alone. */
export interface Level {
  /** The one setting that differs from the model as it was trained; for the knob's rest position none. */
  readonly settings: Partial<Settings>;
  /** Undefined at rest. */
  readonly loss: JudgedLoss | undefined;
}

/** The positions of each knob, the rest position first. */
export interface Levels {
  readonly prune: readonly Level[];
  readonly merge: readonly Level[];
  readonly quantize: readonly Level[];
}

/** What finding levels needs. */
export interface LevelFinder {
  /** Makes the artifact of a recipe. */
  make(recipe: Recipe): Promise<Artifact>;
  /** What an artifact loses on held-out images. */
  lossOf(artifact: Artifact): Promise<JudgedLoss>;
  /** Told what a level loses. */
  readonly onLevel: (settings: Partial<Settings>, loss: JudgedLoss) => void;
  /** A loss beyond which a knob is not turned any further, in points. */
  readonly tooMuch: number;
  /** Told which level is being tried, and how far the whole is, from 0 to 1. */
  readonly onProgress: (done: number, what: string) => void;
  /** Whether there is no time for further levels. */
  readonly isOver: () => boolean;
}

const rest: Level = { settings: {}, loss: undefined };

/** A knob: its positions, from the gentlest on. */
interface Knob<Position> {
  readonly positions: readonly Position[];
  /** What a position is, for the progress. */
  readonly what: (position: Position) => string;
  /** Makes the artifact of a position. */
  readonly turn: (position: Position) => Promise<{ artifact: Artifact; settings: Partial<Settings> }>;
  /** Whether a loss of more than `tooMuch` ends it: further positions lose more still. */
  readonly climbs: boolean;
}

/**
 * Tries each knob alone, from the gentlest position on, until what it loses is too much, the model cannot take more or the time is over. The
 * knobs are turned in turn, so that something is known of each even where there is little time.
 *
 * @param finder - makes and judges artifacts
 */
export async function findLevels(finder: LevelFinder): Promise<Levels> {
  const all = RATIOS.length + MERGE_SPEEDS.length + KEPT_SHARES.length;
  let tried = 0;
  const turned = <Position>(knob: Knob<Position>): Turning =>
    turning(finder, knob, (what) => {
      finder.onProgress(tried++ / all, what);
    });
  const quantize = turned(quantizeKnob(finder));
  const prune = turned(pruneKnob(finder));
  const merge = turned(mergeKnob(finder));
  let open: readonly Turning[] = [quantize, prune, merge];
  while (open.length > 0) {
    const going: Turning[] = [];
    for (const knob of open) if (!(tried > 0 && finder.isOver()) && (await knob.further())) going.push(knob);
    open = going;
  }
  return { prune: prune.levels, merge: merge.levels, quantize: quantize.levels };
}

/** A knob that is being turned. */
interface Turning {
  /** What was found so far, the rest position first. */
  readonly levels: readonly Level[];
  /** Tries the next position; false where there is none, or none that makes sense. */
  further(): Promise<boolean>;
}

function turning<Position>(
  finder: LevelFinder,
  { positions, what, turn, climbs }: Knob<Position>,
  onPosition: (what: string) => void,
): Turning {
  const levels = [rest];
  const left = positions.values();
  return {
    levels,
    async further() {
      const next = left.next();
      if (next.done) return false;
      onPosition(what(next.value));
      let made;
      try {
        made = await turn(next.value);
      } catch (error) {
        // A small model has not so much to give; what it can give was tried before.
        if (climbs && error instanceof InputError) return false;
        throw error;
      }
      const loss = await finder.lossOf(made.artifact);
      finder.onLevel(made.settings, loss);
      levels.push({ settings: made.settings, loss });
      return !climbs || lossEstimate(loss).value <= finder.tooMuch;
    },
  };
}

function pruneKnob(finder: LevelFinder): Knob<number> {
  return {
    positions: RATIOS,
    climbs: true,
    what: (ratio) => `what pruning ${Math.round(100 * ratio)} % loses`,
    async turn(ratio) {
      const recipe = recipeOf(`prune-${ratio}`, '', { ...untouched, prune: { ratio, widths: [] } });
      const artifact = await finder.make(recipe);
      const { blocks } = reportOf(pruneStage, artifact.stages);
      return { artifact, settings: { prune: { ratio, widths: blocks.map(({ after }) => after) } } };
    },
  };
}

function mergeKnob(finder: LevelFinder): Knob<number> {
  return {
    positions: MERGE_SPEEDS,
    climbs: true,
    what: (speed) => `what merging tokens for ${speed}× loses`,
    async turn(speed) {
      const steps = [stepOf(mergeTokensStage, { budget: { speed, every: EVERY } })];
      const artifact = await finder.make({ ...fp32, name: `merge-${speed}`, steps });
      const [taken] = reportOf(mergeTokensStage, artifact.stages).schedules;
      return { artifact, settings: { merges: taken?.merges } };
    },
  };
}

/** INT8, and ever more linears float: each position loses less than the one before. */
function quantizeKnob(finder: LevelFinder): Knob<number> {
  let worstFirst: string[] = [];
  const kept = (share: number): string[] => worstFirst.slice(0, Math.ceil(share * worstFirst.length));
  return {
    positions: KEPT_SHARES,
    climbs: false,
    what: (share) => `what INT8 loses with ${kept(share).length} linears float`,
    async turn(share) {
      const keep = kept(share);
      const artifact = await finder.make(recipeOf(`int8-${keep.length}`, '', { ...untouched, keep }));
      if (worstFirst.length === 0)
        worstFirst = [...reportOf(quantizeStage, artifact.stages).linears]
          .sort((a, b) => decibels(a) - decibels(b) || 0)
          .map(({ linear }) => linear);
      return { artifact, settings: { keep } };
    },
  };
}

/** How clean a linear's output stays; a stored report has no infinity. */
function decibels({ sqnr = Infinity }: { readonly sqnr?: number | undefined }): number {
  return sqnr;
}
