import * as format from '../text/format.js';
import type { Cost, DeviceModel } from './device-model.js';
import type { FittedModel } from './fit.js';
import { failureText } from '../text/failures.js';
import type { JudgedLoss } from './judged-loss.js';
import type { Finding, LeftOut, Tried } from './outcome.js';
import { settingsWords, type Settings } from './settings.js';

/**
 * What a search found out, in a sentence.
 *
 * @param finding - the facts
 */
export function findingWords(finding: Finding): string {
  switch (finding.kind) {
    case 'fit':
      return fitWords(finding.fp32, finding.device, finding.models);
    case 'level':
      return levelWords(finding.settings, finding.loss);
    case 'tried':
      return triedWords(finding.tried);
    case 'left-out':
      return leftOutWords(finding.leftOut);
  }
}

function fitWords({ milliseconds, peak }: Cost, { latency, memory }: DeviceModel, models: number): string {
  const error = ({ typicalError }: FittedModel): string => `${format.percent(typicalError)} %`;
  return `fp32 takes ${format.milliseconds(milliseconds)} ms and ${format.mebibytes(peak)}; predictions from ${models} models are off by ${error(latency)} of the time and ${error(memory)} of the memory`;
}

function levelWords(settings: Settings, { points, expected, changed, images }: JudgedLoss): string {
  const loses = expected
    ? `is expected to lose ${pointsText(expected.value)} points (${pointsText(points.value)} counted)`
    : `loses ${pointsText(points.value)} points`;
  return `${settingsWords(settings)}: alone it ${loses}; ${format.percent(changed)} % of ${format.integer(images)} images change their class`;
}

function triedWords({
  settings,
  speed,
  peakShare,
  measured,
}: Pick<Tried, 'settings' | 'speed' | 'peakShare' | 'measured'>): string {
  const { points, expected } = measured.loss;
  const lost = expected
    ? `${pointsText(expected.value)} points expected to be lost (${pointsText(points.value)} counted)`
    : `${pointsText(points.value)} points lost`;
  return `${settingsWords(settings)}: ${format.times(speed)}, peak ${format.reduction(1 - peakShare.value)}, ${lost}`;
}

function leftOutWords({ settings, failure }: LeftOut): string {
  return `${settingsWords(settings)}: left out, ${failureText(failure)}`;
}

/** Percentage points: `0.42`, `−0.10`. */
export function pointsText(value: number): string {
  return value.toFixed(2).replace('-', '−');
}
