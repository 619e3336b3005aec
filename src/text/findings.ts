import { judgementOf, type Analysis, type VariantFigures } from '../analysis/analysis.js';
import { SIGNIFICANCE, type Judgement } from '../analysis/compare/judge.js';
import type { AccuracyFigures } from '../analysis/figures/accuracy.js';
import type { LatencyFigures } from '../analysis/figures/latency.js';
import type { MemoryFigures } from '../analysis/figures/memory.js';
import * as format from './format.js';
import { labelOf } from '../analysis/label.js';

/** What compression did to one variant, in words. */
export interface Finding {
  readonly variant: string;
  readonly text: string;
}

/**
 * What each variant gained and lost against the baseline, at the largest batch size it was timed at.
 *
 * @param analysis - of a run
 * @returns one for each variant that can be compared
 */
export function findingsOf(analysis: Analysis): Finding[] {
  return analysis.figures
    .filter(({ isBaseline }) => !isBaseline)
    .map((figures) => ({ variant: labelOf(figures, analysis), text: comparison(figures, analysis) }))
    .filter(({ text }) => text !== '');
}

function comparison(figures: VariantFigures, analysis: Analysis): string {
  const { variant, device, accuracy, features, latencies } = figures;
  const baseline = analysis.figures.find(
    (other) => other.isBaseline && other.device === device && other.variant.model === variant.model,
  );
  if (baseline === undefined) return '';
  const largest = latencies.at(-1);
  return [
    largest && speedText(largest, judgementOf(figures, 'latency', largest.batch)),
    largest?.memory && memoryText(largest.memory, judgementOf(figures, 'memory', largest.batch)),
    figures.fileBytes === undefined || baseline.fileBytes === undefined
      ? undefined
      : `file ${format.reduction(1 - figures.fileBytes / baseline.fileBytes)}`,
    features?.cosine && `features at a mean cosine of ${features.cosine.mean.value.toFixed(4)} to fp32's`,
    accuracy && scoreText(accuracy, baseline.accuracy, judgementOf(figures, 'accuracy')),
  ]
    .filter((text) => text !== undefined)
    .join('; ');
}

function speedText({ batch, speedup }: LatencyFigures, judgement: Judgement | undefined): string | undefined {
  if (speedup === undefined) return undefined;
  const { value, low, high } = speedup;
  const apart = isTold(judgement) ? '' : ', not distinguishable from fp32';
  const interval = `95 %: ${format.ratio(low)} to ${format.ratio(high)}`;
  return `${format.ratio(value)} times as fast as fp32 at batch ${batch} (${interval}${apart})`;
}

function memoryText({ reduction }: MemoryFigures, judgement: Judgement | undefined): string | undefined {
  if (reduction === undefined) return undefined;
  const apart = judgement === undefined || isTold(judgement) ? '' : ' (not distinguishable)';
  return `peak memory ${format.reduction(reduction)}${apart}`;
}

function scoreText(
  { top1, mcnemarP, agreement, images }: AccuracyFigures,
  baseline: AccuracyFigures | undefined,
  judgement: Judgement | undefined,
): string | undefined {
  if (top1 && mcnemarP !== undefined && baseline?.top1) {
    const untold =
      mcnemarP <= SIGNIFICANCE
        ? 'significant on its own, but not after correction for the number of variants'
        : `not distinguishable on these ${format.integer(images)} images`;
    const apart = isTold(judgement) ? '' : `: ${untold}`;
    const scores = `${format.percent(top1.value, 2)} % against ${format.percent(baseline.top1.value, 2)} %`;
    return `top-1 ${scores} (McNemar p ${format.pValue(mcnemarP).replace(/^(?=\d)/, '= ')}${apart})`;
  }
  if (!top1 && agreement) return `same class as fp32 for ${format.percent(agreement.value, 2)} % of images`;
  return undefined;
}

function isTold(judgement: Judgement | undefined): boolean {
  return judgement !== undefined && judgement.verdict !== 'not distinguishable';
}
