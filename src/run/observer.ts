import type { Substitution } from '../base/substitution.js';
import type { SnapshotProgress } from '../net/hub-snapshot.js';
import type { Disturbance } from '../protocol/disturbance.js';
import type { Plan, Scenario } from '../suite/plan.js';
import type { Failure } from './run-state.js';

/**
 * What a run tells whoever watches it. Every method may be called often; none may throw. Several hosts measure at the same
 * time: what is said of a round may come between what is said of another.
 */
export interface RunObserver {
  /** The run has an id and a plan. */
  started(id: string, plan: Plan): void;
  /** A device cannot be used: each of its cells will fail with the reason. */
  unusable(device: string, reason: string): void;
  /** A device could not be closed properly, and something may be left there; why. */
  unclosed(device: string, reason: string): void;
  /** A variant is being compressed, or was found in the cache; how long that will take, where it can be said. */
  compressing(variant: string, done: number, what: string, secondsLeft?: number): void;
  /** A variant is ready. */
  compressed(variant: string, seconds: number, cached: boolean): void;
  /** A device runs the variant in another form than its recipe asks for: what differs. */
  rewritten(variant: string, substitutions: readonly Substitution[]): void;
  /** A round is being measured. */
  measuring(round: RoundProgress): void;
  /** A round was disturbed, and is measured once more when the machine is quiet. */
  disturbed(round: RoundProgress, disturbance: Disturbance): void;
  /** A round is stored, or its cell has failed. */
  measured(round: RoundProgress, failure: Failure | undefined): void;
}

/** Where a run is. */
export interface RoundProgress {
  /** The variant's name: `int8`, or `vit-base / int8` where there are several models. */
  readonly variant: string;
  readonly device: string;
  readonly scenario: Scenario;
  readonly round: number;
  /** Position in the run's order, from 0. */
  readonly position: number;
  /** Rounds of the run, and how many of them are over. */
  readonly rounds: number;
  readonly over: number;
  /** Of all rounds of the run, 0 … 1. */
  readonly overall: number;
  /** What the agent does: `warm-up`, `steady`. */
  readonly phase: string;
  /** Of this round, 0 … 1. */
  readonly done: number;
  /** Seconds that the rest of the run will take, as far as can be said: those of the slowest host. */
  readonly secondsLeft: number;
}

/**
 * How far a model's download is, for `compressing` and the like.
 *
 * @param progress - of the download
 * @returns the share that is done, and what happens in words
 */
export function fetchWords(progress: SnapshotProgress): [number, string] {
  const { file } = progress;
  switch (progress.kind) {
    case 'receiving': {
      const { received, total } = progress;
      const amount = `${mebibytes(received)}${total === undefined ? '' : ` of ${mebibytes(total)}`}`;
      return [total ? received / total : 0, `fetching ${file}, ${amount}`];
    }
    case 'waiting':
      return [0, `${file}: ${progress.reason}; trying again in ${progress.seconds} s`];
    case 'verifying':
      return [1, `verifying ${file}`];
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
