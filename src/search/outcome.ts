import type { RootFailure } from '../protocol/failure.js';
import type { LossKind } from '../compress/loss.js';
import type { Recipe } from '../compress/recipe.js';
import type { Artifact } from '../run/artifacts/artifact.js';
import type { Estimate } from '../stats/interval.js';
import type { PredictedRecipe } from './predicted-recipes.js';
import type { Cost, DeviceModel } from './device-model.js';
import type { JudgedLoss } from './judged-loss.js';
import type { Figures, GoalCheck, Measured } from './target-check.js';
import type { Levels } from './levels.js';
import type { Settings } from './settings.js';
import type { Target } from './target.js';

/** A recipe that was made and measured. */
export interface Tried extends PredictedRecipe {
  readonly recipe: Recipe;
  readonly artifact: Artifact;
  readonly measured: Measured;
  /** How many times as fast as fp32. */
  readonly speed: Estimate;
  /** Peak as a share of fp32's. */
  readonly peakShare: Estimate;
  /** Speed and share applied to what fp32 takes undisturbed. */
  readonly figures: Figures;
  /** One for each goal of the target. */
  readonly checks: readonly GoalCheck[];
  /** From the target; 0 when it is met. */
  readonly distance: number;
  /** Whether nothing else that was measured, fp32 included, is at least as good in time, memory and (expected) loss, and better in one. */
  readonly onFront: boolean;
}

/** A recipe that was made and not measured, since other kernels ran than it stands for. */
export interface LeftOut {
  readonly settings: Settings;
  readonly failure: RootFailure;
}

/** What a search found out on its way, told as soon as it is known. */
export type Finding =
  /** How well the device is understood: what the model takes as it was trained, and the fit to so many models. */
  | { readonly kind: 'fit'; readonly fp32: Cost; readonly device: DeviceModel; readonly models: number }
  /** What one position of a knob loses alone. */
  | { readonly kind: 'level'; readonly settings: Settings; readonly loss: JudgedLoss }
  | { readonly kind: 'tried'; readonly tried: Omit<Tried, 'onFront'> }
  | { readonly kind: 'left-out'; readonly leftOut: LeftOut };

/** Why a search measured nothing more. */
export type End =
  /** All was measured that was meant to be. */
  | { readonly kind: 'done' }
  /** Nothing that could be made promised more. */
  | { readonly kind: 'nothing-promising' }
  /** The time that was left was too short for a further candidate. */
  | { readonly kind: 'out-of-time' }
  /** Somebody stopped it. */
  | { readonly kind: 'stopped' }
  /** The device failed, or the machine has run out of something. */
  | { readonly kind: 'failed'; readonly message: string };

/** What a search found. */
export interface SearchOutcome {
  /** What the best was chosen by. */
  readonly target: Target;
  /** Whether nobody named that target, and the whole front was looked for. */
  readonly explored: boolean;
  readonly end: End;
  readonly lossKind: LossKind;
  /** Held-out training images that recipes were judged on. */
  readonly images: number;
  /** How many could have been classified in the time for judging: more than `images` where no more are held out. */
  readonly affordableImages: number;
  /** Share of them that the model as it was trained classifies rightly; undefined for weights from a seed. */
  readonly accuracy: number | undefined;
  /** What the model takes as it was trained. */
  readonly fp32: Cost;
  readonly device: DeviceModel;
  /** What each position of each knob costs alone. */
  readonly levels: Levels;
  /** All that was predicted, with what was learned from what was measured. */
  readonly predictedRecipes: readonly PredictedRecipe[];
  /** The best first. */
  readonly tried: readonly [Tried, ...Tried[]];
  readonly leftOut: readonly LeftOut[];
  /** Whether the best meets every goal. */
  readonly met: boolean;
}
