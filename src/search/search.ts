import { join } from 'node:path';
import { defined } from '../base/defined.js';
import { DeviceError, InputError } from '../base/errors.js';
import { withTemporaryFolder } from '../base/temporary.js';
import type { Recipe } from '../compress/recipe.js';
import type { Device } from '../device/device.js';
import { writeModel } from '../onnx/file.js';
import { artifactOf, type Artifact } from '../run/artifacts/artifact.js';
import type { BuildContext } from '../run/artifacts/build-context.js';
import type { LoadedModel } from '../model/load.js';
import type { RootFailure } from '../protocol/failure.js';
import { kernelFailure } from '../run/checks.js';
import { failureText } from '../text/failures.js';
import { probe, type Probed, type ProbeBounds } from '../run/probe.js';
import { buildGraph } from '../vit/graph/model.js';
import { extending, MOST_LOSS, towards, type Choose } from './candidates.js';
import { startClock, type Clock } from './clock.js';
import { comparison, enumerate, type PredictedRecipe } from './predicted-recipes.js';
import { fitDevice, undisturbedCost, type Cost, type DeviceModel, type Load } from './device-model.js';
import {
  checkTarget,
  allowedFigures,
  measuredDistance,
  peakShareOf,
  speedOf,
  type Measured,
} from './target-check.js';
import { findLevels, type Levels } from './levels.js';
import { lossEstimate } from './judged-loss.js';
import { openLossJudge, type LossJudge } from './loss-judge.js';
import { LossModel } from './loss.js';
import { joined, measureInTurn, type Rounds, type Turns } from './measure.js';
import type { End, Finding, LeftOut, SearchOutcome, Tried } from './outcome.js';
import { paretoFront } from './pareto.js';
import { probeSettings } from './probes.js';
import { recipeOf, settingsWords, shapeOf, untouched } from './settings.js';
import type { Target } from './target.js';
import { zip } from './zip.js';

/** How much is measured. */
export interface Effort {
  /** Rounds of the models that the device is fitted to; a few more where the fit is poor. */
  readonly probeRounds: number;
  /** Rounds in which recipes are measured in turn with fp32; at least two. */
  readonly rounds: number;
  /** How long a model is timed in a round of recipes, in seconds; half of it in a round of probes. */
  readonly seconds: number;
}

/** What a search takes unless somebody says otherwise. */
export const usualEffort: Effort = { probeRounds: 2, rounds: 5, seconds: 1 };

/** How a search is done. */
export interface SearchOptions {
  /** What is to be reached; undefined looks for the whole Pareto front of time, memory and loss. */
  readonly target: Target | undefined;
  /** Seconds that it may take; undefined measures so many candidates, however long that takes. Without a target it is needed. */
  readonly budget?: number | undefined;
  /** Images in a batch. */
  readonly batch: number;
  readonly effort: Effort;
  /** Told what was found, as soon as it was. */
  readonly onFinding: (finding: Finding) => void;
}

/** However slow a model is, it is timed so often in a round. */
const LEAST_QUERIES = 5;
const MOST_SECONDS = 20;

/** Where predictions err by more than this share of the time, probes get further rounds, but no more than so many. */
const GOOD_FIT = 0.06;
const MOST_FURTHER_ROUNDS = 4;

/** Recipes that are made and measured first, and once more when that has taught the predictions. */
const BATCHES = [4, 3] as const;

/** And again and again where there is a budget of time. */
const FURTHER = 3;

/** Before any candidate was made: it takes so many times as long as a level, which is made alike, judged on fewer images and not measured. */
const CANDIDATE_BY_LEVEL = 2;

/** Where in the whole each part of a search ends, as a share. */
const PROBES_END = 0.2;
const LEVELS_END = 0.6;
/** Of a batch of recipes, how much is making them. */
const MAKING = 0.6;

/** A knob is turned no further where it alone loses so many times what may be lost, or ten points where nobody says. */
const TOO_MUCH = 3;
const USUAL_LOSS = 10 / TOO_MUCH;

/** Where nobody names a target, the best of a front is the fastest that loses no more than the default recipe may. */
const USUAL_TARGET: Target = { latency: undefined, memory: undefined, accuracyLoss: 0.5 };

/**
 * Searches a recipe with which a model meets a target on a device.
 *
 * What each kind of work costs on the device is fitted to probes; what each knob costs in accuracy is measured on held-out training
 * images, one knob at a time. All combinations are predicted, the promising ones made and measured, the predictions corrected by
 * that, and a few more measured; with a budget of time, as many as it leaves time for and as promise anything. What was measured when the
 * signal fires is the outcome.
 *
 * @param model - the model
 * @param context - runtime, training images, device, progress
 * @param options - the target, or the time
 * @throws InputError when the target asks for what cannot be known; DeviceError when the device fails; the signal's reason when it
 *   fires before anything was measured
 */
