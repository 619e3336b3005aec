import type { RootFailure } from '../protocol/failure.js';
import type { Measurement } from '../protocol/measurement.js';
import { loadLogits, type Logits } from '../store/read.js';
import { artifactIn, microBatchOf, type Cell, type Subject } from './cell.js';
import {
  agreementDifference,
  differenceFailure,
  finiteFailure,
  kernelFailure,
  outputDifference,
  type Difference,
} from './checks.js';
import { INTEGER_INPUTS } from './exact-products.js';
import { firstWithoutTie } from './near-ties.js';
import type { RunState } from './run-state.js';
import type { DeviceSession } from './session.js';

/**
 * What is wrong with a measurement that went through: no numbers, other kernels than meant, other answers than before.
 *
 * @param state - of the run, with what it has stored of the cell's variant so far
 * @param cell - what was measured
 * @param measurement - what that yielded
 * @returns undefined when nothing is
 */
export async function measurementFailure(
  state: RunState,
  cell: Cell,
  measurement: Measurement,
): Promise<RootFailure | undefined> {
  const { scenario, subject } = cell;
  const { variant, session, artifact } = subject;
  const { logits, kernels, started } = measurement;
  switch (scenario.kind) {
    case 'accuracy': {
      const fault = finiteFailure(logits, (image) => image);
      if (fault !== undefined) return fault;
      const reference = state.cells.find(({ subject: { session: other } }) => isLocal(other))?.subject
        .session;
      // How often another form gives the same class is in the report.
      if (reference === undefined || reference === session || !computesAsCpu(subject)) return undefined;
      const scored = await scoredLogits(state, variant, reference);
      return scored && apartFailure(subject, agreementDifference(artifact, logits, scored.values));
    }
    case 'kernels': {
      const parts = Math.ceil(scenario.batch / microBatchOf(cell));
      return started && kernelFailure(artifact, kernels, parts, started.runtime.provider);
    }
    case 'performance':
    case 'server':
    case 'offline': {
      const imageOf = (index: number): number => session.imageAt(index);
      const fault = finiteFailure(logits, imageOf);
      if (fault !== undefined) return fault;
      const scored = await scoredLogits(state, variant, session);
      return scored && apartFailure(subject, outputDifference(artifact, logits, imageOf, scored.values));
    }
  }
}

/** What images that lie apart make of a measurement: nothing, where tokens are merged and each is one of which two choices are as good. */
async function apartFailure(
  { artifact, session }: Subject,
  difference: Difference | undefined,
): Promise<RootFailure | undefined> {
  if (difference === undefined) return undefined;
  const left =
    artifact.merges === true
      ? await firstWithoutTie(artifact, await session.images(artifact), difference)
      : difference.apart[0];
  return left && differenceFailure(difference, left);
}

function isLocal({ device }: DeviceSession): boolean {
  return device.profile.kind === 'local';
}

/** Whether the device's form has 8-bit inputs where the processor's form has them. */
function computesAsCpu({ variant, artifact }: Subject): boolean {
  const { kernels } = artifactIn(variant.artifacts, 'cpu');
  return INTEGER_INPUTS.every((opType) => (kernels[opType] ?? 0) === (artifact.kernels[opType] ?? 0));
}

/** What the accuracy pass of a variant on a device gave; undefined when there is none yet. */
async function scoredLogits(
  state: RunState,
  variant: Subject['variant'],
  session: DeviceSession,
): Promise<Logits | undefined> {
  const cell = state.accuracyCell(variant, session);
  return cell && loadLogits(state.db, cell.id);
}
