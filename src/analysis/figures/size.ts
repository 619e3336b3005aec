import type { StoredCell } from '../../store/read.js';

/**
 * The size of a variant on a device: the bytes of the files of the form that the device runs. What is compared between runs
 * without regard to devices is the form of the CPU, which every run has.
 *
 * @param cell - any cell of the variant on the device
 */
export function fileBytesOf({ row, variant }: StoredCell): number {
  return row.file_bytes ?? variant.file_bytes;
}
