import {
  judgementOf,
  type Analysis,
  type CellName,
  type FailedCell,
  type VariantFigures,
} from '../analysis/analysis.js';
import type { Judgement } from '../analysis/compare/judge.js';
import type { LatencyFigures } from '../analysis/figures/latency.js';
import { precisionText } from './precision.js';
import { signOf } from './flags.js';
import * as format from './format.js';
import { labelOf, variantLabel } from '../analysis/label.js';
import { headOf, type HeadState } from '../analysis/model.js';
import { notesOf } from './notes.js';
import { publishedOf } from '../analysis/published.js';

/** A table that people read. */
export interface Table {
  readonly columns: readonly Column[];
  /** Texts by the key of their column; a column without one stays empty. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** What a reader must know to read it. */
  readonly notes: readonly string[];
}

/** The main table of a report: what every format of it shows. */
export interface MainTable extends Table {
  /** What each row is, in the order of the rows. */
  readonly states: readonly RowState[];
}

/** What a row of the main table is, for formats that can show it. */
export interface RowState {
  /** Whether it is the first one of its variant. */
  readonly first: boolean;
  /** What a reader must be warned of: signs in the row and notes below the table say more. */
  readonly mark: 'failed' | 'flagged' | 'pending' | 'published' | undefined;
  /** What the row's variant is called, which stands in its first row alone. */
  readonly name: string;
  /** What its variant is called in charts. */
  readonly series: string;
  /** What columns are sorted by, by key; what does not depend on the batch is that of the variant. Without those that hold words. */
  readonly values: Readonly<Record<string, number>>;
}

/** A column of a table. */
export interface Column {
  readonly key: string;
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Where there is no room for all columns, those with this go first, the lowest before the others. */
  readonly spare?: number;
}

const columns: readonly Column[] = [
  { key: 'variant', title: 'variant', align: 'left' },
  { key: 'head', title: 'head', align: 'left', spare: 9 },
  { key: 'top1', title: 'top-1 % (95 %)', align: 'right' },
  { key: 'mcnemar', title: 'McNemar p', align: 'right', spare: 7 },
  { key: 'cosine', title: 'cosine to fp32 (95 %)', align: 'right', spare: 8 },
  { key: 'agreement', title: 'same class % (95 %)', align: 'right', spare: 3 },
  { key: 'batch', title: 'batch', align: 'right' },
  { key: 'latency', title: 'latency ms (95 %)', align: 'right' },
  { key: 'p90', title: 'p90 ms', align: 'right', spare: 4 },
  { key: 'cpu', title: 'CPU ms', align: 'right', spare: 3 },
  { key: 'speedup', title: 'speed (95 %)', align: 'right' },
  { key: 'precision', title: 'speed ± (rounds)', align: 'right', spare: 5 },
  { key: 'memory', title: 'peak memory (95 %)', align: 'right', spare: 10 },
  { key: 'steadyPeak', title: 'steady peak (95 %)', align: 'right', spare: 4 },
  { key: 'gpuBuffers', title: 'GPU buffers', align: 'right', spare: 5 },
  { key: 'reduction', title: 'peak vs fp32', align: 'right', spare: 11 },
  { key: 'verdict', title: 'verdict', align: 'left' },
  { key: 'rawPeak', title: 'raw peak', align: 'right', spare: 2 },
  { key: 'testSet', title: 'test set', align: 'right', spare: 5 },
  { key: 'file', title: 'file', align: 'right', spare: 8 },
  { key: 'parameters', title: 'parameters', align: 'right', spare: 6 },
  { key: 'published', title: 'published †', align: 'left', spare: 1 },
];

/**
 * The main table: one row for each variant and batch size, also where it could not be timed or has not been yet, and one for
 * each other cell that failed; what does not depend on the batch stands in a variant's first row.
 *
 * @param analysis - of a run
 */
export function mainTable(analysis: Analysis): MainTable {
  const rows = analysis.figures.flatMap((each) => rowsOf(each, analysis));
  const texts = rows.map(({ cells }) => cells);
  return {
    columns: columns.filter(({ key }) => texts.some((cells) => (cells[key] ?? '') !== '')),
    rows: texts,
    states: rows.map(({ first, mark, name, series, values }) => ({ first, mark, name, series, values })),
    notes: notesOf(analysis),
  };
}

/** What the column says of the heads. */
const HEADS: Readonly<Record<HeadState, string>> = {
  ...{ trained: '', fitted: 'fitted', refitted: 'refitted', corrected: 'corrected', none: 'none (k-NN)' },
};

type Cells = Readonly<Record<string, string>>;
type MarkedCells = Pick<RowState, 'mark'> & {
  readonly cells: Cells;
  readonly values: Readonly<Record<string, number | undefined>>;
};

