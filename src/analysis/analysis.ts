import type { StoredCell, StoredDevice, StoredRun } from '../store/read.js';
import type { VariantRow } from '../store/tables.js';
import type { StoredFloor } from '../store/floors.js';
import type { StoredRoofline } from '../store/rooflines.js';
import { ablationOf, type Ablation } from './ablation/ablation.js';
import { floorsFor, missingFloors, type MissingFloor } from './compare/floors.js';
import type { Metric } from '../base/metric.js';
import type { Judgement } from './compare/judge.js';
import { judgeWithin } from './compare/within.js';
import { accuracyOf, isScored, type AccuracyFigures } from './figures/accuracy.js';
import { featuresOf, type FeatureFigures } from './figures/features.js';
import { baselineCell } from './figures/baseline.js';
import { kernelsOf, type KernelShare } from './figures/kernels.js';
import {
  fittingCeilings,
  limitsOf,
  missingCeilings,
  type FittingCeilings,
  type Limits,
  type MissingCeilings,
} from './figures/limits.js';
import { fileBytesOf, sizesOf } from './figures/size.js';
import { latencyOf, type LatencyFigures } from './figures/latency.js';
import { loadOf, type OfflineFigures, type ServerFigures } from './figures/load.js';
import { isBaseline } from '../suite/baseline.js';
import { parseSubstitutions, type Substitution } from '../base/substitution.js';
import { parseFailure, type CellFailure } from '../protocol/failure.js';

/** Which cell of a variant on a device. */
export interface CellName {
  readonly kind: StoredCell['row']['kind'];
  readonly batch: number;
}

/** A cell that could not be measured. */
export interface FailedCell extends CellName {
  /** Unsupported: the device cannot run the variant, which is no fault. */
  readonly status: 'failed' | 'unsupported';
  readonly reason: CellFailure;
}

/** What is to be said of a cell's difference from the baseline's. */
export interface CellJudgement extends CellName {
  readonly judgement: Judgement;
}

/** Everything a report says of one variant on one device. */
export interface VariantFigures {
  readonly variant: VariantRow;
  readonly device: StoredDevice;
  readonly isBaseline: boolean;
  readonly accuracy: AccuracyFigures | undefined;
  /** Of a variant without a head. */
  readonly features: FeatureFigures | undefined;
  /** By batch size, ascending. */
  readonly latencies: readonly LatencyFigures[];
  /** Under load: servers first, each by batch size, ascending. */
  readonly loads: readonly (ServerFigures | OfflineFigures)[];
  /** The most expensive first. */
  readonly kernels: readonly KernelShare[];
  /** Batch size the kernels were listed at. */
  readonly kernelBatch: number | undefined;
  /** How far it is from what the device can do at best; undefined where nobody measured that. */
  readonly limits: Limits | undefined;
  /** What is to be said of its differences from the baseline; none of the baseline's own. */
  readonly judgements: readonly CellJudgement[];
  readonly failures: readonly FailedCell[];
  /** In what the device's form of the variant differs from what the recipe asks for; empty when in nothing. */
  readonly substitutions: readonly Substitution[];
  /** Bytes of the files of the form that the device runs. */
  readonly fileBytes: number | undefined;
  /** Undefined, as the bytes, when nothing could be made of the variant. */
  readonly parameters: number | undefined;
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
  /** What the factors of its suite's matrix do; undefined where it has none. */
  readonly ablation: Ablation | undefined;
  /** Which devices nobody knows the noise of. */
  readonly floorNotes: readonly MissingFloor[];
  /** Of which devices nobody knows what they can do at best. */
  readonly ceilingNotes: readonly MissingCeilings[];
}

/**
 * Computes every figure of a report from a run's raw data.
 *
 * @param run - the stored run
 * @param floors - what its devices can tell, the newest first
 * @param rooflines - what its devices can do at best, the newest first
 */
