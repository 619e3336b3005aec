import type { ProbeBounds } from '../run/probe.js';
import type { BuildContext } from '../run/artifacts/build-context.js';
import type { Device } from '../device/device.js';
import type { Turns } from './measure.js';

/** How much is measured. */
export interface Effort {
  /** Rounds of the models that the device is fitted to; a few more where the fit is poor. */
  readonly probeRounds: number;
  /** Rounds in which recipes are measured in turn with fp32; at least two. */
  readonly rounds: number;
  /** How long a model is timed in a round of recipes, in seconds; half of it in a round of probes. */
  readonly seconds: number;
}

/** What a search takes unless somebody says otherwise. */
export const usualEffort: Effort = { probeRounds: 2, rounds: 5, seconds: 1 };

/** What all parts of a search share: runtime, training images, device and progress. */
export type SearchContext = BuildContext & { readonly device: Device };

/** However slow a model is, it is timed so often in a round. */
const LEAST_QUERIES = 5;
const MOST_SECONDS = 20;

/**
 * How models are measured in turn.
 *
 * @param context - the device, the seed and the signal
 * @param rounds - how many
 * @param seconds - how long a model is timed in a round
 * @param turn - changes the order
 */
export function turnsOf(
  { device, seed, signal }: SearchContext,
  rounds: number,
  seconds: number,
  turn: number,
): Omit<Turns, 'onProgress'> {
  const bounds: ProbeBounds = {
    minQueries: LEAST_QUERIES,
    minSeconds: seconds,
    maxSeconds: MOST_SECONDS,
    maxWarmupSeconds: seconds,
  };
  return { device, rounds, bounds, seed: seed + turn, signal };
}
