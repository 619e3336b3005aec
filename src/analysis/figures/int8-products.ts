import { saturates } from '../../protocol/saturation.js';
import type { StoredDevice, StoredRun } from '../../store/read.js';
import { sessionsOf } from '../sessions.js';
import { stagesOf } from '../stages.js';

/** How a device multiplies INT8 by INT8 where not as VNNI and other architectures do, which is exact and needs no word. */
export type Int8Products = 'exact-without-vnni' | 'saturating';

/** Formats of the stage `quantize` whose products are of INT8 with INT8. */
const INT8_FORMATS: readonly unknown[] = ['w8a8', 'qdq', 'dynamic'];

/** The provider whose products `x64QuantPrecision` is about. */
const CPU = 'CPUExecutionProvider';

/**
 * How a device of a run made the products of INT8 with INT8, where a variant has such that can saturate.
 *
 * @param device - of the run
 * @param run - the run
 * @returns undefined where nothing is to be said of it
 */
export function int8Products(device: StoredDevice, run: StoredRun): Int8Products | undefined {
  // Where pairs of weights are bounded, the runtime's own products are exact everywhere.
  const cells = run.cells.filter(({ variant }) =>
    stagesOf(variant).some(
      ({ stage, options, facts }) =>
        stage === 'quantize' &&
        INT8_FORMATS.includes(options['format']) &&
        facts?.traits.includes('exact-without-vnni') !== true,
    ),
  );
  const sessions = sessionsOf(device, { ...run, cells }).filter(({ runtime }) => runtime.provider === CPU);
  if (sessions.length === 0) return undefined;
  const isExact = ({ session }: (typeof sessions)[number]): boolean => session['x64QuantPrecision'] === true;
  if (sessions.every(isExact)) return 'exact-without-vnni';
  return saturates(device.environment) ? 'saturating' : undefined;
}
