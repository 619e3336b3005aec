import { mean, quantile } from 'simple-statistics';
import type { Estimate } from '../stats/interval.js';
import { mcnemar, pairedOutcomes } from '../stats/mcnemar.js';
import { medianEstimate } from '../stats/median.js';
import { pairedRatio } from '../stats/ratio.js';
import { wilson } from '../stats/wilson.js';
import type { StoredCell, StoredDevice, StoredRound, StoredRun } from '../store/read.js';
import type { VariantRow } from '../store/tables.js';

/** Name of the recipe that the others are compared with. */
export const BASELINE = 'fp32';

/** How well a variant classifies the test images on a device. */
export interface AccuracyFigures {
  readonly images: number;
  /** Share of right answers with its 95 % Wilson interval; undefined for synthetic weights, which have no accuracy. */
  readonly top1: Estimate | undefined;
  readonly correct: number | undefined;
  /** Exact McNemar test against the baseline on the same images; undefined for the baseline and for synthetic weights. */
  readonly mcnemarP: number | undefined;
  /** Share of images that get the baseline's class; undefined for the baseline. */
  readonly agreement: number | undefined;
  /** Time in the model for all images, in seconds. */
  readonly testSetSeconds: number;
}

/** Memory of a cell in bytes: the largest of its rounds. */
export interface MemoryFigures {
  /** Peak over the runtime's base: from loading the model to the last query. */
  readonly peak: number;
  /** Peak of the process. */
  readonly rawPeak: number;
  /** Resident before the model is loaded. */
  readonly base: number;
  /** Share by which `peak` is below the baseline's; undefined for the baseline. */
  readonly reduction: number | undefined;
  /** Peak over the base in each phase. */
  readonly byPhase: ReadonlyMap<string, number>;
}

/** How fast a variant answers on a device at a batch size. */
export interface LatencyFigures {
  readonly batch: number;
  readonly tier: string;
  readonly queries: number;
  readonly rounds: number;
  /** Median over all rounds with its 95 % interval, in milliseconds. */
  readonly median: Estimate;
  readonly p90: number;
  /** How many times as fast as the baseline, with a 95 % interval over the rounds; undefined for the baseline. */
  readonly speedup: Estimate | undefined;
  readonly memory: MemoryFigures | undefined;
  /** Rounds that never reached a steady state before they were timed. */
  readonly unsteadyRounds: number;
  /** Medians of the first run and of loading, in milliseconds. */
  readonly firstRun: number;
  readonly load: number;
  /** Latencies by round, in order. */
  readonly samples: ReadonlyMap<number, readonly number[]>;
}

/** A kernel's share of a query. */
export interface KernelShare {
  readonly opType: string;
  readonly provider: string;
  readonly calls: number;
  readonly milliseconds: number;
  /** Of the time of all kernels. */
  readonly share: number;
}

/** A cell that could not be measured. */
export interface FailedCell {
  readonly kind: string;
  readonly batch: number;
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
  readonly kernels: readonly KernelShare[];
  /** Batch size the kernels were listed at. */
  readonly kernelBatch: number | undefined;
  readonly failures: readonly FailedCell[];
}

/** A run as reports show it. */
export interface Analysis {
  readonly run: StoredRun;
  readonly figures: readonly VariantFigures[];
  /** Cells that are not measured yet. */
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
  const accuracyCell = done.find(({ row }) => row.kind === 'accuracy');
  const baselineAccuracy = baseline.find(({ row }) => row.kind === 'accuracy' && row.status === 'done');
  const kernelCell = done.find(({ row }) => row.kind === 'kernels');
  const timed = done
    .filter(({ row }) => row.kind === 'performance')
    .sort((a, b) => a.row.batch - b.row.batch);
  return {
    variant,
    device,
    isBaseline,
    accuracy: accuracyCell && accuracyOf(accuracyCell, isBaseline ? undefined : baselineAccuracy),
    latencies: timed.map((cell) => {
      const other = baseline.find(
        ({ row }) => row.kind === 'performance' && row.batch === cell.row.batch && row.status === 'done',
      );
      return latencyOf(cell, isBaseline ? undefined : other);
    }),
    kernels: kernelCell ? kernelsOf(kernelCell) : [],
    kernelBatch: kernelCell?.row.batch,
    failures: cells
      .filter(({ row }) => row.status === 'failed')
      .map(({ row }) => ({ kind: row.kind, batch: row.batch, reason: row.reason ?? 'no reason was stored' })),
  };
}

