import type { Analysis } from '../../analysis/analysis.js';
import { ablationInteractions } from './ablation-interactions.js';
import { ablationWaterfall } from './ablation-waterfall.js';
import { accuracyLatency, agreementLatency } from './accuracy-latency.js';
import type { Chart, ChartMaker } from './chart.js';
import { betweenDevices } from './between-devices.js';
import { drawable } from './drawable.js';
import { kernelShares } from './kernel-shares.js';
import { latencyDistribution } from './latency-distribution.js';
import { linearSqnr } from './linear-sqnr.js';
import { memoryPhases } from './memory-phases.js';
import { mlpWidths } from './mlp-widths.js';
import { stageSizes } from './stage-sizes.js';
import { timeAtBest } from './time-at-best.js';

/** All charts, in the order a report shows them. */
const makers: readonly ChartMaker[] = [
  accuracyLatency,
  agreementLatency,
  betweenDevices,
  ablationWaterfall,
  ablationInteractions,
  latencyDistribution,
  memoryPhases,
  stageSizes,
  mlpWidths,
  linearSqnr,
  kernelShares,
  timeAtBest,
];

/**
 * The charts of a run: those that have something to show.
 *
 * @param analysis - of the run
 */
export function chartsOf(analysis: Analysis): Chart[] {
  return makers
    .map((make) => make(analysis))
    .filter((chart) => chart !== undefined)
    .map((chart) => ({ ...chart, spec: drawable(chart.spec) }));
}
