import { defined } from '../base/defined.js';
import { DeviceError, ResourceError } from '../base/errors.js';
import type { Recipe } from '../compress/recipe.js';
import type { LoadedModel } from '../model/load.js';
import type { Artifact } from '../run/artifacts/artifact.js';
import type { Probed } from '../run/probe.js';
import type { Choose } from './candidates.js';
import type { Clock } from './clock.js';
import type { CostStudy } from './cost-study.js';
import type { Cost } from './device-model.js';
import { turnsOf, type Effort, type SearchContext } from './effort.js';
import { lossEstimate } from './judged-loss.js';
import type { LossJudge } from './loss-judge.js';
import type { LossModel } from './loss.js';
import { kernelFaultOf, makeArtifact } from './made.js';
import { measureInTurn, type Rounds } from './measure.js';
import type { End, Finding, LeftOut, Tried } from './outcome.js';
import { LEVELS_END } from './phases.js';
import type { PredictedRecipe } from './predicted-recipes.js';
import { recipeOf, settingsWords, shapeOf, untouched } from './settings.js';
import { checkTarget, measuredDistance, peakShareOf, speedOf, type Measured } from './target-check.js';
import type { Target } from './target.js';
import { zip } from './zip.js';

/** Recipes that are made and measured first, and once more when that has taught the predictions. */
const BATCHES = [4, 3] as const;

/** And again and again where there is a budget of time. */
const FURTHER = 3;

/** Of a batch of recipes, how much is making them. */
const MAKING = 0.6;

/** What candidates are made of and judged by. */
export interface Candidates {
  readonly model: LoadedModel;
  readonly context: SearchContext;
  readonly target: Target;
  /** Images in a batch. */
  readonly batch: number;
  readonly effort: Effort;
  /** Without a limit, so many candidates are measured, however long that takes. */
  readonly clock: Clock;
  readonly lossJudge: LossJudge;
  /** What the model takes as it was trained. */
  readonly fp32: Cost;
  /** Learns from what was measured. */
  readonly costs: CostStudy;
  readonly losses: LossModel;
  /** Told what was found, as soon as it was. */
  readonly onFinding: (finding: Finding) => void;
}

/** A recipe whose artifact is there. */
interface Made {
  readonly predicted: PredictedRecipe;
  readonly recipe: Recipe;
  readonly artifact: Artifact;
  readonly loss: Measured['loss'];
}

/** Makes and measures candidates, batch by batch. */
export class CandidateBatches {
  readonly leftOut: LeftOut[] = [];
  readonly tried: Omit<Tried, 'onFront'>[] = [];

  /**
   * Begins without any candidate.
   *
   * @param from - what candidates are made of and judged by
   * @param secondsPerCandidate - about how long one takes; the last batch tells better
   */
  constructor(
    private readonly from: Candidates,
    private secondsPerCandidate: number,
  ) {}

  /**
   * Makes and measures until nothing is promising, the time is over or somebody says so. Batches that were measured stay when the device, or the
   * machine, fails then.
   *
   * @param choose - says what is next
   * @param predict - all that could be made
   * @throws DeviceError when the device fails, ResourceError when the machine has run out of something, and the signal's reason when it fires,
   *   each before anything was measured
   */
  async measure(choose: Choose, predict: () => readonly PredictedRecipe[]): Promise<End> {
    const { tried, leftOut } = this;
    const { clock, context } = this.from;
    try {
      for (let index = 0; ; index++) {
        context.signal.throwIfAborted();
        const most = BATCHES[index] ?? (clock.isLimited ? FURTHER : 0);
        if (most === 0) return { kind: 'done' };
        const count = Math.min(most, this.affordable());
        if (count === 0) return { kind: 'out-of-time' };
        const settings = [untouched, ...[...tried, ...leftOut].map((each) => each.settings)];
        const measured = tried.map(({ figures, distance }) => ({ ...figures, distance }));
        const chosen = choose({ recipes: predict(), settings, measured }, count);
        if (chosen.length === 0) return { kind: 'nothing-promising' };
        await this.measureBatch(chosen, index);
      }
    } catch (error) {
      if (tried.length === 0) throw error;
      if (context.signal.aborted) return { kind: 'stopped' };
      if (error instanceof DeviceError || error instanceof ResourceError)
        return { kind: 'failed', message: error.message };
      throw error;
    }
  }

