import { memoryMeansSchema, type MemoryMeans } from '../protocol/memory-means.js';
import type { RoundRow } from './tables.js';

/**
 * By what the device of a round knew its memory. Older versions did not store that: there it follows from what they did store, since
 * each system had one way.
 *
 * @param row - of the round
 * @param figures - the names of the figures of memory that it has
 * @returns undefined where the device does not tell a peak
 */
export function storedMeans(
  row: Pick<RoundRow, 'memory_means' | 'peak_is_of_phase' | 'platform'>,
  figures: ReadonlySet<string>,
): MemoryMeans | undefined {
  if (row.memory_means !== null) return memoryMeansSchema.parse(row.memory_means);
  if (figures.has('renderersPeakResident')) return 'renderers-of-phase';
  if (!figures.has('peakResident')) return undefined;
  if (row.peak_is_of_phase === 1) return 'vmhwm-of-phase';
  if (row.platform === null || row.platform.startsWith('linux')) return 'vmhwm-of-process';
  return row.platform.startsWith('win32') ? 'working-set-of-process' : 'rusage-of-process';
}
