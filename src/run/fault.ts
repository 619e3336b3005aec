import type { Measurement } from '../protocol/measurement.js';
import type { Db } from '../store/open.js';
import { loadLogits } from '../store/read.js';
import type { CellRow } from '../store/tables.js';
import type { Plan, PlannedCell } from '../suite/plan.js';
import type { Artifact } from './artifact.js';
import { kernelFault, outputFault } from './checks.js';
import type { DeviceSession } from './session.js';

/** What checking a measurement needs; lists are in the plan's order. */
interface Known {
  readonly db: Db;
  readonly plan: Plan;
  readonly cells: readonly CellRow[];
  readonly artifacts: readonly Artifact[];
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
  { db, plan, cells, artifacts, sessions }: Known,
  { variant, device, scenario }: PlannedCell,
  measurement: Measurement,
): Promise<string | undefined> {
  const { batch } = scenario;
  switch (scenario.kind) {
    case 'accuracy':
      return undefined;
    case 'kernels': {
      const parts = Math.ceil(batch / (plan.variants[variant]!.recipe.recipe.microBatch ?? batch));
      return kernelFault(
        artifacts[variant]!,
        measurement.kernels,
        parts,
        measurement.started!.runtime.provider,
      );
    }
    case 'performance': {
      const scored = plan.cells.findIndex(
        (cell) => cell.variant === variant && cell.device === device && cell.scenario.kind === 'accuracy',
      );
      const accuracy = await loadLogits(db, cells[scored]!.id);
      if (accuracy === undefined) return undefined;
      return outputFault(measurement.logits, sessions[device]!.batchIndices(batch), accuracy.values);
    }
  }
}
