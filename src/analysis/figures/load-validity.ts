import { median } from 'simple-statistics';
import { enoughQueries, serviceTimes } from '../../stats/load.js';
import { serverTiers, type Tier } from '../../suite/schema.js';
import type { StoredCell } from '../../store/read.js';
import { boundOf, searchOf, startDelayOf } from './load.js';
import { soundnessOf } from './soundness.js';
import type { Flag } from './validity.js';

/** Starts that are late by more than this share of the bound say more of the sleep between queries than of the model. */
const LATE_SHARE = 0.05;

/** What a query takes is known at the end of the warm-up only so well that trials of this share of enough queries are long enough. */
const SHORT_SHARE = 0.5;

/**
 * What speaks against a cell of load in particular.
 *
 * @param cell - of kind `server` or `offline`
 */
export function loadFlags(cell: StoredCell): (Flag | undefined)[] {
  return cell.row.kind === 'server'
    ? [endedSearch(cell), fewOffered(cell) ?? shortTrials(cell), lateStarts(cell)]
    : [notAllServed(cell)];
}

function endedSearch(cell: StoredCell): Flag | undefined {
  const { rounds } = soundnessOf(cell);
  const searches = rounds.map((round) => searchOf(round, boundOf(cell)));
  const wide = searches.filter(({ narrowed, hopeless }) => !narrowed && !hopeless);
  if (wide.length === 0) return undefined;
  const shares = wide.map(({ held, failed }) => (held && failed ? failed / held - 1 : Infinity));
  const share = Math.max(...shares);
  return {
    ...{ kind: 'search-ended', rounds: wide.length, of: rounds.length },
    share: Number.isFinite(share) ? share : undefined,
  };
}

function fewOffered(cell: StoredCell): Flag | undefined {
  const { tier } = cell.row;
  if (tier === null || !Object.hasOwn(serverTiers, tier)) return undefined;
  const { queries: asked } = serverTiers[tier as Tier];
  const { rounds } = soundnessOf(cell);
  const planned = rounds.flatMap(({ trials }) => trials.map((trial) => trial.planned));
  const queries = Math.min(...planned);
  return queries < asked ? { kind: 'few-offered', queries, tier: tier as Tier, asked } : undefined;
}

function shortTrials(cell: StoredCell): Flag | undefined {
  const trials = soundnessOf(cell).rounds.flatMap((round) => round.trials);
  const times = trials.flatMap((trial) => serviceTimes(trial));
  if (times.length === 0) return undefined;
  const [bound, service] = [boundOf(cell), median(times)];
  const [queries, enough] = [
    Math.min(...trials.map(({ planned }) => planned)),
    enoughQueries(bound, service),
  ];
  // Where the model alone takes longer than the bound there is no queue.
  return bound > service && queries < SHORT_SHARE * enough
    ? { kind: 'short-trials', queries, enough, serviceTimes: bound / service }
    : undefined;
}

function lateStarts(cell: StoredCell): Flag | undefined {
  const milliseconds = startDelayOf(soundnessOf(cell).rounds);
  const share = milliseconds / boundOf(cell);
  return share > LATE_SHARE ? { kind: 'late-starts', milliseconds, share } : undefined;
}

function notAllServed(cell: StoredCell): Flag | undefined {
  const { rounds } = soundnessOf(cell);
  const cut = rounds.filter(({ trials }) => trials.some(({ ended, planned }) => ended.length < planned));
  return cut.length > 0 ? { kind: 'not-all-served', rounds: cut.length, of: rounds.length } : undefined;
}
