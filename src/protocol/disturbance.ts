import { median } from 'simple-statistics';
import type { Conditions } from './conditions.js';

/**
 * So much of a core may go to others while queries are timed. A quiet machine stays below 0.06, mostly the harness; one busy
 * process takes 0.5 to 1.
 */
export const MOST_OTHER_CORES = 0.15;

/** Two latencies from core to core that differ by more than this factor are of two placements: near and far differ fivefold. */
const MOST_PLACEMENT_RATIO = 1.8;

/** A core that needs this many times as long as usual is shared, or runs at a lower frequency: it is 1.4 where all of it is shared, */
const SLOW_PACE = 1.15;

/** and over more than this share of the time it moves a median by a percent and more. */
const MOST_SLOW_SHARE = 0.15;

/** Of fewer looks than this, one that an interrupt held up would be such a share. */
const LEAST_PACES = 10;

/** What a device was like at a moment of a phase. */
export interface SeenConditions {
  readonly phase: string;
  readonly conditions: Conditions;
}

/** How long a cache line takes from one core to another, in nanoseconds, before and after a round. */
export interface Placement {
  readonly before: number;
  readonly after: number;
}

/** What disturbed a timed round so much that its latencies say nothing of the model. */
export type Disturbance =
  /** Processor time of everything but the agent, and what a hypervisor gave to others, in cores. */
  | { readonly kind: 'other-load'; readonly cores: number }
  /** The hypervisor moved the processors while the round went on. */
  | { readonly kind: 'moved'; readonly before: number; readonly after: number }
  /**
   * The core computed more slowly than usual for a share of the time, though no other load was seen: so many times as long as usual
   * took a fixed computation then.
   */
  | { readonly kind: 'slowed'; readonly share: number; readonly factor: number }
  /** The processor was held back: the reasons that it gave. */
  | { readonly kind: 'throttled'; readonly reasons: readonly string[] };

/**
 * What disturbed a timed round.
 *
 * @param conditions - what the device was like, in the order it was seen
 * @param placement - of its cores; undefined where that does not matter or cannot be seen
 * @param usual - pace of this device's core in such rounds, in nanoseconds, see `usualPace`; undefined where it is not known
 * @returns empty when nothing did, as far as can be seen
 */
export function disturbancesOf(
  conditions: readonly SeenConditions[],
  placement: Placement | undefined,
  usual?: number,
): Disturbance[] {
  const found: Disturbance[] = [];
  const cores = otherCores(conditions);
  if (cores !== undefined && cores > MOST_OTHER_CORES) found.push({ kind: 'other-load', cores });
  if (placement !== undefined && !placedAlike(placement.before, placement.after))
    found.push({ kind: 'moved', ...placement });
  if (usual !== undefined) found.push(...slowedBy(pacesOf(conditions), usual));
  const timed = conditions.filter(({ phase }) => phase === 'steady');
  const reasons = new Set(timed.flatMap(({ conditions: { throttling = [] } }) => throttling));
  if (reasons.size > 0) found.push({ kind: 'throttled', reasons: [...reasons] });
  return found;
}

function slowedBy(paces: readonly number[], usual: number): Disturbance[] {
  if (paces.length < LEAST_PACES) return [];
  const slow = paces.filter((pace) => pace > SLOW_PACE * usual);
  const share = slow.length / paces.length;
  return share > MOST_SLOW_SHARE ? [{ kind: 'slowed', share, factor: median(slow) / usual }] : [];
}

function pacesOf(conditions: readonly SeenConditions[]): number[] {
  return conditions.flatMap(({ phase, conditions: { paces = [] } }) => (phase === 'steady' ? paces : []));
}

/**
 * The pace that is usual in rounds of one device: the median of those of its rounds, each the median of what was seen in it. So at
 * least half of the rounds are as fast as this, whatever happened to the others.
 *
 * @param rounds - what the device was like in each
 * @returns in nanoseconds a step; undefined where no round tells it
 */
export function usualPace(rounds: readonly (readonly SeenConditions[])[]): number | undefined {
  const paces = rounds.map(pacesOf).filter(({ length }) => length > 0);
  return paces.length > 0 ? median(paces.map(median)) : undefined;
}

/**
 * Processor time that everything but the agent took while queries were timed, with what a hypervisor gave to others, in cores: the
 * mean over that time.
 *
 * @param conditions - what the device was like, in the order it was seen
 * @returns undefined where the device does not tell
 */
export function otherCores(conditions: readonly SeenConditions[]): number | undefined {
  let since = 0;
  let [time, taken] = [0, 0];
  for (const { phase, conditions: seen } of conditions) {
    if (seen.otherLoad === undefined) continue;
    const span = seen.at - since;
    since = seen.at;
    if (phase !== 'steady') continue;
    time += span;
    taken += span * (seen.otherLoad + (seen.stolen ?? 0));
  }
  return time > 0 ? taken / time : undefined;
}

/**
 * Whether two latencies from core to core are of one placement.
 *
 * @param a - in nanoseconds
 * @param b - likewise
 */
export function placedAlike(a: number, b: number): boolean {
  return Math.max(a, b) <= MOST_PLACEMENT_RATIO * Math.min(a, b);
}
