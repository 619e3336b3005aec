import { defined } from '../../base/defined.js';
import type { Chart } from '../charts/chart.js';
import { drawable } from '../charts/drawable.js';
import { BETTER, config, INK, SCHEMA, WORSE } from '../charts/theme.js';
import type { CellHistory, Series } from '../../analysis/history/history.js';
import type { HistoryMetric, HistoryRun } from '../../analysis/history/points.js';
import {
  changeText,
  codeText,
  dayOf,
  historyBasisText,
  metricNames,
  rangeText,
  signedText,
  slowText,
} from '../../text/history/words.js';
import { quantity } from '../../text/compare/words.js';

/** So wide that one fits on a phone, and several beside each other elsewhere. */
const WIDTH = 220;
const HEIGHT = 150;
/** A label of two lines. */
const LABEL_HEIGHT = 26;
/** Labels stand one below the other, so many before they begin at the top again. */
const LABELS = 3;

const units: Readonly<Record<HistoryMetric, { readonly title: string; readonly scale: number }>> = {
  latency: { title: 'latency, ms', scale: 1 },
  memory: { title: 'peak memory, MiB', scale: 1024 ** -2 },
  accuracy: { title: 'top-1, %', scale: 100 },
  cosine: { title: 'cosine to fp32', scale: 1 },
  file: { title: 'model file, MiB', scale: 1024 ** -2 },
  rate: { title: 'highest rate, queries/s', scale: 1 },
  throughput: { title: 'offline, images/s', scale: 1 },
};

/**
 * A cell's history: a line in each setting with its 95 % intervals, the levels it had, where they changed, and where the setting
 * did.
 *
 * @param cell - the cell
 * @param order - all runs of the history, in order
 * @param id - name of the chart's file and of its place in a page
 */
export function historyChart(cell: CellHistory, order: readonly HistoryRun[], id: string): Chart {
  const { name, metric, series } = cell;
  const { title, scale } = units[metric];
  const keys = keysOf(cell, order);
  const isOfCommits = order.some(({ repository }) => repository !== null);
  const domain: string[] = [...keys.values()];
  const x = {
    field: 'run',
    type: 'ordinal',
    title: isOfCommits ? 'commit' : 'start, UTC',
    scale: { domain },
    axis: {
      labelExpr: "substring(datum.label, indexof(datum.label, ' ') + 1)",
      labelAngle: -45,
      labelOverlap: 'greedy',
      labelFontSize: 10,
    },
  } as const;
  const labels = labelsOf(cell, keys);
  // What is written at a change stands above the curves.
  const headroom = Math.min(LABELS, labels.length) * LABEL_HEIGHT;
  const height = HEIGHT + headroom;
  const range: number[] = [height, headroom];
  const y = { type: 'quantitative', title, scale: { zero: false, nice: true, range } } as const;
  const points = series.flatMap((each, part) =>
    each.points.map(({ run, estimate }) => ({
      ...{ run: keyOf(keys, run), part, value: estimate.value * scale },
      ...{ low: estimate.low * scale, high: estimate.high * scale },
      text: `${quantity(metric, estimate.value)} (${quantity(metric, estimate.low)} to ${quantity(metric, estimate.high)})`,
      ...{ id: run.id, code: codeText(run), day: dayOf(run) },
    })),
  );
  const at = { x: { ...x, field: 'run' } };
  const sides = (['left', 'right'] as const)
    .map((align) => ({ align, named: labels.filter((label) => label.align === align) }))
    .filter(({ named }) => named.length > 0);
  return {
    id,
    title: `${name}, ${metricNames[metric]}`,
    caption: captionOf(cell),
    spec: drawable({
      $schema: SCHEMA,
      config,
      width: WIDTH,
      height,
      layer: [
        {
          data: { values: points },
          mark: { type: 'area', color: BETTER, opacity: 0.18 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, detail: { field: 'part' } },
        },
        {
          data: { values: points },
          mark: { type: 'line', color: BETTER, strokeWidth: 1 },
          encoding: { x, y: { ...y, field: 'value' }, detail: { field: 'part' } },
        },
        {
          data: { values: points },
          mark: { type: 'point', filled: true, color: BETTER, size: 24, opacity: 1 },
          encoding: {
            x,
            y: { ...y, field: 'value' },
            tooltip: [
              { field: 'text', title: `${metricNames[metric]} (95 %)` },
              { field: 'code', title: 'commit' },
              { field: 'day', title: 'of' },
              { field: 'id', title: 'run' },
            ],
          },
        },
        {
          data: { values: levelsOf(series, keys, scale) },
          mark: { type: 'line', color: INK, strokeWidth: 1.5 },
          encoding: { x, y: { ...y, field: 'value' }, detail: { field: 'level' } },
        },
        // A layer of nothing would be a picture without a name to screen readers.
        ...(labels.length === 0
          ? []
          : [
              {
                data: { values: labels },
                mark: { type: 'rule' as const, strokeWidth: 1.5 },
                encoding: {
                  ...at,
                  color: { field: 'colour', type: 'nominal' as const, scale: null },
                  strokeDash: { field: 'dash', type: 'nominal' as const, scale: null },
                },
              },
            ]),
        ...sides.map(({ align, named }) => ({
          data: { values: named },
          mark: {
            type: 'text' as const,
            align,
            baseline: 'top' as const,
            dx: align === 'left' ? 4 : -4,
            fontSize: 10,
            lineHeight: 12,
          },
          encoding: {
            ...at,
            y: { field: 'top', type: 'quantitative' as const, scale: null },
            text: { field: 'lines', type: 'nominal' as const },
            color: { field: 'colour', type: 'nominal' as const, scale: null },
          },
        })),
      ],
    }),
  };
}

