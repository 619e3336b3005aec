import { defined } from '../../base/defined.js';
import type { Estimate } from '../../stats/interval.js';
import { repositoryOf, type Repository } from '../../store/repository.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import type { FeatureScoring } from '../../store/feature-scoring.js';
import { accuracyOf, isScored } from '../figures/accuracy.js';
import { featureScoringOf, featuresOf } from '../figures/features.js';
import { medianOf } from '../figures/latency.js';
import { highestRate, offlineThroughput } from '../figures/load.js';
import { memoryMeansOf, memoryOf } from '../figures/memory.js';
import { fileBytesOf } from '../figures/size.js';
import { deviceLabel, isEmulated } from '../label.js';
import { runSetting, type Setting } from '../setting.js';
import { stagesOf } from '../stages.js';

/** What a history follows. */
export const historyMetrics = [
  'latency',
  'memory',
  'accuracy',
  'cosine',
  'file',
  'rate',
  'throughput',
] as const;

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
  /** Of the p99 at the highest rate, in milliseconds; left out of everything else. */
  readonly bound?: number;
}

/** What one run says of a cell in one metric. */
export interface HistoryPoint {
  readonly run: HistoryRun;
  /** In the metric's unit: milliseconds, bytes, share of right answers, mean cosine, queries or images a second. With its 95 % interval. */
  readonly estimate: Estimate;
  readonly setting: Setting;
  /** What was done to the model, in words: another recipe by the same name makes another variant. */
  readonly stages: string;
  /** Which test images got the right class, 1 or 0 each; only of accuracy. */
  readonly right: Uint8Array | undefined;
  /** How near the features of each test image lie to fp32's; only of cosines. */
  readonly cosines: readonly number[] | undefined;
}

/** A point and what it is of. */
export interface PlacedPoint {
  readonly cell: HistoryCell;
  readonly metric: HistoryMetric;
  readonly point: HistoryPoint;
}

/**
 * What a run adds to the history of its suite: each figure as a report has it (`typicalLatency`,
 * `typicalPeak`, `accuracyOf`, `featuresOf`, `fileBytesOf`, `highestRate`, `offlineThroughput`).
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
            ...(cell.row.bound_ms !== null && { bound: cell.row.bound_ms }),
            ...{ device: deviceLabel(cell.device), emulated: isEmulated(cell.device) },
          },
          metric,
          point: {
            ...{ run: historyRun, setting: metricSetting(setting, cell, metric), stages: stagesText(cell) },
            ...found,
          },
        };
      }),
    );
}

/** Peaks that are known by different means are no more comparable than those of different machines, nor are scores of other images. */
function metricSetting(setting: Setting, cell: StoredCell, metric: HistoryMetric): Setting {
  switch (metric) {
    case 'memory':
      return new Map([...setting, ['means of the peak memory', memoryMeansOf(cell).join('; ')]]);
    case 'accuracy':
    case 'cosine': {
      const scored = new Map([...setting, ['test images', String(cell.predictions?.labels.length ?? 0)]]);
      const scoring = featureScoringOf(cell.variant);
      return scoring ? scored.set('classes by', voteText(scoring)) : scored;
    }
    default:
      return setting;
  }
}

/** How a variant without a head gets its classes, in words. */
function voteText({ width, neighbours, images, temperature }: FeatureScoring): string {
  return `the ${neighbours} nearest of ${images} training images, by ${width} features, temperature ${temperature}`;
}

/** What was done to the model, in words: each stage with its options. */
function stagesText(cell: StoredCell): string {
  const stages = stagesOf(cell.variant).map(({ stage, options }) => `${stage} ${JSON.stringify(options)}`);
  const { micro_batch: microBatch } = cell.variant;
  return [...stages, ...(microBatch === null ? [] : [`parts of ${microBatch} images`])].join(', ');
}

function figureOf(
  cell: StoredCell,
  metric: HistoryMetric,
  scored: boolean,
): Pick<HistoryPoint, 'estimate' | 'right' | 'cosines'> | undefined {
  const plain = (estimate: Estimate): ReturnType<typeof figureOf> => ({
    ...{ estimate, right: undefined, cosines: undefined },
  });
  if (metric === 'file') {
    // Of each variant on each device once: of the form that the device runs.
    if (cell.row.kind !== 'accuracy') return undefined;
    const bytes = fileBytesOf(cell);
    if (bytes === undefined) return undefined;
    return plain({ value: bytes, low: bytes, high: bytes });
  }
  if (metric === 'accuracy') {
    if (cell.row.kind !== 'accuracy') return undefined;
    const { top1 } = accuracyOf(cell, undefined, scored) ?? {};
    if (top1 === undefined || cell.predictions === undefined) return undefined;
    const { labels, predicted } = cell.predictions;
    const right = Uint8Array.from(predicted, (choice, image) => Number(choice === labels[image]));
    return { estimate: top1, right, cosines: undefined };
  }
  if (metric === 'cosine') {
    if (cell.row.kind !== 'accuracy') return undefined;
    const estimate = featuresOf(cell)?.cosine?.mean;
    // The cosine of a single image has no interval, and is of no series.
    if (estimate === undefined || !Number.isFinite(estimate.low)) return undefined;
    return { estimate, right: undefined, cosines: cell.cosines };
  }
  if (metric === 'rate' || metric === 'throughput') {
    const { kind } = cell.row;
    if (kind !== (metric === 'rate' ? 'server' : 'offline')) return undefined;
    const estimate = metric === 'rate' ? highestRate(cell) : offlineThroughput(cell);
    return estimate && plain(estimate);
  }
  if (cell.row.kind !== 'performance') return undefined;
  const estimate = metric === 'latency' ? medianOf(cell) : memoryOf(cell, undefined)?.estimate;
  // Of a peak that is not above the runtime's base no ratio can be taken; nor is a time of nothing one.
  return estimate && estimate.low > 0 ? plain(estimate) : undefined;
}
