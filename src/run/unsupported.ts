import type { Device } from '../device/device.js';
import type { RootFailure } from '../protocol/failure.js';
import { isTimed, type Scenario } from '../suite/plan.js';
import type { Artifact } from './artifacts/artifact.js';

/**
 * Why a device cannot run an artifact in a scenario, as far as can be known without trying.
 *
 * @param artifact - written for the device's target
 * @param device - the device
 * @param scenario - how it is to be driven
 * @param classes - of the images
 * @returns undefined when nothing speaks against it
 */
export function unsupportedReason(
  { fileBytes, largestConstant, raw }: Pick<Artifact, 'fileBytes' | 'largestConstant' | 'raw'>,
  { limits: { model = Infinity, weight = Infinity } = {} }: Pick<Device, 'limits'>,
  scenario: Scenario,
  classes: number,
): RootFailure | undefined {
  if (largestConstant > weight) return { kind: 'weight-too-large', bytes: largestConstant, most: weight };
  if (fileBytes >= model) return { kind: 'model-too-large', bytes: fileBytes, most: model };
  if (raw === undefined) return undefined;
  const { kind, batch } = scenario;
  if (kind === 'accuracy' && raw.classes !== classes)
    return { kind: 'other-classes', has: raw.classes, images: classes };
  // Images are classified and kernels listed in as many parts as it takes; what is timed is one batch at once.
  if (isTimed(scenario) && raw.batch !== null && raw.batch !== batch)
    return { kind: 'fixed-batch', takes: raw.batch, asked: batch };
  return undefined;
}
