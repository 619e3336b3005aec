import type { Flag } from '../analysis/figures/validity.js';
import { disturbanceText } from './disturbance.js';
import * as format from './format.js';

/**
 * The sign that marks a cell in a table: ‡ for what never got steady, ⚑ for everything else.
 *
 * @param flags - of the cell
 * @returns one sign for all of them; nothing where there are none
 */
export function signOf(flags: readonly Flag[]): string {
  if (flags.length === 0) return '';
  return flags.every(({ kind }) => kind === 'never-steady') ? '‡' : '⚑';
}

/** All that speaks against a cell, as a note without its full stop. */
export function flagsText(flags: readonly Flag[]): string {
  return flags.map(flagText).join('; ');
}

/** What speaks against a cell, with its figure: half a sentence. */
export function flagText(flag: Flag): string {
  switch (flag.kind) {
    case 'never-steady':
      return `${flag.rounds} of ${flag.of} rounds never reached a steady state`;
    case 'drift': {
      const way = flag.share > 0 ? 'slower' : 'faster';
      const share = format.percent(Math.abs(flag.share));
      return `latency drifted in ${flag.rounds} of ${flag.of} rounds: from first to last query ${share} % ${way} (median)`;
    }
    case 'governor-changed':
      return `the frequency governor changed: ${flag.governors.join(', ')}`;
    case 'frequency-changed':
      return `the frequency of the fastest core varied between ${format.integer(flag.least)} and ${format.integer(flag.most)} MHz while queries were timed`;
    case 'disturbed':
      return `not decided: ${flag.by.map(disturbanceText).join(', and ')} (${flag.rounds} of ${flag.of} rounds were disturbed)`;
    case 'rounds-left-out':
      return `${flag.rounds} of ${flag.of} rounds are left out: ${flag.by.map(disturbanceText).join(', and ')}`;
    case 'placements-differ': {
      const [nearest, farthest] = [format.integer(flag.nearest), format.integer(flag.farthest)];
      return `the virtual processors were close to each other in some rounds and far apart in others: ${nearest} to ${farthest} ns from core to core`;
    }
    case 'smoke-tier':
      return 'measured at tier smoke: it shows that the cell runs, not how fast';
    case 'few-samples':
      return `${format.integer(flag.queries)} queries, where ${flag.tier} requires ${format.integer(flag.asked)}: the time ran out`;
    case 'search-ended': {
      const rounds = `in ${flag.rounds} of ${flag.of} rounds the time ran out before the highest rate was narrowed down`;
      return flag.share === undefined
        ? rounds
        : `${rounds}: it may be up to ${format.percent(flag.share)} % higher`;
    }
    case 'few-offered':
      return `${format.integer(flag.queries)} queries of each rate, where ${flag.tier} requires ${format.integer(flag.asked)}: the time ran out`;
    case 'short-trials':
      return `${format.integer(flag.queries)} queries of each rate are too few for a bound of ${format.significant(flag.serviceTimes, 2)} times the service time: the queue has no time to reach its full length, and the rate is overestimated (${format.integer(flag.enough)} queries would be enough)`;
    case 'late-starts':
      return `queries were started late by EdgeFlex itself: 1 % of them by ${format.milliseconds(flag.milliseconds)} ms or more, ${format.percent(flag.share)} % of the bound`;
    case 'not-all-served':
      return `in ${flag.rounds} of ${flag.of} rounds the time ran out before all queries were served`;
    case 'processes-disagree':
      return `processes disagree: the medians of the rounds range from ${format.milliseconds(flag.fastest)} to ${format.milliseconds(flag.slowest)} ms`;
  }
}
