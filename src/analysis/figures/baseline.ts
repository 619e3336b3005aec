import type { StoredCell, StoredRun } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';
import { isBaseline } from '../../suite/baseline.js';

/**
 * The baseline of a variant: the fp32 of its model.
 *
 * @param variant - of the run
 * @param run - the run
 * @returns the variant itself where it is the baseline; undefined where the run has none
 */
export function baselineVariant({ model }: VariantRow, run: StoredRun): VariantRow | undefined {
  return run.variants.find((each) => each.model === model && isBaseline(each.recipe));
}

/**
 * The baseline's cell of the same scenario on the same device.
 *
 * @param cell - of the run
 * @param run - the run
 * @returns undefined where it is not done, and for the baseline's own
 */
export function baselineCell(cell: StoredCell, run: StoredRun): StoredCell | undefined {
  const baseline = baselineVariant(cell.variant, run);
  if (baseline === undefined || baseline === cell.variant) return undefined;
  return run.cells.find(
    ({ row, variant, device }) =>
      variant === baseline &&
      device === cell.device &&
      row.status === 'done' &&
      row.kind === cell.row.kind &&
      row.batch === cell.row.batch,
  );
}