export async function search(
  model: LoadedModel,
  context: BuildContext & { readonly device: Device },
  options: SearchOptions,
): Promise<SearchOutcome> {
  refuseUnknowable(model, context.device, options.target);
  return withTemporaryFolder('search', (folder) => new Search(model, context, options).run(folder));
}

function refuseUnknowable(
  { synthetic, name, scoredBy }: LoadedModel,
  device: Device,
  target: Target | undefined,
): void {
  if (scoredBy !== undefined)
    throw new InputError({
      source: '--target',
      found: `${name} without a head`,
      expected: 'a model with a head: the loss is judged by its predictions',
      hint: '--head ridge or --head logistic fits one.',
    });
  if (synthetic && target?.accuracyLoss !== undefined)
    throw new InputError({
      source: '--target',
      place: 'accuracy-loss',
      found: `${name}, whose random weights have no accuracy`,
      expected: 'latency and memory only',
      hint: 'The loss is then reported as agreement with the model in float.',
    });
  if (device.hidesPeak === true)
    throw new InputError({
      source: '--device',
      place: device.profile.name,
      found: `a device of the kind "${device.profile.kind}", which does not report the peak of a process`,
      expected: 'one that does, such as this machine or a board',
    });
}

/** A recipe whose artifact is there. */
interface Made {
  readonly predicted: PredictedRecipe;
  readonly recipe: Recipe;
  readonly artifact: Artifact;
  readonly loss: Measured['loss'];
}

class Search {
  /** What the device is fitted to. */
  private readonly observed: { readonly load: Load; readonly cost: Cost }[] = [];
  private readonly losses = new LossModel();
  private readonly leftOut: LeftOut[] = [];
  private readonly tried: Omit<Tried, 'onFront'>[] = [];
  private readonly clock: Clock;
  private readonly target: Target;
  /** How long the last batch took for each; before it, what is expected. */
  private secondsPerCandidate = 0;

  constructor(
    private readonly model: LoadedModel,
    private readonly context: BuildContext & { readonly device: Device },
    private readonly options: SearchOptions,
  ) {
    this.clock = startClock(options.budget);
    this.target = options.target ?? USUAL_TARGET;
  }

  async run(folder: string): Promise<SearchOutcome> {
    const { model, context, options, losses, target, tried } = this;
    const { batch, onFinding } = options;
    const fp32 = await this.probe(folder);
    onFinding({ kind: 'fit', fp32, device: this.fit(), models: this.observed.length });
    context.onProgress(PROBES_END, 'the model as it was trained, on images held out');
    const lossJudge = await openLossJudge(model, context, fp32.milliseconds / batch);
    const levels = await this.turnKnobs(lossJudge);
    const predict = enumerate(model.vit, levels, batch);
    const choose = options.target ? towards(target, allowedFigures(target, fp32)) : extending(fp32);
    const end = await this.measureChosen(choose, () => predict(this.fit(), losses), lossJudge, fp32);

    const compare = comparison(target);
    const figures = [{ ...fp32, loss: 0 }, ...tried.map((each) => each.figures)];
    const front = paretoFront(figures, ({ milliseconds, peak, loss }) => [milliseconds, peak, loss]);
    const [best, ...others] = tried
      .map((each) => ({ ...each, onFront: front.includes(each.figures) }))
      .sort((a, b) => compare({ ...a.figures, ...a }, { ...b.figures, ...b }));
    if (best === undefined) {
      const [first] = this.leftOut;
      const why = first ? failureText(first.failure) : 'none was promising';
      throw new DeviceError(`no candidate ran as it was meant: ${why}`);
    }
    const device = this.fit();
    return {
      ...{ target, explored: options.target === undefined, end, fp32, device, levels },
      ...{ tried: [best, ...others], leftOut: this.leftOut },
      ...{ lossKind: lossJudge.kind, images: lossJudge.images, affordableImages: lossJudge.affordable },
      accuracy: lossJudge.accuracy,
      predictedRecipes: predict(device, losses),
      met: best.checks.every(({ met }) => met),
    };
  }

  /** Makes and measures recipes, batch by batch, until nothing is promising, the time is over or somebody says so. */
  private async measureChosen(
    choose: Choose,
    predict: () => PredictedRecipe[],
    lossJudge: LossJudge,
    fp32: Cost,
  ): Promise<End> {
    const { options, tried, leftOut, context } = this;
    try {
      for (let index = 0; ; index++) {
        context.signal.throwIfAborted();
        const most = BATCHES[index] ?? (options.budget === undefined ? 0 : FURTHER);
        if (most === 0) return 'done';
        const count = Math.min(most, this.affordable());
        if (count === 0) return 'out-of-time';
        const settings = [untouched, ...[...tried, ...leftOut].map((each) => each.settings)];
        const measured = tried.map(({ figures }) => figures);
        const chosen = choose({ recipes: predict(), settings, measured }, count);
        if (chosen.length === 0) return 'nothing-promising';
        await this.measureBatch(chosen, index, lossJudge, fp32);
      }
    } catch (error) {
      // What was measured is worth more than nothing.
      if (context.signal.aborted && tried.length > 0) return 'stopped';
      throw error;
    }
  }

