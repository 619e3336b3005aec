import type { PluginRecord } from '../base/plugin.js';
import type { SharedRun } from '../run/record.js';
import type { QueueName } from './boss.js';
import type { Labels, Requirement } from './requirements.js';

/**
 * Version of what the queue and its workers say to each other: of a job's content and of the spool. A worker takes no job of another one;
 * it is raised when either changes its meaning.
 */
export const QUEUE_PROTOCOL = 1;

/** One place where a run is to be measured, or its compression. */
export interface NewJob {
  /** A UUID. */
  readonly id: string;
  readonly queue: QueueName;
  /** Number of the place in its run, from 1 on; 0 for compressing. */
  readonly place: number;
  /** The device that is asked for, by its own name or that of its profile; null for any that meets what is needed. */
  readonly device: string | null;
  readonly needs: readonly Requirement[];
  /** Whether an identical device may go on with it. */
  readonly identical: boolean;
}

/** A run that somebody wants measured, and its jobs. */
export interface Submission {
  /** What the run is in every store, also before anybody has begun it: the parts of all places come together by that. */
  readonly run: SharedRun;
  /** Name of the suite. */
  readonly suite: string;
  readonly person: string;
  readonly command: string;
  readonly version: string;
  /** What `portableSuite` gave. */
  readonly plan: object;
  readonly plugins: readonly PluginRecord[];
  /** Higher ones come first. */
  readonly priority: number;
  readonly jobs: readonly NewJob[];
}

/** A worker as it makes itself known. */
export interface WorkerRecord {
  readonly name: string;
  /** A UUID of this process: a worker of the same name that is started anew has another. */
  readonly process: string;
  /** The machine it runs on. */
  readonly host: string;
  readonly version: string;
  /** How long its jobs stay its own without a sign of life, in seconds. */
  readonly leaseSeconds: number;
}

/** A device of a worker. */
export interface OfferedDevice {
  /** Name of the one device: `pi5-a`, or `local-cpu@lab3` for what a profile finds on every machine. */
  readonly name: string;
  /** Name in its profile. */
  readonly profile: string;
  /** The machine that does the work: one job at a time. */
  readonly host: string;
  /** Equal for identical devices. */
  readonly class: string;
  readonly labels: Labels;
}

/** A job that a worker has taken. */
export interface TakenJob {
  /** The lease: whoever has it may say what becomes of the job. */
  readonly token: string;
  readonly id: string;
  readonly queue: QueueName;
  readonly run: SharedRun;
  readonly place: number;
  /** The device that it was begun on, by which what is measured is recorded: this one, or an identical one. */
  readonly device: string;
  readonly identical: boolean;
  readonly suite: string;
  readonly person: string;
  readonly command: string;
  readonly plan: object;
  readonly plugins: readonly PluginRecord[];
  /** Rounds that are measured already, as far as the queue has them. */
  readonly rounds: number;
  /** How many of its cells have failed; null before it is measured. */
  readonly failedCells: number | null;
  /** Who had it before; null for a new one. */
  readonly before: string | null;
}

/** What a worker learns when it gives a sign of life. */
export interface Pulse {
  /** Whether it is to take no more jobs. */
  readonly draining: boolean;
  /** What holds of each lease that is still its own, by token; one that is not here is lost. */
  readonly leases: ReadonlyMap<string, 'held' | 'cancelled'>;
}

/**
 * How a job is called: its run and its place.
 *
 * @param job - of a run
 */
export function jobName({ run, place }: Pick<TakenJob | ListedJob, 'run' | 'place'>): string {
  return `${typeof run === 'string' ? run : run.id}/${place}`;
}

/** How a job ended that has ended. */
export type Outcome = 'done' | 'failed' | 'cancelled';

/** A job as the queue shows it. */
export interface ListedJob {
  readonly id: string;
  readonly queue: QueueName;
  readonly run: string;
  readonly place: number;
  readonly suite: string;
  readonly version: string;
  readonly person: string;
  readonly priority: number;
  readonly device: string | null;
  readonly needs: readonly Requirement[];
  /** `waiting`, `running`, or how it ended. */
  readonly state: 'waiting' | 'running' | Outcome;
  /** Who works on it, and where; null while nobody does. */
  readonly worker: string | null;
  readonly on: string | null;
  /** Rounds that the queue has of it. */
  readonly rounds: number;
  readonly failedCells: number | null;
  readonly reason: string | null;
  /** Ready devices of living workers that may have it. */
  readonly candidates: number;
  /** ISO 8601, UTC. */
  readonly submittedAt: string;
  readonly endedAt: string | null;
}

/** One worker's work on a job. */
export interface ListedTake {
  readonly job: string;
  readonly worker: string;
  readonly device: string;
  /** Rounds that were there when it was taken. */
  readonly rounds: number;
  readonly takenAt: string;
  readonly endedAt: string | null;
  readonly outcome: Outcome | 'released' | 'lost' | null;
  readonly reason: string | null;
}

/** A device as the queue shows it. */
export interface ListedDevice {
  readonly name: string;
  readonly worker: string;
  readonly state: 'idle' | 'busy' | 'unreachable' | 'draining' | 'silent';
  /** The job that it is busy with. */
  readonly job: string | null;
  readonly reason: string | null;
  readonly version: string;
  /** When its worker last gave a sign of life, ISO 8601, UTC. */
  readonly seenAt: string;
}
