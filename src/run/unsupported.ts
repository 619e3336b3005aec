import type { Device } from '../device/device.js';
import type { Artifact } from './artifacts/artifact.js';

/** WebAssembly's address space; the runtime and the activations need some of it, too. */
const WASM_BYTES = 4 * 1024 ** 3;

/**
 * Why a device cannot run an artifact, as far as can be known without trying.
 *
 * @param artifact - written for the device's target
 * @param device - the device
 * @returns words that follow "not supported here, because"; undefined when nothing speaks against it
 */
export function unsupportedReason(
  { fileBytes, largestConstant }: Pick<Artifact, 'fileBytes' | 'largestConstant'>,
  { profile, environment: { gpu } }: Pick<Device, 'profile' | 'environment'>,
): string | undefined {
  if (profile.kind !== 'browser') return undefined;
  const bindable = gpu?.limits['maxStorageBufferBindingSize'] ?? Infinity;
  if (profile.provider === 'webgpu' && largestConstant > bindable)
    return `its largest weight takes ${largestConstant} bytes and the adapter binds at most ${bindable} at once`;
  if (fileBytes >= WASM_BYTES)
    return `its files take ${fileBytes} bytes and a page's runtime can address ${WASM_BYTES}`;
  return undefined;
}
