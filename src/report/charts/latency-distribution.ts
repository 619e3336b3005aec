import { defined } from '../../base/defined.js';
import * as format from '../../text/format.js';
import type { ChartMaker } from './chart.js';
import { placeCells } from './panels.js';
import { thinnedDistribution } from './quantiles.js';
import { colourScale, config, dashScale, emphasis, linkedParam, panelLayout, SCHEMA } from './theme.js';

/** Points of all curves together: so many that a page stays small, however long a suite measured. */
const POINTS = 20_000;
const MOST_POINTS = 250;
const LEAST_POINTS = 50;

/** Curves end here: a single slow query would squeeze all others into a corner. */
const DRAWN_SHARE = 0.99;

/** The distribution of latencies: a curve for each round of each variant. */
export const latencyDistribution: ChartMaker = (analysis) => {
  const { cells, variants, panels } = placeCells(analysis);
  const rounds = cells.flatMap((cell) =>
    [...cell.latency.samples].map(([round, samples]) => ({ ...cell, round, samples })),
  );
  const points = Math.max(LEAST_POINTS, Math.min(MOST_POINTS, Math.floor(POINTS / rounds.length)));
  const curves = rounds
    .filter(({ samples }) => samples.length > 0)
    .map(({ variant, panel, round, samples }) => {
      const whole = thinnedDistribution(samples, points);
      const drawn = whole.filter(({ share }, index) => index === 0 || share <= DRAWN_SHARE);
      return {
        variant,
        panel,
        round: round + 1,
        queries: samples.length,
        slowest: `${format.milliseconds(defined(whole.at(-1), 'the slowest query').value)} ms`,
        latency: drawn.map(({ value }) => Number(value.toPrecision(5))),
        share: drawn.map(({ share }) => Number((share * 100).toPrecision(5))),
      };
    });
  if (curves.length === 0) return undefined;
  const queries = cells.reduce((sum, { latency }) => sum + latency.queries, 0);
  const shown = variants.filter((name) => curves.some(({ variant }) => variant === name));
  const { columns, width } = panelLayout(panels.length);
  return {
    id: 'latency-distribution',
    title: 'Distribution of latencies',
    caption:
      'Each curve is one round, which is a separate process: for each latency, the share of queries that took no longer. Further ' +
      'left is faster, steeper is steadier; curves of the same colour that lie apart show how much one process differs from ' +
      `the next. Drawn from at most ${points} quantiles of each round, without its slowest 1 %; all ` +
      `${format.integer(queries)} samples are in the database.`,
    basis: { rounds: true },
    spec: {
      $schema: SCHEMA,
      config,
      params: [linkedParam],
      data: { values: curves },
      transform: [{ flatten: ['latency', 'share'] }],
      facet: { field: 'panel', type: 'nominal', title: null, sort: panels },
      columns,
      spec: {
        width,
        height: 260,
        params: [{ name: 'picked', select: { type: 'point', fields: ['variant'] }, bind: 'legend' }],
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 },
        encoding: {
          x: {
            field: 'latency',
            type: 'quantitative',
            title: 'latency of a query, ms',
            scale: { zero: false },
            axis: { tickCount: 6 },
          },
          y: {
            field: 'share',
            type: 'quantitative',
            title: 'queries that took no longer, %',
            scale: { domain: [0, 100] },
          },
          order: { field: 'share', type: 'quantitative' },
          detail: { field: 'round', type: 'nominal' },
          color: { field: 'variant', type: 'nominal', scale: colourScale(variants, shown), title: 'variant' },
          strokeDash: {
            field: 'variant',
            type: 'nominal',
            scale: dashScale(variants, shown),
            title: 'variant',
          },
          opacity: emphasis(0.85, 'picked'),
          tooltip: [
            { field: 'variant', type: 'nominal' },
            { field: 'round', type: 'nominal' },
            { field: 'queries', type: 'quantitative' },
            { field: 'slowest', type: 'nominal', title: 'slowest query' },
          ],
        },
      },
      resolve: { scale: { x: 'independent' } },
    },
  };
};
