import type { StoredCell } from '../../store/read.js';
import { NOTHING_MADE } from '../../store/write.js';

/**
 * The size of a variant on a device: the bytes of the files of the form that the device runs. What is compared between runs
 * without regard to devices is the form of the CPU, which every run has.
 *
 * @param cell - any cell of the variant on the device
 * @returns undefined when nothing could be made of the variant
 */
export function fileBytesOf({ row, variant }: StoredCell): number | undefined {
  return row.file_bytes ?? sizesOf(variant)?.fileBytes;
}

/** How large a variant is, in the form of the CPU. */
export interface VariantSizes {
  readonly fileBytes: number;
  readonly parameters: number;
}

/**
 * How large a variant is.
 *
 * @param variant - of a stored run
 * @returns undefined when nothing could be made of it
 */
export function sizesOf({
  artifact,
  file_bytes: fileBytes,
  parameters,
}: StoredCell['variant']): VariantSizes | undefined {
  return artifact === NOTHING_MADE ? undefined : { fileBytes, parameters };
}
