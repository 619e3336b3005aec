import { accuracyView, changedAnswersView, confusionView } from './accuracy.js';
import { cellsView, failuresView, predictionsView, samplesView } from './cells.js';
import { latencyView } from './latency.js';
import { trialsView } from './load.js';
import { memoryView } from './memory.js';
import { operatorsView } from './operators.js';
import { historyView, resultsView } from './results.js';
import { roundsView } from './rounds.js';
import { devicesView, runsView, variantsView } from './runs.js';
import { disturbancesView } from './soundness.js';
import type { View } from './view.js';

/** All views, those before that others are made of. */
export const views: readonly View[] = [
  runsView,
  devicesView,
  variantsView,
  cellsView,
  failuresView,
  disturbancesView,
  roundsView,
  latencyView,
  memoryView,
  accuracyView,
  changedAnswersView,
  confusionView,
  operatorsView,
  trialsView,
  resultsView,
  historyView,
  samplesView,
  predictionsView,
];
