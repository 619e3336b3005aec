import type { GraphTarget } from '../base/target.js';
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
  readonly model: LoadedModel;
  readonly artifacts: Artifacts;
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

/** Images that go through a cell's model at once. */
export function microBatchOf({ subject, scenario }: Cell): number {
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