function accuracyOf(cell: StoredCell, baseline: StoredCell | undefined): AccuracyFigures | undefined {
  const { predictions, variant } = cell;
  if (predictions === undefined) return undefined;
  const { labels, predicted } = predictions;
  const images = labels.length;
  const scored = !variant.synthetic;
  const correct = predicted.filter((choice, image) => choice === labels[image]).length;
  const others = baseline?.predictions?.predicted;
  const comparable = others?.length === images ? others : undefined;
  return {
    images,
    top1: scored ? wilson(correct, images) : undefined,
    correct: scored ? correct : undefined,
    mcnemarP: scored && comparable ? mcnemar(pairedOutcomes(labels, comparable, predicted)) : undefined,
    agreement: comparable && predicted.filter((choice, i) => choice === comparable[i]).length / images,
    testSetSeconds:
      cell.rounds.reduce((sum, { samples }) => sum + samples.reduce((a, b) => a + b, 0), 0) / 1000,
  };
}

function latencyOf(cell: StoredCell, baseline: StoredCell | undefined): LatencyFigures {
  const samples = samplesByRound(cell);
  const all = [...samples.values()].flat();
  const memory = memoryOf(cell);
  const baselineMemory = baseline && memoryOf(baseline);
  return {
    batch: cell.row.batch,
    tier: cell.row.tier ?? '',
    queries: all.length,
    rounds: cell.rounds.length,
    median: medianEstimate(all),
    p90: quantile(all, 0.9),
    speedup: baseline && pairedRatio(samplesByRound(baseline), samples),
    memory: memory && { ...memory, reduction: baselineMemory && 1 - memory.peak / baselineMemory.peak },
    unsteadyRounds: cell.rounds.filter(({ row }) => row.steady === 0).length,
    firstRun: mean(cell.rounds.map(({ phases }) => phases.get('first') ?? NaN)),
    load: mean(cell.rounds.map(({ phases }) => phases.get('load') ?? NaN)),
    samples,
  };
}

function samplesByRound(cell: StoredCell): Map<number, readonly number[]> {
  return new Map(cell.rounds.map(({ row, samples }) => [row.round, samples]));
}

/** Phases in which memory is the model's. */
const MODEL_PHASES = ['load', 'first', 'warmup', 'steady'];

function memoryOf(cell: StoredCell): Omit<MemoryFigures, 'reduction'> | undefined {
  const ofRounds = cell.rounds.map(memoryOfRound).filter((each) => each !== undefined);
  if (ofRounds.length === 0) return undefined;
  return ofRounds.reduce((most, each) => (each.peak > most.peak ? each : most));
}

function memoryOfRound({ memory }: StoredRound): Omit<MemoryFigures, 'reduction'> | undefined {
  const base = memory.get('prepare')?.get('resident');
  if (base === undefined) return undefined;
  const byPhase = new Map(
    MODEL_PHASES.flatMap((phase) => {
      const peak = memory.get(phase)?.get('peakResident');
      return peak === undefined ? [] : [[phase, peak - base] as const];
    }),
  );
  const peak = Math.max(...byPhase.values());
  return { peak, rawPeak: peak + base, base, byPhase };
}

function kernelsOf(cell: StoredCell): KernelShare[] {
  const kernels = cell.rounds.flatMap((round) => round.kernels);
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return kernels
    .map((kernel) => ({ ...kernel, share: kernel.milliseconds / total }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
