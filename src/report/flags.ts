import type { Flag } from './figures/validity.js';

/**
 * The sign that marks a cell in a table.
 *
 * @param flags - of the cell
 * @returns one sign for all of them; nothing where there are none
 */
export function signOf(flags: readonly Flag[]): string {
  return flags.find(({ sign }) => sign === '⚑')?.sign ?? flags[0]?.sign ?? '';
}

/** All that speaks against a cell, as a note without its full stop. */
export function flagsText(flags: readonly Flag[]): string {
  return flags.map(({ text }) => text).join('; ');
}