  /** How many candidates there is time for; the first is made in any case. */
  private affordable(): number {
    const count = Math.floor(this.clock.left() / this.secondsPerCandidate);
    return this.tried.length + this.leftOut.length === 0 ? Math.max(1, count) : Math.max(0, count);
  }

  /** Where in the progress a batch of so many candidates begins, and how much of it the batch is, where there is a budget of time. */
  private partOfBudget(count: number): [from: number, share: number] {
    const { budget = Infinity } = this.options;
    const from = Math.min(1, Math.max(LEVELS_END, 1 - this.clock.left() / budget));
    return [from, Math.min(1 - from, (count * this.secondsPerCandidate) / budget)];
  }

  /** Makes recipes, measures them in turn with fp32, and lets the predictions learn from them. */
  private async measureBatch(
    chosen: readonly PredictedRecipe[],
    index: number,
    lossJudge: LossJudge,
    fp32: Cost,
  ): Promise<void> {
    const { options, tried, leftOut, context } = this;
    const { effort, onFinding } = options;
    const started = performance.now();
    const [from, share] =
      options.budget === undefined
        ? [LEVELS_END + ((1 - LEVELS_END) * index) / BATCHES.length, (1 - LEVELS_END) / BATCHES.length]
        : this.partOfBudget(chosen.length);
    const made = await this.makeAll(chosen, tried.length + leftOut.length, lossJudge, from, MAKING * share);
    if (made.length > 0) {
      const items = made.map(({ artifact, predicted }) => this.measurable(artifact, predicted));
      const trained = this.measurable(lossJudge.trained, { settings: untouched });
      const [baseline, ...rounds] = await measureInTurn([trained, ...items], {
        ...this.turns(effort.rounds, effort.seconds, index),
        onProgress: (done) => {
          context.onProgress(from + share * (MAKING + (1 - MAKING) * done), 'measuring candidates in turn');
        },
      });
      const base = defined(baseline, 'rounds of fp32');
      for (const [each, own] of zip(made, rounds)) {
        const checked = this.checked(each, own, base, fp32);
        tried.push(checked);
        onFinding({ kind: 'tried', tried: checked });
      }
    }
    this.secondsPerCandidate = (performance.now() - started) / 1000 / chosen.length;
  }

  /** Measures models that tell what each kind of work costs, and what the model takes as it was trained. */
  private async probe(folder: string): Promise<Cost> {
    const { model, context, options } = this;
    const { batch, effort } = options;
    const items: Probed[] = [];
    const loads: Load[] = [];
    for (const [index, settings] of probeSettings(model.vit.config, batch).entries()) {
      const shape = shapeOf(model.vit, settings);
      const path = join(folder, `${index}.onnx`);
      await writeModel(buildGraph(shape), path);
      const { microBatch } = settings;
      items.push({ model: path, config: shape.config, batch, microBatch });
      loads.push({ shape, batch, microBatch });
    }
    const known: Rounds[] = [];
    const end = effort.probeRounds + MOST_FURTHER_ROUNDS;
    for (let round = 0; round < end; round++) {
      const measured = await measureInTurn(items, {
        ...this.turns(1, effort.seconds / 2, round),
        onProgress: (done) => {
          const share = Math.min(1, (round + done) / effort.probeRounds);
          const again = round < effort.probeRounds ? '' : ' once more: the model of it does not fit well';
          context.onProgress(
            PROBES_END * share,
            `measuring what each kind of work costs on the device${again}`,
          );
        },
      });
      for (const [index, each] of measured.entries()) known[index] = joined(known[index], each, round);
      this.observed.splice(
        0,
        Infinity,
        ...zip(loads, known).map(([load, rounds]) => ({ load, cost: undisturbedCost(rounds) })),
      );
      // Other work on the device spoils some queries of some rounds, seldom all of all.
      const isEnough = this.fit().latency.typicalError < GOOD_FIT || this.clock.isPast(PROBES_END);
      if (round + 1 >= effort.probeRounds && isEnough) break;
    }
    return defined(this.observed[0], 'the cost of fp32').cost;
  }

  private fit(): DeviceModel {
    return fitDevice(this.observed);
  }

