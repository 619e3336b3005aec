import type { StoredCell, StoredDevice, StoredRun } from '../store/read.js';
import type { VariantRow } from '../store/tables.js';
import { accuracyOf, type AccuracyFigures } from './figures/accuracy.js';
import { kernelsOf, type KernelShare } from './figures/kernels.js';
import { latencyOf, type LatencyFigures } from './figures/latency.js';

/** Name of the recipe that the others are compared with. */
export const BASELINE = 'fp32';

/** Which cell of a variant on a device. */
export interface CellName {
  readonly kind: StoredCell['row']['kind'];
  readonly batch: number;
}

/** A cell that could not be measured. */
export interface FailedCell extends CellName {
  readonly reason: string;
}

/** Everything a report says of one variant on one device. */
export interface VariantFigures {
  readonly variant: VariantRow;
  readonly device: StoredDevice;
  readonly isBaseline: boolean;
  readonly accuracy: AccuracyFigures | undefined;
  /** By batch size, ascending. */
  readonly latencies: readonly LatencyFigures[];
  /** The most expensive first. */
  readonly kernels: readonly KernelShare[];
  /** Batch size the kernels were listed at. */
  readonly kernelBatch: number | undefined;
  readonly failures: readonly FailedCell[];
  /** Cells that are not measured yet. */
  readonly pending: readonly CellName[];
}

/** A run as reports show it. */
export interface Analysis {
  readonly run: StoredRun;
  /** By device, then by variant in the suite's order. */
  readonly figures: readonly VariantFigures[];
  /** How many cells are not measured yet. */
  readonly pending: number;
}

/**
 * Computes every figure of a report from a run's raw data.
 *
 * @param run - the stored run
 */
export function analyse(run: StoredRun): Analysis {
  const cellsOf = (variant: VariantRow, device: StoredDevice): StoredCell[] =>
    run.cells.filter((cell) => cell.variant === variant && cell.device === device);
  const figures = run.devices.flatMap((device) =>
    run.variants.map((variant) => {
      const baseline = run.variants.find((each) => each.model === variant.model && each.recipe === BASELINE);
      const baselineCells = baseline ? cellsOf(baseline, device) : [];
      return figuresOf(variant, device, cellsOf(variant, device), baselineCells, variant === baseline);
    }),
  );
  return { run, figures, pending: run.cells.filter(({ row }) => row.status === 'pending').length };
}

function figuresOf(
  variant: VariantRow,
  device: StoredDevice,
  cells: readonly StoredCell[],
  baseline: readonly StoredCell[],
  isBaseline: boolean,
): VariantFigures {
  const done = cells.filter(({ row }) => row.status === 'done');
  const counterpart = ({ row }: StoredCell): StoredCell | undefined =>
    isBaseline
      ? undefined
      : baseline.find(
          (other) =>
            other.row.status === 'done' && other.row.kind === row.kind && other.row.batch === row.batch,
        );
  const accuracyCell = done.find(({ row }) => row.kind === 'accuracy');
  const kernelCell = done.find(({ row }) => row.kind === 'kernels');
  const named = ({ row: { kind, batch } }: StoredCell): CellName => ({ kind, batch });
  return {
    variant,
    device,
    isBaseline,
    accuracy: accuracyCell && accuracyOf(accuracyCell, counterpart(accuracyCell)),
    latencies: done
      .filter(({ row }) => row.kind === 'performance')
      .sort((a, b) => a.row.batch - b.row.batch)
      .map((cell) => latencyOf(cell, counterpart(cell)))
      .filter((each) => each !== undefined),
    kernels: kernelCell ? kernelsOf(kernelCell) : [],
    kernelBatch: kernelCell?.row.batch,
    failures: cells
      .filter(({ row }) => row.status === 'failed')
      .map((cell) => ({ ...named(cell), reason: cell.row.reason ?? 'no reason was stored' })),
    pending: cells.filter(({ row }) => row.status === 'pending').map(named),
  };
}
