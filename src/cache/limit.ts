import { InputError } from '../base/errors.js';

const UNITS: Readonly<Record<string, number>> = {
  ...{ '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 },
  ...{ KIB: 2 ** 10, MIB: 2 ** 20, GIB: 2 ** 30, TIB: 2 ** 40 },
};

/** A suite of eight variants of a ViT-Huge takes as much. */
const DEFAULT_BYTES = 20 * 2 ** 30;

/**
 * How many bytes the cache may take: `EDGEFLEX_CACHE_LIMIT`, such as `8GiB`, or 20 GiB.
 *
 * @throws InputError when the variable is no size
 */
export function limitBytes(): number {
  const text = process.env['EDGEFLEX_CACHE_LIMIT'];
  return text === undefined || text === '' ? DEFAULT_BYTES : parseBytes(text, 'EDGEFLEX_CACHE_LIMIT');
}

/**
 * Reads a size: a number and a unit, decimal (`GB`) or binary (`GiB`); without a unit, bytes.
 *
 * @param text - the size
 * @param source - where it stands, for the message
 * @throws InputError when it is none
 */
export function parseBytes(text: string, source: string): number {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (number === undefined || factor === undefined)
    throw new InputError({ source, found: text, expected: 'a size such as 8GiB, 500MB or 0' });
  return Math.floor(Number(number) * factor);
}
