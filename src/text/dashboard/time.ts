const steps: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'short' });

/**
 * How long ago something was: `5 min. ago`.
 *
 * @param moment - ISO 8601
 * @param now - milliseconds since 1970
 */
export function agoText(moment: string, now: number): string {
  const seconds = (Date.parse(moment) - now) / 1000;
  const [unit, length] = steps.find((step) => Math.abs(seconds) >= step[1]) ?? [];
  return unit === undefined || length === undefined
    ? 'just now'
    : relative.format(Math.trunc(seconds / length), unit);
}

/**
 * A moment in full: `2026-11-29 10:57:19 UTC`.
 *
 * @param moment - ISO 8601
 */
export function momentText(moment: string): string {
  const text = new Date(moment).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}
