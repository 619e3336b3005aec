import { DeviceError, InputError } from '../base/errors.js';
import { withTemporaryFolder } from '../base/temporary.js';
import type { Device } from '../device/device.js';
import type { LoadedModel } from '../model/load.js';
import { failureText } from '../text/failures.js';
import { CandidateBatches } from './candidate-batches.js';
import { extending, MOST_LOSS, towards } from './candidates.js';
import { startClock } from './clock.js';
import { CostStudy } from './cost-study.js';
import type { Cost } from './device-model.js';
import type { Effort, SearchContext } from './effort.js';
import { findLevels, type Levels } from './levels.js';
import { openLossJudge, type LossJudge } from './loss-judge.js';
import { LossModel } from './loss.js';
import { makeArtifact } from './made.js';
import type { Finding, SearchOutcome, Tried } from './outcome.js';
import { paretoFront } from './pareto.js';
import { LEVELS_END, PROBES_END } from './phases.js';
import { comparison, enumerate } from './predicted-recipes.js';
import { untouched } from './settings.js';
import { allowedFigures } from './target-check.js';
import type { Target } from './target.js';

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

/** A candidate takes so many times as long as a level, which is made alike, judged on fewer images and not measured. */
const CANDIDATE_BY_LEVEL = 2;

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
 * signal fires or the device fails is the outcome.
 *
 * @param model - the model
 * @param context - runtime, training images, device, progress
 * @param options - the target, or the time
 * @throws InputError when the target asks for what cannot be known; DeviceError when the device fails, and the signal's reason
 *   when it fires, before anything was measured
 */
export async function search(
  model: LoadedModel,
  context: SearchContext,
  options: SearchOptions,
): Promise<SearchOutcome> {
  refuseUnknowable(model, context.device, options.target);
  return withTemporaryFolder('search', (folder) => searchIn(folder, model, context, options));
}

function refuseUnknowable(
  { synthetic, name, scoredBy }: LoadedModel,
  device: Device,
  target: Target | undefined,
): void {
  if (scoredBy !== undefined)
    throw new InputError({
      source: target ? '--target' : '--budget',
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

async function searchIn(
  folder: string,
  model: LoadedModel,
  context: SearchContext,
  { target: asked, budget, batch, effort, onFinding }: SearchOptions,
): Promise<SearchOutcome> {
  const target = asked ?? USUAL_TARGET;
  const clock = startClock(budget);
  const costs = new CostStudy(model.vit, batch);
  const fp32 = await costs.probe(context, effort, clock, folder);
  onFinding({ kind: 'fit', fp32, device: costs.fit(), models: costs.models });
  context.onProgress(PROBES_END, 'the model as it was trained, on images held out');
  const lossJudge = await openLossJudge(model, context, fp32.milliseconds / batch);
  const started = performance.now();
  const levels = await turnKnobs(model, context, lossJudge, {
    most: asked ? (asked.accuracyLoss ?? USUAL_LOSS) : MOST_LOSS,
    isOver: () => clock.shareOf(clock.taken()) > LEVELS_END,
    onFinding,
  });
  // Without the rest positions, which nothing was made for.
  const knobs = [levels.quantize, levels.prune, levels.merge];
  const found = knobs.reduce((sum, { length }) => sum + length - 1, 0);
  const perLevel = (performance.now() - started) / 1000 / Math.max(1, found);
  const losses = new LossModel();
  const candidates = new CandidateBatches(
    { ...{ model, context, target, batch, effort, clock }, ...{ lossJudge, fp32, costs, losses, onFinding } },
    CANDIDATE_BY_LEVEL * perLevel,
  );
  const predict = enumerate(model.vit, levels, batch);
  const choose = asked ? towards(target, allowedFigures(target, fp32)) : extending(fp32);
  const end = await candidates.measure(choose, () => predict(costs.fit(), losses));

  const { tried, leftOut } = candidates;
  const [best, ...others] = ranked(tried, target, fp32);
  if (best === undefined) {
    const [first] = leftOut;
    const why = first ? failureText(first.failure) : 'none was promising';
    throw new DeviceError(`no candidate ran as it was meant: ${why}`);
  }
  const device = costs.fit();
  return {
    ...{ target, explored: asked === undefined, end, fp32, device, levels },
    ...{ tried: [best, ...others], leftOut },
    ...{ lossKind: lossJudge.kind, images: lossJudge.images, affordableImages: lossJudge.affordable },
    accuracy: lossJudge.accuracy,
    predictedRecipes: predict(device, losses),
    met: best.checks.every(({ met }) => met),
  };
}

/** What was measured, the best first, with what is on the front. */
function ranked(tried: readonly Omit<Tried, 'onFront'>[], target: Target, fp32: Cost): Tried[] {
  const compare = comparison(target);
  const figures = [{ ...fp32, loss: 0 }, ...tried.map((each) => each.figures)];
  const front = paretoFront(figures, ({ milliseconds, peak, loss }) => [milliseconds, peak, loss]);
  return tried
    .map((each) => ({ ...each, onFront: front.includes(each.figures) }))
    .sort((a, b) => compare({ ...a.figures, ...a }, { ...b.figures, ...b }));
}

/** Finds what each position of each knob loses alone. */
function turnKnobs(
  model: LoadedModel,
  context: SearchContext,
  lossJudge: LossJudge,
  how: {
    /** Percentage points that may be lost. */
    readonly most: number;
    readonly isOver: () => boolean;
    readonly onFinding: (finding: Finding) => void;
  },
): Promise<Levels> {
  let at = PROBES_END;
  return findLevels({
    make: (recipe) => makeArtifact(model, context, recipe, at, 0),
    lossOf: (artifact) => lossJudge.knob(artifact),
    tooMuch: Math.max(TOO_MUCH * how.most, how.most + 1),
    onLevel: (settings, loss) => {
      how.onFinding({ kind: 'level', settings: { ...untouched, ...settings }, loss });
    },
    isOver: how.isOver,
    onProgress: (done, what) => {
      at = PROBES_END + (LEVELS_END - PROBES_END) * done;
      context.onProgress(at, what);
    },
  });
}
