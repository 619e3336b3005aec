import { defined } from '../base/defined.js';
import * as format from '../text/format.js';
import type { Table } from '../text/table.js';
import { BASELINE } from '../suite/baseline.js';
import type { Estimate } from '../stats/interval.js';
import { pointsText } from './findings.js';
import { lossEstimate } from './judged-loss.js';
import type { GoalCheck } from './target-check.js';
import type { End, SearchOutcome, Tried } from './outcome.js';
import { frontFile, frontOf } from './pareto-front.js';
import { settingsWords } from './settings.js';
import { targetWords, type Target } from './target.js';

/**
 * What was measured, for people: the best first.
 *
 * @param outcome - of a search
 */
export function searchTable(outcome: SearchOutcome): Table {
  const { fp32, tried, lossKind, explored, target } = outcome;
  const left = (key: string, title: string): Table['columns'][number] => ({ key, title, align: 'left' });
  const right = (key: string, title: string, spare?: number): Table['columns'][number] => ({
    ...{ key, title, align: 'right' },
    ...(spare === undefined ? {} : { spare }),
  });
  return {
    columns: [
      left('recipe', 'recipe'),
      right('ms', 'ms', 3),
      right('speed', 'speed (95 %)'),
      right('speedPredicted', 'predicted', 1),
      right('peak', 'peak memory'),
      right('share', 'vs fp32'),
      right('peakPredicted', 'predicted', 1),
      right('loss', `${lossKind} lost, points${lossKind === 'accuracy' ? ': expected' : ''} (95 %)`),
      right('lossPredicted', 'predicted', 1),
      ...(lossKind === 'accuracy' ? [right('counted', 'counted (95 %)')] : []),
      left('target', explored ? limitWords(target) : 'target'),
      left('front', 'Pareto front'),
    ],
    rows: [
      {
        ...{
          recipe: BASELINE,
          ms: format.milliseconds(fp32.milliseconds),
          peak: format.mebibytes(fp32.peak),
        },
        front: 'on it',
      },
      ...tried.map((each) => ({ ...rowOf(each, outcome), front: placeOnFront(each, outcome) })),
    ],
    notes: notesOf(outcome),
  };
}

/** In the column of the target. */
const DOUBTFUL = 'meets?';

function rowOf(each: Tried, { fp32 }: SearchOutcome): Readonly<Record<string, string>> {
  const { settings, figures, predicted, speed, peakShare, measured, checks } = each;
  return {
    recipe: settingsWords(settings),
    ms: format.milliseconds(figures.milliseconds),
    speed: format.times(speed),
    speedPredicted: `${(fp32.milliseconds / predicted.milliseconds).toFixed(2)}×`,
    peak: format.mebibytes(figures.peak),
    share: format.reduction(1 - peakShare.value),
    peakPredicted: format.mebibytes(predicted.peak),
    loss: points(lossEstimate(measured.loss)),
    lossPredicted: predicted.loss.toFixed(2),
    counted: points(measured.loss.points),
    target: !isMet(checks) ? 'fails' : isDoubtful(checks) ? DOUBTFUL : 'meets',
  };
}

function isMet(checks: readonly GoalCheck[]): boolean {
  return checks.every(({ met }) => met);
}

function isDoubtful(checks: readonly GoalCheck[]): boolean {
  return isMet(checks) && checks.some(({ certain }) => !certain);
}

/** Whether a recipe is on the front, and where its file is if it has one. */
function placeOnFront(each: Tried, outcome: SearchOutcome): string {
  if (!each.onFront) return '';
  return outcome.explored ? frontFile(frontOf(outcome).indexOf(each)) : 'on it';
}

/**
 * What a recipe takes and loses, in a few words.
 *
 * @param tried - that was measured
 */
export function figuresWords({ speed, peakShare, measured }: Tried): string {
  const peak = format.reduction(1 - peakShare.value);
  return `${speed.value.toFixed(2)}× as fast as fp32, peak memory ${peak}, ${pointsText(lossEstimate(measured.loss).value)} points lost`;
}

function points({ value, low, high }: Estimate): string {
  return `${pointsText(value)} (${pointsText(low)} to ${pointsText(high)})`;
}

