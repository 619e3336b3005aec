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
}

const rest: Level = { settings: {}, loss: undefined };

/**
 * Tries each knob alone, from the gentlest position on, until what it loses is too much or the model cannot take more.
 *
 * @param finder - makes and judges artifacts
 */
export async function findLevels(finder: LevelFinder): Promise<Levels> {
  const all = RATIOS.length + MERGE_SPEEDS.length + KEPT_SHARES.length;
  const said = (index: number, what: string): void => {
    finder.onProgress(index / all, what);
  };

  const prune = await climb(finder, RATIOS, async (ratio, index) => {
    said(index, `what pruning ${Math.round(100 * ratio)} % loses`);
    const recipe = recipeOf(`prune-${ratio}`, '', { ...untouched, prune: { ratio, widths: [] } });
    const artifact = await finder.make(recipe);
    const { blocks } = reportOf(pruneStage, artifact.stages);
    return { artifact, settings: { prune: { ratio, widths: blocks.map(({ after }) => after) } } };
  });

  const merge = await climb(finder, MERGE_SPEEDS, async (speed, index) => {
    said(RATIOS.length + index, `what merging tokens for ${speed}× loses`);
    const steps = [stepOf(mergeTokensStage, { budget: { speed, every: EVERY } })];
    const artifact = await finder.make({ ...fp32, name: `merge-${speed}`, steps });
    const [taken] = reportOf(mergeTokensStage, artifact.stages).schedules;
    return { artifact, settings: { merges: taken?.merges } };
  });

  let worstFirst: string[] = [];
  const quantize: Level[] = [rest];
  for (const [index, share] of KEPT_SHARES.entries()) {
    const keep = worstFirst.slice(0, Math.ceil(share * worstFirst.length));
    said(RATIOS.length + MERGE_SPEEDS.length + index, `what INT8 loses with ${keep.length} linears float`);
    const artifact = await finder.make(recipeOf(`int8-${keep.length}`, '', { ...untouched, keep }));
    const loss = await finder.lossOf(artifact);
    finder.onLevel({ keep }, loss);
    quantize.push({ settings: { keep }, loss });
    if (index === 0)
      worstFirst = [...reportOf(quantizeStage, artifact.stages).linears]
        .sort((a, b) => decibels(a) - decibels(b) || 0)
        .map(({ linear }) => linear);
  }
  return { prune, merge, quantize };
}

/** Tries the positions of one knob in order. */
async function climb<Position>(
  finder: LevelFinder,
  positions: readonly Position[],
  turn: (position: Position, index: number) => Promise<{ artifact: Artifact; settings: Partial<Settings> }>,
): Promise<Level[]> {
  const levels = [rest];
  for (const [index, position] of positions.entries()) {
    let turned;
    try {
      turned = await turn(position, index);
    } catch (error) {
      // A small model has not so much to give; what it can give was tried before.
      if (error instanceof InputError) break;
      throw error;
    }
    const loss = await finder.lossOf(turned.artifact);
    finder.onLevel(turned.settings, loss);
    levels.push({ settings: turned.settings, loss });
    if (lossEstimate(loss).value > finder.tooMuch) break;
  }
  return levels;
}

/** How clean a linear's output stays; a stored report has no infinity. */
function decibels({ sqnr = Infinity }: { readonly sqnr?: number | undefined }): number {
  return sqnr;
}
