import { withoutControls } from '../base/control.js';
import type { Estimate } from '../stats/interval.js';

/** What stands where there is nothing to say. */
export const NONE = '–';

const MIB = 1024 ** 2;

/** A number with so many significant digits, never in exponent form. */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return '0';
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 6));
}

/** Milliseconds: `0.412`, `12.3`, `1016`. */
export function milliseconds(value: number): string {
  return significant(value);
}

/** A latency with its interval: `12.3 (12.1–12.6)`; of one round, which has none, `12.3`. */
export function latency({ value, low, high }: Estimate): string {
  return low === high
    ? milliseconds(value)
    : `${milliseconds(value)} (${milliseconds(low)}–${milliseconds(high)})`;
}

/** A number of something a second, with its interval as a latency has it: `412 (405–419)`. */
export function amount({ value, low, high }: Estimate): string {
  return low === high
    ? significant(value)
    : `${significant(value)} (${significant(low)}–${significant(high)})`;
}

/** A share in percent: `83.2`. */
export function percent(share: number, decimals = 1): string {
  return (share * 100).toFixed(decimals);
}

/** A share with its interval, in percent: `83.19 (82.4–83.9)`. */
export function share({ value, low, high }: Estimate): string {
  return `${percent(value, 2)} (${percent(low)}–${percent(high)})`;
}

/** A mean cosine with its interval: `0.99713 (0.99702–0.99724)`. */
export function cosine({ value, low, high }: Estimate): string {
  return `${cosineValue(value)} (${cosineValue(low)}–${cosineValue(Math.min(1, high))})`;
}

/** A cosine, or how far two lie apart: `0.99713`. */
export function cosineValue(value: number): string {
  return value.toFixed(5);
}

/** A ratio to two decimals, or to two digits where those say nothing: `2.51`, `0.0019`, `533`. */
export function ratio(value: number): string {
  return value >= 0.1 && value < 100 ? value.toFixed(2) : significant(value, 2);
}

/** How many times as fast: `2.51× (2.40–2.63)`. */
export function times({ value, low, high }: Estimate): string {
  return `${ratio(value)}× (${ratio(low)}–${ratio(high)})`;
}

/** A p-value: `0.031`, `< 0.001`. */
export function pValue(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** Bytes in MiB: `12.3 MiB`; of what a device does not tell: `unknown`. */
export function mebibytes(bytes: number | null): string {
  return bytes === null ? 'unknown' : `${significant(bytes / MIB)} MiB`;
}

/** A size in the unit that suits it: `6.83 KiB`, `9.49 MiB`, `20.0 GiB`. */
export function size(bytes: number): string {
  if (bytes < 0.1 * MIB) return `${significant(bytes / 1024)} KiB`;
  return bytes < 1024 * MIB ? mebibytes(bytes) : `${significant(bytes / (1024 * MIB))} GiB`;
}

/** A size with its interval: `12.3 MiB (12.1–12.5)`; of one round, which has none, `12.3 MiB`. */
export function mebibytesWithin({ value, low, high }: Estimate): string {
  const ends = [low, high].map((bytes) => significant(bytes / MIB)).join('–');
  return low === high ? mebibytes(value) : `${mebibytes(value)} (${ends})`;
}

/** A change of a size: `−62.1 %`. */
export function reduction(share: number): string {
  const text = `${percent(Math.abs(share))} %`;
  return share >= 0 ? `−${text}` : `+${text}`;
}

/** A count of parameters: `0.82 M`. */
export function parameters(count: number): string {
  return `${significant(count / 1e6)} M`;
}

/** A time span: `8.2 s`, `2 min 05 s`. */
export function seconds(value: number): string {
  if (value < 60) return `${significant(value, 2)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** A whole number: `9,966`. */
export function integer(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** How many cells are still to be measured, as a sentence. */
export function pendingCells(count: number): string {
  return `${integer(count)} ${count === 1 ? 'cell of this run is' : 'cells of this run are'} not measured yet.`;
}

/** A moment, from ISO 8601: `2026-11-22 12:28 UTC`. */
export function moment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** A text on one line and without a terminal's commands: what other programs say often comes on several, and in colour. */
export function oneLine(text: string): string {
  return withoutControls(text).replace(/\s+/g, ' ').trim();
}