function notesOf(outcome: SearchOutcome): string[] {
  const { target, device, images, affordableImages, accuracy, predictedRecipes, tried } = outcome;
  const judgedOn =
    accuracy !== undefined
      ? `Accuracy is measured on ${format.integer(images)} training images held out from all calibration, of which fp32 classifies ${format.percent(accuracy)} % correctly; the weights may have been trained on them. "edgeflex run" scores test images.`
      : `Random weights have no accuracy: the loss is that of agreement with fp32 on ${format.integer(images)} images.`;
  return [
    judgedOn,
    ...(accuracy !== undefined
      ? [
          `Expected: how much likelier the old class of each image that changed class is than the new one, by the logits of fp32, scaled to suit the true classes. Recipes are ranked by it: few images change class, and whether more of them become wrong than right is largely chance.${target.accuracyLoss === undefined ? '' : ' The goal for accuracy is met if neither the expected nor the counted loss exceeds it.'}`,
        ]
      : []),
    ...(tried.some(({ checks }) => isDoubtful(checks))
      ? [`${DOUBTFUL} The estimates meet the goals, but the interval of one reaches beyond its goal.`]
      : []),
    ...(images < affordableImages
      ? [
          `Only that many images are held out; there was time for ${format.integer(affordableImages)}, which would have given a more precise estimate of the losses.`,
        ]
      : []),
    `${format.integer(predictedRecipes.length)} recipes were predicted, ${tried.length} built and measured; in leave-one-out validation, the prediction is off by ${format.percent(device.latency.typicalError)} % of the latency and ${format.percent(device.memory.typicalError)} % of the peak (median).`,
  ];
}

/** The verdict of a search, one sentence a line. */
export function verdictWords(outcome: SearchOutcome): string[] {
  return [...(outcome.explored ? frontWords(outcome) : targetVerdict(outcome)), ...endWords(outcome.end)];
}

/** What the best of a front may lose. */
function limitWords({ accuracyLoss }: Target): string {
  return `at most ${defined(accuracyLoss, 'what the best of a front may lose')} points`;
}

function frontWords(outcome: SearchOutcome): string[] {
  const { met, target, tried, lossKind } = outcome;
  const [best] = tried;
  const limit = limitWords(target);
  const front = frontOf(outcome).length;
  const words = `${settingsWords(best.settings)} (${figuresWords(best)})`;
  return [
    `${front} of ${tried.length} measured recipes ${front === 1 ? 'is' : 'are'} on the Pareto front of latency, peak memory and ${lossKind}.`,
    met ? `The fastest that loses ${limit}: ${words}.` : `None loses ${limit}. The closest: ${words}.`,
  ];
}

/** Why nothing more was measured; nothing to say where all was that was meant to be. */
function endWords(end: End): string[] {
  switch (end.kind) {
    case 'done':
      return [];
    case 'nothing-promising':
      return ['No other recipe is predicted to be better.'];
    case 'out-of-time':
      return ['The time is up. A larger --budget measures more recipes.'];
    case 'stopped':
      return ['Stopped before the search was over: this is the best so far.'];
    case 'failed':
      return [`The search has failed (${end.message}). This is the best so far.`];
  }
}

function targetVerdict(outcome: SearchOutcome): string[] {
  const { met, target, tried } = outcome;
  const [best] = tried;
  const words = settingsWords(best.settings);
  const goals = targetWords(target).join(', ');
  if (met) {
    const doubts = best.checks.filter(({ certain }) => !certain);
    return [`Target met (${goals}): ${words}.`, ...doubts.map(doubtWords)];
  }
  return [
    `Target not met (${goals}). The closest recipe: ${words}.`,
    ...best.checks.filter((each) => !each.met).map(missWords),
    `Distance ${best.distance.toFixed(3)}: the shares by which time and memory exceed what is allowed, and a tenth for each point of accuracy beyond it, added up.`,
  ];
}

function doubtWords(check: GoalCheck): string {
  return `It meets ${check.goal} by the estimate, ${estimateWords(check)}; the interval reaches beyond ${valueWords(check, check.limit)}.`;
}

function missWords(check: GoalCheck): string {
  const { goal, estimate, counted, limit, certain } = check;
  const found = `It misses ${goal}: `;
  const end = `instead of ${valueWords(check, limit)}`;
  if (counted && estimate.value <= limit)
    return `${found}counted are ${withInterval(check, counted)} ${end}, though only ${estimateWords(check)}.`;
  return `${found}${estimateWords(check)} ${end}${certain ? '' : '; the interval includes that'}.`;
}

/** The estimate of a goal: `2.31× (2.20× to 2.43×)`; of accuracy it is said that it is an expectation. */
function estimateWords(check: GoalCheck): string {
  return `${withInterval(check, check.estimate)}${check.counted ? ' expected' : ''}`;
}

function withInterval(check: GoalCheck, { value, low, high }: Estimate): string {
  return `${valueWords(check, value)} (${valueWords(check, low)} to ${valueWords(check, high)})`;
}

function valueWords({ unit }: GoalCheck, value: number): string {
  switch (unit) {
    case 'times':
      return `${value.toFixed(2)}×`;
    case 'milliseconds':
      return `${format.milliseconds(value)} ms`;
    case 'share':
      return format.reduction(1 - value);
    case 'bytes':
      return format.mebibytes(value);
    case 'points':
      return `${pointsText(value)} points`;
  }
}
