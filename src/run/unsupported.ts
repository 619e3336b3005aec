import type { Device } from '../device/device.js';
import type { RootFailure } from '../protocol/failure.js';
import type { Artifact } from './artifacts/artifact.js';

/**
 * Why a device cannot run an artifact, as far as can be known without trying.
 *
 * @param artifact - written for the device's target
 * @param device - the device
 * @returns undefined when nothing speaks against it
 */
export function unsupportedReason(
  { fileBytes, largestConstant }: Pick<Artifact, 'fileBytes' | 'largestConstant'>,
  { limits: { model = Infinity, weight = Infinity } = {} }: Pick<Device, 'limits'>,
): RootFailure | undefined {
  if (largestConstant > weight) return { kind: 'weight-too-large', bytes: largestConstant, most: weight };
  if (fileBytes >= model) return { kind: 'model-too-large', bytes: fileBytes, most: model };
  return undefined;
}
