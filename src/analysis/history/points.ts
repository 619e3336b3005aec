import { defined } from '../../base/defined.js';
import type { Estimate } from '../../stats/interval.js';
import { repositoryOf, type Repository } from '../../store/repository.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import { accuracyOf, isScored } from '../figures/accuracy.js';
import { latencyOf } from '../figures/latency.js';
import { memoryOf } from '../figures/memory.js';
import { fileBytesOf } from '../figures/size.js';
import { deviceLabel, isEmulated } from '../label.js';
import { runSetting, type Setting } from '../setting.js';

/** What a history follows. */
export const historyMetrics = ['latency', 'memory', 'accuracy', 'file'] as const;

export type HistoryMetric = (typeof historyMetrics)[number];

/** A run of a history. */
export interface HistoryRun {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Null where nobody knows what code the run measured. */
  readonly repository: Repository | null;
}

/** What a cell is in every run of a suite. */
export interface HistoryCell {
  readonly model: string;
  readonly recipe: string;
  /** Its name, marked where its GPU is none. */
  readonly device: string;
  /** Not the hardware that it looks like, see `isEmulated`. */
  readonly emulated: boolean;
  readonly kind: StoredCell['row']['kind'];
  readonly batch: number;
}

/** What one run says of a cell in one metric. */
export interface HistoryPoint {
  readonly run: HistoryRun;
  /** In the metric's unit: milliseconds, bytes, share of right answers. With its 95 % interval. */
  readonly estimate: Estimate;
  readonly setting: Setting;
  /** Which test images got the right class, 1 or 0 each; only of accuracy. */
  readonly right: Uint8Array | undefined;
}

/** A point and what it is of. */
export interface PlacedPoint {
  readonly cell: HistoryCell;
  readonly metric: HistoryMetric;
  readonly point: HistoryPoint;
}

/**
 * What a run adds to the history of its suite: each figure as a report has it (`typicalLatency`,
 * `typicalPeak`, `accuracyOf`, `fileBytesOf`).
 *
 * @param run - of the suite
 * @param metrics - which are wanted
 * @returns one for each cell that was measured and metric that it tells
 */
export function pointsOf(run: StoredRun, metrics: readonly HistoryMetric[]): PlacedPoint[] {
  const { id, started_at: startedAt } = run.row;
  const historyRun: HistoryRun = { id, startedAt, repository: repositoryOf(run.row) };
  const settings = new Map(run.devices.map((device) => [device, runSetting(device, run)]));
  return run.cells
    .filter(({ row }) => row.status === 'done')
    .flatMap((cell) =>
      metrics.flatMap((metric) => {
        const found = figureOf(cell, metric, isScored(cell.variant, run.data));
        if (found === undefined) return [];
        const { kind, batch } = cell.row;
        const { model, recipe } = cell.variant;
        const setting = defined(settings.get(cell.device), 'the setting of a device');
        return {
          cell: {
            ...{ model, recipe, kind, batch },
            ...{ device: deviceLabel(cell.device), emulated: isEmulated(cell.device) },
          },
          metric,
          point: { run: historyRun, setting, ...found },
        };
      }),
    );
}

function figureOf(
  cell: StoredCell,
  metric: HistoryMetric,
  scored: boolean,
): Pick<HistoryPoint, 'estimate' | 'right'> | undefined {
  if (metric === 'file') {
    // Of each variant on each device once: of the form that the device runs.
    if (cell.row.kind !== 'accuracy') return undefined;
    const bytes = fileBytesOf(cell);
    return { estimate: { value: bytes, low: bytes, high: bytes }, right: undefined };
  }
  if (metric === 'accuracy') {
    if (cell.row.kind !== 'accuracy') return undefined;
    const { top1 } = accuracyOf(cell, undefined, scored) ?? {};
    if (top1 === undefined || cell.predictions === undefined) return undefined;
    const { labels, predicted } = cell.predictions;
    const right = Uint8Array.from(predicted, (choice, image) => Number(choice === labels[image]));
    return { estimate: top1, right };
  }
  if (cell.row.kind !== 'performance') return undefined;
  const estimate =
    metric === 'latency' ? latencyOf(cell, undefined)?.median : memoryOf(cell, undefined)?.estimate;
  // Of a peak that is not above the runtime's base no ratio can be taken; nor is a time of nothing one.
  return estimate && estimate.low > 0 ? { estimate, right: undefined } : undefined;
}
