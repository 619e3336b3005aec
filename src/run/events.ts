import type { Substitution } from '../base/substitution.js';
import type { SnapshotProgress } from '../net/hub-snapshot.js';
import type { Disturbance } from '../protocol/disturbance.js';
import type { RootFailure } from '../protocol/failure.js';
import type { Scenario } from '../suite/plan.js';
import type { HostProgress } from './progress.js';
import type { Failure } from './run-state.js';

/**
 * What happens during a run. Several hosts measure at the same time: what is said of a round may come between what is said of
 * another.
 */
export type RunEvent =
  /** The run has an id and a plan. */
  | {
      readonly kind: 'started';
      readonly id: string;
      /** How many of each the run has, as far as is planned. */
      readonly variants: number;
      readonly cells: number;
      readonly rounds: number;
    }
  /** A device cannot be used: each of its cells will fail with the reason. */
  | { readonly kind: 'unusable'; readonly device: string; readonly reason: string }
  /** A device could not be closed properly, and something may be left there; why. */
  | { readonly kind: 'unclosed'; readonly device: string; readonly reason: string }
  /** What was measured cannot be delivered to the shared store now, and is kept: why. Said once until it can be. */
  | { readonly kind: 'undelivered'; readonly place: string; readonly reason: string }
  /** It has been delivered after all. */
  | { readonly kind: 'delivered'; readonly place: string }
  /** The clock of this machine is so many seconds ahead of the shared store's; negative where it is behind. */
  | { readonly kind: 'clock'; readonly seconds: number }
  /** A model is made ready: fetched, its images decoded, a head fitted. */
  | ({ readonly kind: 'loading'; readonly model: string } & LoadingStep)
  /** A variant is being compressed, or was found in the cache. */
  | {
      readonly kind: 'compressing';
      readonly variant: string;
      /** From 0 to 1. */
      readonly done: number;
      /** What is being done now, in words. */
      readonly text: string;
      /** How long it will take, where that can be said. */
      readonly secondsLeft?: number | undefined;
    }
  /** Nothing can be made of a variant: each of its cells has failed with the reason. */
  | { readonly kind: 'refused'; readonly variant: string; readonly failure: RootFailure }
  /** A variant is ready. */
  | {
      readonly kind: 'compressed';
      readonly variant: string;
      readonly seconds: number;
      /** Whether the cache held it already. */
      readonly cached: boolean;
    }
  /** A device runs the variant in another form than its recipe asks for: what differs. */
  | {
      readonly kind: 'rewritten';
      readonly variant: string;
      readonly substitutions: readonly Substitution[];
    }
  /** A round is being measured. */
  | ({ readonly kind: 'measuring' } & RoundProgress)
  /** A round was disturbed, and is measured once more when the machine is quiet. */
  | ({ readonly kind: 'disturbed'; readonly disturbance: Disturbance } & RoundProgress)
  /** A round is stored, or its cell has failed. */
  | ({
      readonly kind: 'measured';
      /** Why there is nothing; undefined where the round was stored. */
      readonly failure: Failure | undefined;
    } & RoundProgress);

/** Where events of a run go. It is called often, and may not throw. */
export type EmitRunEvent = (event: RunEvent) => void;

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
  /** The machine that measures it, and how far that one is. */
  readonly host: HostProgress & { readonly name: string };
}

/** How far something is that comes before a model can be compressed: files that are fetched, images that are decoded, a head. */
export interface LoadingStep {
  /** What it is: progress begins anew with another one. */
  readonly task: string;
  /** From 0 to 1. */
  readonly done: number;
  /** What is being done now, in words. */
  readonly text: string;
}

/**
 * How far a model's download is.
 *
 * @param progress - of the download
 */
export function fetchStep(progress: SnapshotProgress): LoadingStep {
  const { file } = progress;
  const task = `fetch ${file}`;
  switch (progress.kind) {
    case 'receiving': {
      const { received, total } = progress;
      const amount = `${mebibytes(received)}${total === undefined ? '' : ` of ${mebibytes(total)}`}`;
      return { task, done: total ? received / total : 0, text: `fetching ${file}, ${amount}` };
    }
    case 'waiting':
      return { task, done: 0, text: `${file}: ${progress.reason}; trying again in ${progress.seconds} s` };
    case 'verifying':
      return { task, done: 1, text: `verifying ${file}` };
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
