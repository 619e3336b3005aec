import { failureText } from '../text/failures.js';
import type { PredictedRecipe } from './predicted-recipes.js';
import type { FittedModel } from './fit.js';
import type { Level } from './levels.js';
import type { Rounds } from './measure.js';
import { paretoFront } from './pareto.js';
import type { SearchOutcome, Tried } from './outcome.js';
import { settingsWords } from './settings.js';
import { workKinds } from './work.js';

/**
 * A search as it is written to `search.json`: everything that was predicted and measured, raw samples and all.
 *
 * @param outcome - of the search
 * @param asked - how it was asked for
 */
export function searchDocument(outcome: SearchOutcome, asked: Readonly<Record<string, unknown>>): object {
  const { lossKind, images, affordableImages, accuracy, fp32, device, levels } = outcome;
  const { predictedRecipes, tried, leftOut, met, end } = outcome;
  const figuresOf = ({ predicted: { milliseconds, peak, loss } }: PredictedRecipe): number[] => [
    ...[milliseconds, peak, loss],
  ];
  const front = new Set(paretoFront(predictedRecipes, figuresOf));
  return {
    ...asked,
    met,
    end,
    judgedBy: { kind: lossKind, trainingImages: images, affordableImages, fp32Accuracy: accuracy },
    fp32,
    models: {
      latency: fitted(device.latency, workKinds),
      memory: fitted(device.memory, ['constants', 'activations', 'operators', 'anyway']),
    },
    levels: {
      prune: levels.prune.map(levelOf),
      merge: levels.merge.map(levelOf),
      quantize: levels.quantize.map(levelOf),
    },
    measured: tried.map(triedOf),
    leftOut: leftOut.map(({ settings, failure }) => ({
      ...{ recipe: settingsWords(settings), settings, reason: failureText(failure), failure },
    })),
    predicted: predictedRecipes.map((each) => ({
      recipe: settingsWords(each.settings),
      settings: each.settings,
      ...each.predicted,
      onPredictedFront: front.has(each),
    })),
  };
}

function fitted({ coefficients, leaveOneOut, typicalError }: FittedModel, kinds: readonly string[]): object {
  return {
    coefficients: Object.fromEntries(kinds.map((kind, index) => [kind, coefficients[index]])),
    ...{ leaveOneOut, typicalError },
  };
}

function levelOf({ settings, loss }: Level): object {
  return { settings, loss };
}

function triedOf(each: Tried): object {
  const { settings, recipe, predicted, speed, peakShare, measured, checks, distance, onFront } = each;
  return {
    recipe: settingsWords(settings),
    steps: recipe.steps,
    microBatch: recipe.microBatch,
    predicted,
    ...{ speed, peakShare, loss: measured.loss, judgements: checks, distance, onFront },
    rounds: roundsOf(measured.own),
    fp32Rounds: roundsOf(measured.fp32),
  };
}

function roundsOf({ latencies, peaks }: Rounds): object[] {
  return [...latencies].map(([round, milliseconds]) => ({ round, milliseconds, peak: peaks.get(round) }));
}
