import { InputError } from '../../base/errors.js';
import { readBytes, readDuration, readPlain, readShare } from '../../base/quantities.js';

/** What a device with a variant must keep to; what is left out does not matter. */
export interface Constraints {
  /** So many milliseconds at this quantile of the latencies. */
  readonly latency?: { readonly milliseconds: number; readonly quantile: number } | undefined;
  /** Peak over the runtime's base, in bytes. */
  readonly memory?: number | undefined;
  /** Share of right answers, 0 … 1. */
  readonly accuracy?: number | undefined;
  /** Images a second. */
  readonly throughput?: number | undefined;
  /** Joule for an image. */
  readonly energy?: number | undefined;
}

/** What can be limited. */
export type Limited = keyof Constraints;

/**
 * Reads a limit of latency: `30ms@p90`, `0.5s@p99`, `30ms` (the median).
 *
 * @throws InputError when it is none
 */
export function parseLatency(text: string): NonNullable<Constraints['latency']> {
  const [, time = '', percent] = /^(.*?)(?:@p(\d{1,2}(?:\.\d+)?))?$/.exec(text.trim()) ?? [];
  const milliseconds = readDuration(time) ?? NaN;
  const quantile = percent === undefined ? 0.5 : Number(percent) / 100;
  if (!(milliseconds > 0) || !(quantile > 0 && quantile < 1))
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
  const bytes = readBytes(text) ?? NaN;
  if (!(bytes > 0)) throw refuse('--max-memory', text, 'a size, such as 200MiB');
  return bytes;
}

/**
 * Reads a least accuracy: `80%`, `80.5%`.
 *
 * @returns a share
 * @throws InputError when it is none
 */
export function parseAccuracy(text: string): number {
  const share = readShare(text) ?? NaN;
  if (!(share > 0 && share <= 1)) throw refuse('--min-accuracy', text, 'a percentage, such as 80%');
  return share;
}

/**
 * Reads a least throughput: `50/s`, or `50`.
 *
 * @returns images a second
 * @throws InputError when it is none
 */
export function parseThroughput(text: string): number {
  const rate = readPlain(text.replace(/ *\/ *s *$/, '')) ?? NaN;
  if (!(rate > 0)) throw refuse('--min-throughput', text, 'images a second, such as 50/s');
  return rate;
}

const jouleOf: Readonly<Record<string, number>> = { mj: 1e-3, j: 1, wh: 3600 };

/**
 * Reads a limit of the energy of an image: `0.5J`, `200mJ`, `0.001Wh`.
 *
 * @returns joule
 * @throws InputError when it is none
 */
export function parseEnergy(text: string): number {
  const [, digits = '', unit = ''] = /^(.*?) *(mJ|J|Wh)$/i.exec(text.trim()) ?? [];
  const joule = (readPlain(digits) ?? NaN) * (jouleOf[unit.toLowerCase()] ?? NaN);
  if (!(joule > 0 && joule < Infinity))
    throw refuse('--max-energy', text, 'joule for an image, such as 0.5J or 200mJ');
  return joule;
}

function refuse(source: string, found: string, expected: string): InputError {
  return new InputError({ source, found: `"${found}"`, expected });
}
