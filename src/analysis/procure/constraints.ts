import { InputError } from '../../base/errors.js';

/** What a device with a variant must keep to; what is left out does not matter. */
export interface Constraints {
  /** So many milliseconds at this quantile of the latencies. */
  readonly latency: { readonly milliseconds: number; readonly quantile: number } | undefined;
  /** Peak over the runtime's base, in bytes. */
  readonly memory: number | undefined;
  /** Share of right answers, 0 … 1. */
  readonly accuracy: number | undefined;
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

/**
 * Reads a limit of latency: `30ms@p90`, `0.5s@p99`, `30ms` (the median).
 *
 * @throws InputError when it is none
 */
export function parseLatency(text: string): NonNullable<Constraints['latency']> {
  const [, amount, unit, percent] = /^(\d+(?:\.\d+)?)(ms|s)(?:@p(\d{1,2}(?:\.\d+)?))?$/.exec(text) ?? [];
  const milliseconds = Number(amount) * (unit === 's' ? 1000 : 1);
  const quantile = percent === undefined ? 0.5 : Number(percent) / 100;
  if (!(milliseconds > 0 && milliseconds < Infinity) || !(quantile > 0 && quantile < 1))
    throw refuse('--max-latency', text, 'a time and a quantile, such as 30ms@p90');
  return { milliseconds, quantile };
}

/**
 * Reads a limit of memory: `200MiB`, `1.5GB`.
 *
 * @returns bytes
 * @throws InputError when it is none
 */
export function parseMemory(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text) ?? [];
  const bytes = Number(amount) * (units[unit] ?? NaN);
  if (!(bytes > 0 && bytes < Infinity)) throw refuse('--max-memory', text, 'a size, such as 200MiB');
  return bytes;
}

/**
 * Reads a least accuracy: `80%`, `80.5%`.
 *
 * @returns a share
 * @throws InputError when it is none
 */
export function parseAccuracy(text: string): number {
  const share = Number(/^(\d+(?:\.\d+)?) ?%$/.exec(text)?.[1]) / 100;
  if (!(share > 0 && share <= 1)) throw refuse('--min-accuracy', text, 'a percentage, such as 80%');
  return share;
}

function refuse(source: string, found: string, expected: string): InputError {
  return new InputError({ source, found: `"${found}"`, expected });
}