  private turns(rounds: number, seconds: number, turn: number): Omit<Turns, 'onProgress'> {
    const { device, seed, signal } = this.context;
    const bounds: ProbeBounds = {
      minQueries: LEAST_QUERIES,
      minSeconds: seconds,
      maxSeconds: MOST_SECONDS,
      maxWarmupSeconds: seconds,
    };
    return { device, rounds, bounds, seed: seed + turn, signal };
  }

  private measurable(artifact: Artifact, { settings }: Pick<PredictedRecipe, 'settings'>): Probed {
    const { batch } = this.options;
    return { model: artifact.model, config: this.model.vit.config, batch, microBatch: settings.microBatch };
  }

  /** Finds what each position of each knob loses alone. */
  private turnKnobs(lossJudge: LossJudge): Promise<Levels> {
    const { context, options, clock } = this;
    const { accuracyLoss = USUAL_LOSS } = options.target ?? { accuracyLoss: MOST_LOSS };
    const started = performance.now();
    let [at, found] = [PROBES_END, 0];
    return findLevels({
      make: (recipe) => this.make(recipe, at, 0),
      lossOf: (artifact) => lossJudge.knob(artifact),
      tooMuch: Math.max(TOO_MUCH * accuracyLoss, accuracyLoss + 1),
      onLevel: (settings, loss) => {
        options.onFinding({ kind: 'level', settings: { ...untouched, ...settings }, loss });
        const perLevel = (performance.now() - started) / 1000 / ++found;
        this.secondsPerCandidate = CANDIDATE_BY_LEVEL * perLevel;
      },
      isOver: () => clock.isPast(LEVELS_END),
      onProgress: (done, what) => {
        at = PROBES_END + (LEVELS_END - PROBES_END) * done;
        context.onProgress(at, what);
      },
    });
  }

  /** Makes the artifact of a recipe; its progress is a part of the search's. */
  private make(recipe: Recipe, from: number, share: number): Promise<Artifact> {
    const { model, context } = this;
    return artifactOf(model, recipe, {
      ...context,
      onProgress: (done, what) => {
        const words = recipe.description === '' ? what : `${recipe.description}: ${what}`;
        context.onProgress(from + share * done, words);
      },
    });
  }

  private async makeAll(
    chosen: readonly PredictedRecipe[],
    before: number,
    lossJudge: LossJudge,
    from: number,
    share: number,
  ): Promise<Made[]> {
    const made: Made[] = [];
    for (const [index, predicted] of chosen.entries()) {
      const { settings, alone } = predicted;
      const recipe = recipeOf(`candidate-${before + index + 1}`, settingsWords(settings), settings);
      const each = share / chosen.length;
      const artifact = await this.make(recipe, from + each * index, each);
      const fault = await this.kernelFault(artifact, predicted);
      if (fault !== undefined) {
        const leftOut = { settings, failure: fault };
        this.leftOut.push(leftOut);
        this.options.onFinding({ kind: 'left-out', leftOut });
        continue;
      }
      const loss = await lossJudge.recipe(artifact);
      this.losses.addTogether(alone, loss);
      made.push({ predicted, recipe, artifact, loss });
    }
    return made;
  }

  /** A recipe whose quantised linears run in other kernels than meant would be measured for what it is not. */
  private async kernelFault(
    artifact: Artifact,
    predicted: PredictedRecipe,
  ): Promise<RootFailure | undefined> {
    const { device, signal } = this.context;
    const probed = this.measurable(artifact, predicted);
    const { kernels, started } = await probe(device, probed, { kind: 'kernels', runs: 1 }, signal);
    const parts = Math.ceil(probed.batch / (probed.microBatch ?? probed.batch));
    return started && kernelFailure(artifact, kernels, parts, started.runtime.provider);
  }

  /** Holds a measured recipe against the target, and lets the predictions learn from it. */
  private checked(
    { predicted, recipe, artifact, loss }: Made,
    own: Rounds,
    base: Rounds,
    fp32: Cost,
  ): Omit<Tried, 'onFront'> {
    const { options, target } = this;
    const { batch } = options;
    const measured: Measured = { own, fp32: base, loss };
    const [speed, peakShare] = [speedOf(measured), peakShareOf(measured)];
    // What it would have taken beside the probes, whatever the device was doing meanwhile.
    const cost = { milliseconds: fp32.milliseconds / speed.value, peak: fp32.peak * peakShare.value };
    const { microBatch } = predicted.settings;
    this.observed.push({
      load: { shape: shapeOf(this.model.vit, predicted.settings), batch, microBatch },
      cost,
    });
    const checks = checkTarget(target, measured);
    return {
      ...predicted,
      ...{ recipe, artifact, measured, speed, peakShare, checks },
      figures: { ...cost, loss: lossEstimate(loss).value },
      distance: measuredDistance(checks),
    };
  }
}