function rowsOf(figures: VariantFigures, analysis: Analysis): (MarkedCells & RowState)[] {
  const { variant, accuracy, features, latencies, failures, pending } = figures;
  const name = `${labelOf(figures, analysis)}${figures.substitutions.length === 0 ? '' : ' §'}`;
  const common: Cells = {
    variant: name,
    head: HEADS[headOf(variant)],
    top1: accuracy?.top1 ? format.share(accuracy.top1) : '',
    mcnemar: accuracy?.mcnemarP === undefined ? '' : format.pValue(accuracy.mcnemarP),
    cosine: features?.cosine ? format.cosine(features.cosine.mean) : '',
    agreement: accuracy?.agreement ? format.share(accuracy.agreement) : '',
    testSet: accuracy ? format.seconds(accuracy.testSetSeconds) : '',
    file: figures.fileBytes === undefined ? '' : format.mebibytes(figures.fileBytes),
    parameters: figures.parameters === undefined ? '' : format.parameters(figures.parameters),
    published: publishedText(variant),
  };
  const commonValues = {
    ...{ top1: accuracy?.top1?.value, mcnemar: accuracy?.mcnemarP, agreement: accuracy?.agreement?.value },
    ...{ cosine: features?.cosine?.mean.value, testSet: accuracy?.testSetSeconds },
    ...{ file: figures.fileBytes, parameters: figures.parameters },
  };
  const timed = [
    ...latencies.map((each) => latencyRow(each, figures)),
    ...failures.filter(isTiming).map(failedRow),
    ...pending.filter(isTiming).map(pendingRow),
  ];
  const accuracyVerdict = verdictOf([judgementOf(figures, 'accuracy')]);
  const [first = { cells: {}, mark: undefined, values: {} }, ...rest] = [
    ...timed.sort((a, b) => Number(a.cells['batch']) - Number(b.cells['batch'])),
    ...failures.filter((each) => !isTiming(each) && each.status === 'failed').map(failedRow),
    ...publishedRows(figures, analysis),
  ];
  const row = ({ cells, mark, values }: MarkedCells, isFirst: boolean): MarkedCells & RowState => ({
    ...{ cells, mark, name, first: isFirst, series: variantLabel(variant, analysis) },
    values: known(mark === 'published' ? values : { ...commonValues, ...values }),
  });
  const verdict = joined(first.cells['verdict'], accuracyVerdict);
  return [
    row({ ...first, cells: { ...common, ...first.cells, verdict } }, true),
    ...rest.map((each) => row(each, false)),
  ];
}

function known(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined || Number.isNaN(value) ? [] : [[key, value] as const],
    ),
  );
}

/** What stands before the figures of others. */
export const PUBLISHED = '† published';

/** Others' figures that a suite puts into our columns, once for all devices. */
function publishedRows({ variant, device }: VariantFigures, { run }: Analysis): MarkedCells[] {
  if (device !== run.devices[0]) return [];
  return (publishedOf(variant)?.rows ?? []).map((row) => ({
    cells: {
      ...Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value)])),
      variant: PUBLISHED,
    },
    mark: 'published' as const,
    values: row.batch === undefined ? {} : { batch: row.batch },
  }));
}

/** Others' figures in words, where no rows of their own say them. */
function publishedText(variant: VariantFigures['variant']): string {
  const theirs = publishedOf(variant);
  return theirs === undefined || theirs.rows !== undefined ? '' : theirs.figures.join('; ');
}

function isTiming({ kind }: CellName): boolean {
  return kind === 'performance';
}

function failedRow({ kind, batch, status }: FailedCell): MarkedCells {
  const values = { batch };
  if (status === 'unsupported')
    return { cells: { batch: String(batch), latency: '∅ not supported' }, mark: 'pending', values };
  return { cells: { batch: String(batch), latency: `✗ ${kind} failed` }, mark: 'failed', values };
}

function pendingRow({ batch }: CellName): MarkedCells {
  return {
    cells: { batch: String(batch), latency: 'not measured yet' },
    ...{ mark: 'pending', values: { batch } },
  };
}

/** What was told of some differences; those that were not are left out, unless none was. */
function verdictOf(judgements: readonly (Judgement | undefined)[]): string {
  const known = judgements.filter((each) => each !== undefined);
  const told = known.filter(({ verdict }) => verdict !== 'not distinguishable');
  if (told.length === 0) return known.length > 0 ? SAME : '';
  return told.map(({ metric, verdict }) => (metric === 'accuracy' ? ACCURACY[verdict] : verdict)).join(', ');
}

const SAME = 'not distinguishable';

/** In the words of a column that is also about speed and memory. */
const ACCURACY: Readonly<Record<string, string>> = { better: 'more accurate', worse: 'less accurate' };

/** Two parts of a variant's first row; what was not told is said only where nothing was. */
function joined(timing = '', accuracy: string): string {
  const told = [timing, accuracy].filter((part) => part !== '' && part !== SAME);
  return told.length > 0 ? told.join(', ') : timing || accuracy;
}

function latencyRow(figures: LatencyFigures, variant: VariantFigures): MarkedCells {
  const { batch, median, p90, cpuTime, speedup, memory, gpuBuffers, flags, stopping, rounds, soundness } =
    figures;
  const sign = signOf(flags);
  return {
    cells: {
      batch: String(batch),
      latency: `${format.latency(median)}${sign ? ` ${sign}` : ''}`,
      p90: p90 === undefined ? '' : format.milliseconds(p90.value),
      cpu: cpuTime === undefined ? '' : format.milliseconds(cpuTime.value),
      speedup: speedup ? format.times(speedup) : soundness.decides ? '' : 'not decided',
      precision: stopping ? precisionText(stopping, rounds) : '',
      memory: memory ? format.mebibytesWithin(memory.estimate) : '',
      steadyPeak: memory?.steady ? format.mebibytesWithin(memory.steady) : '',
      gpuBuffers: gpuBuffers ? format.mebibytesWithin(gpuBuffers) : '',
      reduction: memory?.reduction === undefined ? '' : format.reduction(memory.reduction),
      verdict: verdictOf([judgementOf(variant, 'latency', batch), judgementOf(variant, 'memory', batch)]),
      rawPeak: memory ? format.mebibytes(memory.rawPeak) : '',
    },
    mark: sign ? 'flagged' : undefined,
    values: {
      ...{ batch, latency: median.value, p90: p90?.value, cpu: cpuTime?.value, speedup: speedup?.value },
      ...{ precision: stopping?.reached ?? undefined, memory: memory?.estimate.value },
      ...{ steadyPeak: memory?.steady?.value, gpuBuffers: gpuBuffers?.value },
      ...{ reduction: memory?.reduction, rawPeak: memory?.rawPeak },
    },
  };
}
