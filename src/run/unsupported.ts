import type { Device } from '../device/device.js';
import type { RootFailure } from '../protocol/failure.js';
import type { Artifact } from './artifacts/artifact.js';

/** WebAssembly's address space; the runtime and the activations need some of it, too. */
const WASM_BYTES = 4 * 1024 ** 3;

/**
 * Why a device cannot run an artifact, as far as can be known without trying.
 *
 * @param artifact - written for the device's target
 * @param device - the device
 * @returns undefined when nothing speaks against it
 */
export function unsupportedReason(
  { fileBytes, largestConstant }: Pick<Artifact, 'fileBytes' | 'largestConstant'>,
  { profile, environment: { gpu } }: Pick<Device, 'profile' | 'environment'>,
): RootFailure | undefined {
  if (profile.kind !== 'browser') return undefined;
  const most = gpu?.limits['maxStorageBufferBindingSize'] ?? Infinity;
  if (profile.provider === 'webgpu' && largestConstant > most)
    return { kind: 'weight-too-large', bytes: largestConstant, most };
  if (fileBytes >= WASM_BYTES) return { kind: 'model-too-large', bytes: fileBytes, most: WASM_BYTES };
  return undefined;
}
