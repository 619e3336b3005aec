import type { Environment } from '../protocol/environment.js';
import { saturates } from '../protocol/saturation.js';
import type { Task } from '../protocol/task.js';

/**
 * The session options that keep INT8 products exact on a device.
 *
 * @param environment - of the device
 * @returns `x64QuantPrecision` where the runtime's own products saturate, else nothing
 */
export function int8Precision(environment: Environment): Pick<Task['session'], 'x64QuantPrecision'> {
  return saturates(environment) ? { x64QuantPrecision: true } : {};
}
