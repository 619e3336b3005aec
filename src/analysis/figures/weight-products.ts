import type { StoredDevice, StoredRun } from '../../store/read.js';
import { sessionsOf } from '../sessions.js';
import { stagesOf } from '../stages.js';

/** Formats of the stage `quantize` whose products MatMulNBits computes. */
const WEIGHT_FORMATS: readonly unknown[] = ['w8', 'w4'];

/** The provider whose kernels are chosen by the processor's features. */
const CPU = 'CPUExecutionProvider';

/**
 * Whether a device of a run multiplied weights of 8 and 4 bits in float32, and has a variant with such. On ARM64 processors that have
 * no dot products of 8-bit integers (`asimddp`) ONNX Runtime widens the weights while it runs; elsewhere it quantises the inputs to
 * 8 bits and multiplies integers. `npm run bench -- arm-forms` shows it: the logits are those of float32 arithmetic.
 *
 * @param device - of the run
 * @param run - the run
 */
export function widensWeights(device: StoredDevice, run: StoredRun): boolean {
  const { features } = device.environment.cpu;
  // Every ARM64 processor that tells its features has the first.
  if (!features.includes('asimd') || features.includes('asimddp')) return false;
  const cells = run.cells.filter(({ variant }) =>
    stagesOf(variant).some(
      ({ stage, options }) => stage === 'quantize' && WEIGHT_FORMATS.includes(options['format']),
    ),
  );
  return sessionsOf(device, { ...run, cells }).some(({ runtime }) => runtime.provider === CPU);
}