export function analyse(
  run: StoredRun,
  floors: readonly StoredFloor[] = [],
  rooflines: readonly StoredRoofline[] = [],
): Analysis {
  const floorOf = floorsFor(run, floors);
  const baselines = new Map(run.cells.map((cell) => [cell, baselineCell(cell, run)]));
  const pairs = run.cells.flatMap((cell) => {
    const baseline = baselines.get(cell);
    return cell.row.status === 'done' && baseline ? [{ cell, baseline }] : [];
  });
  const judgements = judgeWithin(pairs, run, floorOf);
  const ceilings = fittingCeilings(run, rooflines);
  const figures = run.devices.flatMap((device) =>
    run.variants.map((variant) => {
      const cells = run.cells.filter((cell) => cell.variant === variant && cell.device === device);
      return figuresOf(variant, device, cells, { run, baselines, judgements, ceilings });
    }),
  );
  return {
    ...{ run, figures, pending: run.cells.filter(({ row }) => row.status === 'pending').length },
    ablation: ablationOf(run),
    floorNotes: pairs.length > 0 ? missingFloors(run, floors, () => true) : [],
    ceilingNotes: missingCeilings(run, ceilings, rooflines),
  };
}

/**
 * What is to be said of a variant's difference from the baseline in a metric.
 *
 * @param figures - of the variant on the device
 * @param metric - which
 * @param batch - the batch size; undefined for the accuracy, which has none
 * @returns undefined where there is nothing to compare
 */
export function judgementOf(
  { judgements }: VariantFigures,
  metric: Metric,
  batch?: number,
): Judgement | undefined {
  return judgements.find(
    (each) => each.judgement.metric === metric && (batch === undefined || each.batch === batch),
  )?.judgement;
}

/** What the figures of one variant need to know of the whole run. */
interface Whole {
  readonly run: StoredRun;
  readonly baselines: ReadonlyMap<StoredCell, StoredCell | undefined>;
  readonly judgements: ReadonlyMap<StoredCell, readonly Judgement[]>;
  /** By the device's name. */
  readonly ceilings: ReadonlyMap<string, FittingCeilings>;
}

function figuresOf(
  variant: VariantRow,
  device: StoredDevice,
  cells: readonly StoredCell[],
  { run, baselines, judgements, ceilings }: Whole,
): VariantFigures {
  const done = cells.filter(({ row }) => row.status === 'done');
  const accuracyCell = done.find(({ row }) => row.kind === 'accuracy');
  const kernelCell = done.find(({ row }) => row.kind === 'kernels');
  const fitting = ceilings.get(device.row.name);
  const named = ({ row: { kind, batch } }: StoredCell): CellName => ({ kind, batch });
  return {
    variant,
    device,
    isBaseline: isBaseline(variant.recipe),
    accuracy:
      accuracyCell && accuracyOf(accuracyCell, baselines.get(accuracyCell), isScored(variant, run.data)),
    features: accuracyCell && featuresOf(accuracyCell),
    latencies: done
      .filter(({ row }) => row.kind === 'performance')
      .sort((a, b) => a.row.batch - b.row.batch)
      .map((cell) => latencyOf(cell, baselines.get(cell)))
      .filter((each) => each !== undefined),
    loads: [...done]
      .sort((a, b) => b.row.kind.localeCompare(a.row.kind) || a.row.batch - b.row.batch)
      .map((cell) => loadOf(cell, baselines.get(cell)))
      .filter((each) => each !== undefined),
    kernels: kernelCell ? kernelsOf(kernelCell) : [],
    kernelBatch: kernelCell?.row.batch,
    limits: kernelCell && fitting && limitsOf(kernelCell, fitting),
    judgements: done.flatMap((cell) =>
      (judgements.get(cell) ?? []).map((judgement) => ({ ...named(cell), judgement })),
    ),
    failures: cells.flatMap((cell) => {
      const { status, reason } = cell.row;
      if (status !== 'failed' && status !== 'unsupported') return [];
      return [{ ...named(cell), status, reason: parseFailure(reason ?? 'no reason was stored') }];
    }),
    substitutions: parseSubstitutions(cells[0]?.row.form ?? null),
    fileBytes: cells[0] ? fileBytesOf(cells[0]) : sizesOf(variant)?.fileBytes,
    parameters: sizesOf(variant)?.parameters,
    pending: cells.filter(({ row }) => row.status === 'pending').map(named),
  };
}
