import type { Measurement } from '../protocol/measurement.js';
import type { Db } from '../store/open.js';
import { loadLogits, type Logits } from '../store/read.js';
import type { CellRow } from '../store/tables.js';
import type { Plan, PlannedCell } from '../suite/plan.js';
import type { Artifacts } from './artifacts/artifact.js';
import { agreementFault, kernelFault, outputFault } from './checks.js';
import type { DeviceSession } from './session.js';

/** What checking a measurement needs; lists are in the plan's order. */
interface Known {
  readonly db: Db;
  readonly plan: Plan;
  readonly cells: readonly CellRow[];
  readonly artifacts: readonly Artifacts[];
  readonly sessions: readonly DeviceSession[];
}

/**
 * What is wrong with a measurement that went through: other kernels than meant, other answers than before.
 *
 * @param known - the run, with what it has stored of the cell's variant so far
 * @param cell - what was measured
 * @param measurement - what that yielded
 * @returns undefined when nothing is
 */
export async function measurementFault(
  known: Known,
  cell: PlannedCell,
  measurement: Measurement,
): Promise<string | undefined> {
  const { plan, artifacts, sessions } = known;
  const { variant, device, scenario } = cell;
  const { batch } = scenario;
  const artifact = artifacts[variant]!.get(sessions[device]!.device.target)!;
  switch (scenario.kind) {
    case 'accuracy': {
      const reference = sessions.findIndex((session) => session.device.profile.kind === 'local');
      // Another form computes something else; how often it gives the same class is in the report.
      if (reference < 0 || reference === device || artifact.instead?.includes('W8A8')) return undefined;
      const logits = await scoredLogits(known, variant, reference);
      return logits && agreementFault(artifact, measurement.logits, logits.values);
    }
    case 'kernels': {
      const parts = Math.ceil(batch / (plan.variants[variant]!.recipe.recipe.microBatch ?? batch));
      return kernelFault(artifact, measurement.kernels, parts, measurement.started!.runtime.provider);
    }
    case 'performance': {
      const accuracy = await scoredLogits(known, variant, device);
      if (accuracy === undefined) return undefined;
      const indices = sessions[device]!.batchIndices(batch);
      return outputFault(artifact, measurement.logits, indices, accuracy.values);
    }
  }
}

/** What the accuracy pass of a variant on a device gave; undefined when there is none yet. */
async function scoredLogits(
  { db, plan, cells }: Known,
  variant: number,
  device: number,
): Promise<Logits | undefined> {
  const scored = plan.cells.findIndex(
    (cell) => cell.variant === variant && cell.device === device && cell.scenario.kind === 'accuracy',
  );
  return loadLogits(db, cells[scored]!.id);
}
