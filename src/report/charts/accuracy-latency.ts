import { MEASURED_AND_SCORED } from '../../text/basis.js';
import type { Estimate } from '../../stats/interval.js';
import type { Analysis } from '../../analysis/analysis.js';
import type { AccuracyFigures } from '../../analysis/figures/accuracy.js';
import * as format from '../../text/format.js';
import type { Chart, ChartMaker } from './chart.js';
import { placeCells } from './panels.js';
import {
  colourScale,
  config,
  emphasis,
  linkedParam,
  panelLayout,
  REFERENCE,
  SCHEMA,
  shapeScale,
} from './theme.js';

const MIB = 1024 ** 2;

/** What is drawn upwards: accuracy, or what stands for it where weights are synthetic. */
interface Score {
  readonly id: string;
  readonly title: string;
  readonly axis: string;
  readonly explanation: string;
  of(accuracy: AccuracyFigures, isBaseline: boolean): Estimate | undefined;
}

const accuracy: Score = {
  id: 'accuracy-latency',
  title: 'Accuracy against latency',
  axis: 'top-1 accuracy, %',
  explanation: 'Higher is more accurate',
  of: ({ top1 }) => top1,
};

const agreement: Score = {
  id: 'agreement-latency',
  title: 'Agreement with fp32 against latency',
  axis: 'same class as fp32, %',
  explanation: 'Higher is closer to fp32 with the same synthetic weights (fp32 itself is at 100 %)',
  of: ({ top1, agreement: own }, isBaseline) =>
    top1 ? undefined : isBaseline ? { value: 1, low: 1, high: 1 } : own,
};

/** Accuracy against latency, for variants with trained weights. */
export const accuracyLatency: ChartMaker = (analysis) => scatter(analysis, accuracy);

/** Agreement with the baseline against latency, for variants with synthetic weights. */
export const agreementLatency: ChartMaker = (analysis) => scatter(analysis, agreement);

function scatter(analysis: Analysis, score: Score): Chart | undefined {
  const { cells, variants, panels } = placeCells(analysis);
  const rows = cells.flatMap(({ figures, latency: { median, memory, queries, rounds }, variant, panel }) => {
    const scored = figures.accuracy && score.of(figures.accuracy, figures.isBaseline);
    if (!scored) return [];
    return {
      variant,
      panel,
      latency: median.value,
      latencyLow: median.low,
      latencyHigh: median.high,
      latencyText: `${format.latency(median)} ms`,
      score: scored.value * 100,
      scoreLow: scored.low * 100,
      scoreHigh: scored.high * 100,
      scoreText: `${format.share(scored)} %`,
      memory: memory ? memory.peak / MIB : null,
      memoryText: memory ? format.mebibytesWithin(memory.estimate) : format.NONE,
      timedText: `${format.integer(queries)} queries in ${format.integer(rounds)} rounds`,
      imagesText: format.integer(figures.accuracy.images),
    };
  });
  if (rows.length === 0) return undefined;
  const shown = variants.filter((name) => rows.some(({ variant }) => variant === name));
  const places = panels.filter((name) => rows.some(({ panel }) => panel === name));
  const { columns, width } = panelLayout(places.length);
  const x = {
    field: 'latency',
    type: 'quantitative',
    title: 'median latency of a query, ms',
    scale: { zero: true },
    axis: { tickCount: 5 },
  } as const;
  const y = { field: 'score', type: 'quantitative', title: score.axis, scale: { zero: false } } as const;
  return {
    id: score.id,
    title: score.title,
    caption:
      `${score.explanation}; further left is faster; a larger mark means a higher memory peak. Lines are 95 % ` +
      'intervals. A query is one batch of images.',
    basis: MEASURED_AND_SCORED,
    spec: {
      $schema: SCHEMA,
      config,
      params: [linkedParam],
      data: { values: rows },
      facet: { field: 'panel', type: 'nominal', title: null, sort: places },
      columns,
      spec: {
        width,
        height: 260,
        encoding: {
          color: { field: 'variant', type: 'nominal', scale: colourScale(variants, shown), title: 'variant' },
          opacity: emphasis(1, 'picked'),
        },
        layer: [
          {
            params: [{ name: 'picked', select: { type: 'point', fields: ['variant'] }, bind: 'legend' }],
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { x, y: { ...y, field: 'scoreLow' }, y2: { field: 'scoreHigh' } },
          },
          {
            mark: { type: 'rule', strokeWidth: 1.5 },
            encoding: { x: { ...x, field: 'latencyLow' }, x2: { field: 'latencyHigh' }, y },
          },
          {
            mark: { type: 'point', filled: true, fillOpacity: 0.6 },
            encoding: {
              x,
              y,
              shape: {
                field: 'variant',
                type: 'nominal',
                scale: shapeScale(variants, shown),
                title: 'variant',
              },
              size: {
                // Where the device does not tell.
                condition: { test: 'datum.memory === null', value: 120 },
                field: 'memory',
                type: 'quantitative',
                title: 'peak memory, MiB',
                scale: { zero: true, range: [20, 700] },
                legend: {
                  values: extremes(rows.map(({ memory }) => memory)),
                  format: '.3~r',
                  symbolType: 'circle',
                  symbolFillColor: REFERENCE,
                },
              },
              tooltip: [
                { field: 'variant', type: 'nominal' },
                { field: 'latencyText', type: 'nominal', title: 'latency (95 %)' },
                { field: 'scoreText', type: 'nominal', title: `${score.axis.replace(', %', '')} (95 %)` },
                { field: 'memoryText', type: 'nominal', title: 'peak memory (95 %)' },
                { field: 'timedText', type: 'nominal', title: 'timed' },
                { field: 'imagesText', type: 'nominal', title: 'images' },
              ],
            },
          },
        ],
      },
      resolve: { scale: { x: 'independent' } },
    },
  };
}

/** The smallest and the largest of some numbers, if there are any. */
function extremes(values: readonly (number | null)[]): number[] {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? [] : [...new Set([Math.min(...known), Math.max(...known)])];
}
