import { median, quantileSorted } from 'simple-statistics';
import { driftOf } from '../../stats/drift.js';
import type { StoredCell, StoredRound } from '../../store/read.js';
import { tiers, type Tier } from '../../suite/schema.js';
import * as format from '../format.js';

/** What a device was like at a moment. */
type Conditions = StoredRound['conditions'][number]['conditions'];

/** Why a measurement may not be what it seems. */
export type FlagName =
  | 'never-steady'
  | 'drift'
  | 'frequency-changed'
  | 'throttled'
  | 'other-load'
  | 'smoke-tier'
  | 'few-samples'
  | 'processes-disagree';

/** A doubt about a cell: nothing is left out for it, but whoever reads the figures must know. */
export interface Flag {
  readonly name: FlagName;
  /** Marks the cell in a table: ‡ for what never got steady, ⚑ for everything else. */
  readonly sign: '‡' | '⚑';
  /** What was seen, with its figure: half a sentence. */
  readonly text: string;
}

/**
 * A round drifts when its trend is significant at this level and at least so large from its first query to its last. Between
 * neighbouring rounds of a quiet machine medians differ by 1 to 3 %, so that less than that is no news within one.
 */
const DRIFT_SIGNIFICANCE = 0.05;
const DRIFT_SHARE = 0.05;

/** The fastest core's frequencies while queries are timed may differ by so much: latency changes by as much as they do. */
const FREQUENCY_SHARE = 0.05;

/** So much of a core may go to others. A quiet machine stays below 0.06, mostly the harness; one busy process takes 0.5 to 1. */
const OTHER_LOAD = 0.15;

/** Medians of two rounds that lie so far apart, while their middle halves do not meet, are of processes that disagree. */
const DISAGREEMENT_SHARE = 0.1;

/**
 * What speaks against a cell of performance, from its raw data alone.
 *
 * @param cell - a cell of performance with its rounds
 * @returns in the order in which they are told; none when nothing does
 */
export function flagsOf(cell: StoredCell): Flag[] {
  const { rounds } = cell;
  const seen = rounds.flatMap(timedConditions);
  const found: readonly (readonly [FlagName, string | undefined])[] = [
    ['never-steady', unsteady(rounds)],
    ['drift', drift(rounds)],
    ['frequency-changed', changedFrequency(seen)],
    ['throttled', throttled(seen)],
    ['other-load', otherLoad(seen)],
    ['smoke-tier', smokeTier(cell)],
    ['few-samples', fewSamples(cell)],
    ['processes-disagree', disagreement(rounds)],
  ];
  return found.flatMap(([name, text]) =>
    text === undefined ? [] : [{ name, sign: name === 'never-steady' ? '‡' : '⚑', text }],
  );
}

function unsteady(rounds: readonly StoredRound[]): string | undefined {
  const count = rounds.filter(({ row }) => row.steady === 0).length;
  return count > 0 ? `${count} of ${rounds.length} rounds never reached a steady state` : undefined;
}

function drift(rounds: readonly StoredRound[]): string | undefined {
  const drifts = rounds.map(({ samples }) => driftOf(samples));
  const found = drifts.filter(({ share, p }) => p < DRIFT_SIGNIFICANCE && Math.abs(share) >= DRIFT_SHARE);
  if (found.length * 2 <= rounds.length) return undefined;
  const share = median(found.map((each) => each.share));
  const way = share > 0 ? 'slower' : 'faster';
  return (
    `latency drifted in ${found.length} of ${rounds.length} rounds, ` +
    `by ${format.percent(Math.abs(share))} % to the ${way} from first to last (median)`
  );
}

function changedFrequency(seen: readonly Conditions[]): string | undefined {
  const governors = [...new Set(seen.map(({ governor }) => governor).filter((each) => each !== undefined))];
  if (governors.length > 1) return `the frequency governor changed: ${governors.join(', ')}`;
  const fastest = seen.map(({ fastestCore }) => fastestCore).filter((each) => each !== undefined);
  if (fastest.length === 0) return undefined;
  const [least, most] = [Math.min(...fastest), Math.max(...fastest)];
  if (most - least <= FREQUENCY_SHARE * most) return undefined;
  return `the fastest core went between ${format.integer(least)} and ${format.integer(most)} MHz while queries were timed`;
}

function throttled(seen: readonly Conditions[]): string | undefined {
  const held = seen.filter(({ throttling }) => throttling !== undefined && throttling.length > 0);
  if (held.length === 0) return undefined;
  const reasons = [...new Set(held.flatMap(({ throttling }) => throttling!))];
  return `the processor was held back (${reasons.join(', ')}) at ${held.length} of ${seen.length} moments`;
}

function otherLoad(seen: readonly Conditions[]): string | undefined {
  const loads = seen
    .map(({ otherLoad: load, stolen }) => (load === undefined ? undefined : load + (stolen ?? 0)))
    .filter((load) => load !== undefined);
  if (loads.length === 0) return undefined;
  const typical = median(loads);
  if (typical <= OTHER_LOAD) return undefined;
  const much = `${format.significant(typical, 2)} ${typical < 1 ? 'of a core' : 'cores'}`;
  return `others took ${much} while queries were timed (median)`;
}

function smokeTier({ row }: StoredCell): string | undefined {
  const tier: Tier = 'smoke';
  return row.tier === tier
    ? `measured at tier ${tier}: it shows that the cell runs, not how fast`
    : undefined;
}

function fewSamples({ row, rounds }: StoredCell): string | undefined {
  if (row.tier === null || !Object.hasOwn(tiers, row.tier)) return undefined;
  const { minQueries } = tiers[row.tier as Tier];
  const queries = rounds.reduce((sum, { samples }) => sum + samples.length, 0);
  if (queries >= minQueries) return undefined;
  return `${format.integer(queries)} queries, where ${row.tier} asks for ${format.integer(minQueries)}: there was no time for more`;
}

function disagreement(rounds: readonly StoredRound[]): string | undefined {
  const quartiles = rounds
    .filter(({ samples }) => samples.length > 0)
    .map(({ samples }) => {
      const sorted = [...samples].sort((a, b) => a - b);
      const at = (share: number): number => quantileSorted(sorted, share);
      return { lower: at(0.25), middle: at(0.5), upper: at(0.75) };
    })
    .sort((a, b) => a.middle - b.middle);
  const [fastest, slowest] = [quartiles[0], quartiles.at(-1)];
  if (fastest === undefined || slowest === undefined) return undefined;
  const apart = slowest.middle / fastest.middle - 1 > DISAGREEMENT_SHARE && slowest.lower > fastest.upper;
  if (!apart) return undefined;
  return (
    `processes disagree: the rounds' medians go from ${format.milliseconds(fastest.middle)} ` +
    `to ${format.milliseconds(slowest.middle)} ms`
  );
}

/** What the device was like while queries were timed. */
function timedConditions({ conditions }: StoredRound): Conditions[] {
  return conditions.filter(({ phase }) => phase === 'steady').map((each) => each.conditions);
}