  /** How many candidates there is time for; the first is made in any case. */
  private affordable(): number {
    const count = Math.floor(this.from.clock.left() / this.secondsPerCandidate);
    return this.tried.length + this.leftOut.length === 0 ? Math.max(1, count) : Math.max(0, count);
  }

  /** Where in the progress a batch of so many candidates begins, and how much of it the batch is. */
  private partOfProgress(index: number, count: number): [from: number, share: number] {
    const { clock } = this.from;
    if (!clock.isLimited)
      return [LEVELS_END + ((1 - LEVELS_END) * index) / BATCHES.length, (1 - LEVELS_END) / BATCHES.length];
    const from = Math.min(1, Math.max(LEVELS_END, clock.shareOf(clock.taken())));
    return [from, Math.min(1 - from, clock.shareOf(count * this.secondsPerCandidate))];
  }

  /** Makes recipes, measures them in turn with fp32, and lets the predictions learn from them. */
  private async measureBatch(chosen: readonly PredictedRecipe[], index: number): Promise<void> {
    const { context, effort, lossJudge, onFinding } = this.from;
    const started = performance.now();
    const [from, share] = this.partOfProgress(index, chosen.length);
    const made = await this.makeAll(chosen, from, MAKING * share);
    if (made.length > 0) {
      const items = made.map(({ artifact, predicted }) => this.measurable(artifact, predicted));
      const trained = this.measurable(lossJudge.trained, { settings: untouched });
      const [baseline, ...rounds] = await measureInTurn([trained, ...items], {
        ...turnsOf(context, effort.rounds, effort.seconds, index),
        onProgress: (done) => {
          context.onProgress(from + share * (MAKING + (1 - MAKING) * done), 'measuring candidates in turn');
        },
      });
      const base = defined(baseline, 'rounds of fp32');
      for (const [each, own] of zip(made, rounds)) {
        const checked = this.checked(each, own, base);
        this.tried.push(checked);
        onFinding({ kind: 'tried', tried: checked });
      }
    }
    this.secondsPerCandidate = (performance.now() - started) / 1000 / chosen.length;
  }

  private async makeAll(chosen: readonly PredictedRecipe[], from: number, share: number): Promise<Made[]> {
    const { tried, leftOut } = this;
    const { model, context, lossJudge, losses, onFinding } = this.from;
    const before = tried.length + leftOut.length;
    const made: Made[] = [];
    for (const [index, predicted] of chosen.entries()) {
      const { settings, alone } = predicted;
      const recipe = recipeOf(`candidate-${before + index + 1}`, settingsWords(settings), settings);
      const each = share / chosen.length;
      const artifact = await makeArtifact(model, context, recipe, from + each * index, each);
      const failure = await kernelFaultOf(context, artifact, this.measurable(artifact, predicted));
      if (failure !== undefined) {
        leftOut.push({ settings, failure });
        onFinding({ kind: 'left-out', leftOut: { settings, failure } });
        continue;
      }
      const loss = await lossJudge.recipe(artifact);
      losses.addTogether(alone, loss);
      made.push({ predicted, recipe, artifact, loss });
    }
    return made;
  }

  private measurable(artifact: Artifact, { settings }: Pick<PredictedRecipe, 'settings'>): Probed {
    const { model, batch } = this.from;
    return { model: artifact.model, config: model.vit.config, batch, microBatch: settings.microBatch };
  }

  /** Holds a measured recipe against the target, and lets the predictions learn from it. */
  private checked(
    { predicted, recipe, artifact, loss }: Made,
    own: Rounds,
    base: Rounds,
  ): Omit<Tried, 'onFront'> {
    const { model, target, batch, fp32, costs } = this.from;
    const measured: Measured = { own, fp32: base, loss };
    const [speed, peakShare] = [speedOf(measured), peakShareOf(measured)];
    // What it would have taken beside the probes, whatever the device was doing meanwhile.
    const cost = { milliseconds: fp32.milliseconds / speed.value, peak: fp32.peak * peakShare.value };
    const { microBatch } = predicted.settings;
    costs.learn({ shape: shapeOf(model.vit, predicted.settings), batch, microBatch }, cost);
    const checks = checkTarget(target, measured);
    return {
      ...predicted,
      ...{ recipe, artifact, measured, speed, peakShare, checks },
      figures: { ...cost, loss: lossEstimate(loss).value },
      distance: measuredDistance(checks),
    };
  }
}
