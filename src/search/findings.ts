import * as format from '../text/format.js';
import type { Cost, DeviceModel } from './device-model.js';
import type { Loss } from './loss.js';
import type { LeftOut, Tried } from './outcome.js';
import { settingsWords, type Settings } from './settings.js';

/** How well the device is understood, in a sentence. */
export function fitWords(
  { milliseconds, peak }: Cost,
  { latency, memory }: DeviceModel,
  models: number,
): string {
  const errors = [latency, memory].map(({ typicalError }) => `${format.percent(typicalError)} %`);
  return `fp32 takes ${format.milliseconds(milliseconds)} ms and ${format.mebibytes(peak)}; predictions from ${models} models err by ${errors[0]!} of the time and ${errors[1]!} of the memory`;
}

/** What one position of a knob loses, in a sentence. */
export function levelWords(settings: Settings, { points, changed, images }: Loss): string {
  return `${settingsWords(settings)}: alone it loses ${pointsText(points.value)} points; ${format.percent(changed)} % of ${format.integer(images)} images change their class`;
}

/** What a candidate turned out to be, in a sentence. */
export function triedWords({
  settings,
  speed,
  peakShare,
  measured,
}: Pick<Tried, 'settings' | 'speed' | 'peakShare' | 'measured'>): string {
  return `${settingsWords(settings)}: ${format.times(speed)}, peak ${format.reduction(1 - peakShare.value)}, ${pointsText(measured.loss.points.value)} points lost`;
}

/** Why a candidate is not measured, in a sentence. */
export function leftOutWords({ settings, reason }: LeftOut): string {
  return `${settingsWords(settings)}: left out, ${reason}`;
}

/** Percentage points: `0.42`, `−0.10`. */
export function pointsText(value: number): string {
  return value.toFixed(2).replace('-', '−');
}