/** Names of the runs on the axis, in order: all are different, and what is shown of them comes last. */
function keysOf({ series }: CellHistory, order: readonly HistoryRun[]): Map<string, string> {
  const own = new Set(series.flatMap(({ points }) => points.map(({ run }) => run.id)));
  const runs = order.filter(({ id }) => own.has(id));
  const digits = String(runs.length).length;
  const days = runs.filter(({ repository }) => repository === null).map(dayOf);
  const isDayEnough = new Set(days).size === days.length;
  return new Map(
    runs.map((run, index) => [
      run.id,
      `${String(index).padStart(digits, '0')} ${shortName(run, isDayEnough)}`,
    ]),
  );
}

/** The commit; of a run whose commit nobody knows the day, and the time, in UTC, where several are of one day. */
function shortName(run: HistoryRun, isDayEnough: boolean): string {
  const { repository, startedAt } = run;
  if (repository !== null) return `${repository.commit.slice(0, 7)}${repository.dirty ? '*' : ''}`;
  return isDayEnough ? dayOf(run) : startedAt.slice(5, 16).replace('T', ' ');
}

/** Both ends of each level; the end of one is where the next one begins. */
function levelsOf(
  series: readonly Series[],
  keys: ReadonlyMap<string, string>,
  scale: number,
): { level: string; run: string; value: number }[] {
  return series.flatMap(({ points, levels }, part) =>
    levels.flatMap(({ from, to, level }, place) =>
      [from, to].map((index) => ({
        level: `${part} ${place}`,
        run: keyOf(keys, defined(points[index], 'a point of a level').run),
        value: level * scale,
      })),
    ),
  );
}

interface Label {
  readonly run: string;
  readonly colour: string;
  readonly dash: readonly number[];
  readonly lines: readonly string[];
  readonly align: 'left' | 'right';
  readonly top: number;
}

function keyOf(keys: ReadonlyMap<string, string>, { id }: HistoryRun): string {
  return defined(keys.get(id), `the place of run ${id}`);
}

/** Changes that count or may come to count, and settings that begin. */
function labelsOf({ series, metric }: CellHistory, keys: ReadonlyMap<string, string>): Label[] {
  const order = [...keys.keys()];
  const found = series.flatMap(({ changes, points }, part) => [
    ...(part === 0
      ? []
      : [
          {
            run: defined(points[0], 'the first point of a series').run,
            colour: INK,
            dash: [4, 3],
            lines: ['another', 'setting'],
          },
        ]),
    ...changes
      .filter(({ doubt }) => doubt === undefined || doubt === 'one run only' || doubt === 'same commit')
      .map(({ size, lastBefore, firstAfter, direction, doubt }) => ({
        run: firstAfter,
        colour: doubt !== undefined ? '#777777' : direction === 'worse' ? WORSE : BETTER,
        dash: doubt !== undefined ? [2, 2] : [1, 0],
        lines: [
          `${signedText(metric, size.value)}${doubt === undefined ? '' : ' ?'}`,
          rangeText(lastBefore, firstAfter),
        ],
      })),
  ]);
  return found
    .map(({ run, ...rest }) => ({ ...rest, run: keyOf(keys, run), place: order.indexOf(run.id) }))
    .sort((a, b) => a.place - b.place)
    .map(({ place, ...rest }, index) => ({
      ...rest,
      align: place < order.length / 2 ? 'left' : 'right',
      top: (index % LABELS) * LABEL_HEIGHT + 2,
    }));
}

function captionOf(cell: CellHistory): string {
  const { series, metric } = cell;
  const texts = series.flatMap((each) => [
    ...each.changes
      .filter(({ doubt }) => doubt === undefined || doubt === 'one run only' || doubt === 'same commit')
      .map((change) => changeText({ cell, series: each, change })),
    ...(each.slow ? [slowText({ cell, series: each, slow: each.slow })] : []),
  ]);
  const newest = series.find(({ current }) => current)?.points.at(-1)?.estimate.value;
  const now = newest === undefined ? '' : `${quantity(metric, newest)} now. `;
  // The title names the cell already.
  const own = texts.map((text) => text.slice(`${cell.name}, ${metricNames[metric]}: `.length));
  return `${now}${own.length === 0 ? 'No change found' : own.join('. ')}. ${historyBasisText(cell)}`;
}

/** Names of charts, none of them twice. */
export function chartIds(cells: readonly CellHistory[]): string[] {
  const taken = new Set<string>();
  return cells.map(({ name, metric }) => {
    const base = `${metric}-${name}`
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/-+$/, '');
    let id = base;
    for (let more = 2; taken.has(id); more++) id = `${base}-${more}`;
    taken.add(id);
    return id;
  });
}
