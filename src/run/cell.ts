import type { GraphTarget } from '../base/target.js';
import type { RootFailure } from '../protocol/failure.js';
import type { StoredCell } from '../store/read.js';
import type { PlannedVariant, Scenario } from '../suite/plan.js';
import type { LoadedModel } from '../model/load.js';
import type { Artifact, Artifacts } from './artifacts/artifact.js';
import type { DeviceSession } from './session.js';

/** A variant of a run that is ready to be measured. */
export interface Variant {
  readonly planned: PlannedVariant;
  /** How it is called in progress and messages: `int8`, or `vit-base / int8` where there are several models. */
  readonly name: string;
  readonly isBaseline: boolean;
  /** Whose weights it has, as the store keeps that. */
  readonly model: Pick<LoadedModel, 'synthetic' | 'card' | 'record' | 'scoredBy'>;
  readonly artifacts: Artifacts;
}

/** A variant of a run of which nothing could be made: its cells have failed. */
export interface RefusedVariant extends Pick<Variant, 'planned' | 'model'> {
  readonly failure: RootFailure;
}

/** Whether nothing could be made of a variant. */
export function isRefused(variant: Variant | RefusedVariant | undefined): variant is RefusedVariant {
  return variant !== undefined && 'failure' in variant;
}

/** A variant on a device: what cells of different scenarios have in common. */
export interface Subject {
  readonly variant: Variant;
  readonly session: DeviceSession;
  /** In the form that the device runs. */
  readonly artifact: Artifact;
}

/** One variant on one device in one scenario: the unit that is measured, stored and resumed. */
export interface Cell {
  /** Of its record in the store. */
  readonly id: number;
  /** Cells of one variant on one device share one. */
  readonly subject: Subject;
  readonly scenario: Scenario;
  /** How many rounds it is to have; an added round makes them more. */
  rounds: number;
  /** Rounds that are stored. */
  readonly stored: Set<number>;
  status: StoredCell['row']['status'];
}

/** A round of a cell and its position in the run's order. */
export interface CellRound {
  readonly cell: Cell;
  readonly round: number;
  readonly position: number;
}

/** A round of a cell that has no position yet. */
export type AddedRound = Omit<CellRound, 'position'>;

/** Images that go through a cell's model at once; more than the batch has where a model takes no fewer. */
export function microBatchOf({ subject, scenario }: Cell): number {
  const fixed = subject.artifact.raw?.batch ?? undefined;
  if (fixed !== undefined) return fixed;
  return Math.min(subject.variant.planned.recipe.recipe.microBatch ?? scenario.batch, scenario.batch);
}

/**
 * The artifact that is written for a target.
 *
 * @throws Error when none was made
 */
export function artifactIn(artifacts: Artifacts, target: GraphTarget): Artifact {
  const artifact = artifacts.get(target);
  if (artifact === undefined) throw new Error(`no artifact was made for ${target}`);
  return artifact;
}

/** Whether a round is still to be measured. */
export function isDue({ cell, round }: AddedRound): boolean {
  return cell.status === 'pending' && !cell.stored.has(round);
}

/** Whether a cell ended without having been measured. */
export function hasFailed({ status }: Cell): boolean {
  return status === 'failed' || status === 'unsupported';
}
