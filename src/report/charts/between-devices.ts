import { MEASURED } from '../../text/basis.js';
import type { Estimate } from '../../stats/interval.js';
import { deviceLabel, isEmulated, variantLabel } from '../../analysis/label.js';
import * as format from '../../text/format.js';
import type { ChartMaker, PartSpec } from './chart.js';
import { placeCells } from './panels.js';
import { colourScale, config, emphasis, INK, linkedParam, SCHEMA, shapeScale } from './theme.js';

/** A layer of a part. */
type LayerPart = Extract<Extract<PartSpec, { layer: unknown }>['layer'][number], { mark: unknown }>;

/** Height of a device's band, in pixels for each variant. */
const BAND = 13;

/** Latency and speed of every variant on every device: the one chart in which devices share an axis. */
export const betweenDevices: ChartMaker = (analysis) => {
  const { cells, variants } = placeCells(analysis);
  const places = new Set(cells.map(({ figures }) => figures.device));
  if (places.size < 2) return undefined;
  const rows = cells.flatMap(({ figures, latency }) => {
    const { median, speedup, batch, queries, rounds } = latency;
    const common = {
      variant: variantLabel(figures.variant, analysis),
      device: deviceLabel(figures.device),
      batch: `batch ${batch}`,
      hardware: isEmulated(figures.device) ? NOT_HARDWARE : 'hardware',
      timed: `${format.integer(queries)} queries in ${format.integer(rounds)} rounds`,
    };
    return [
      { ...common, part: 'latency', ...ends(median), text: `${format.latency(median)} ms` },
      ...(speedup ? [{ ...common, part: 'speed', ...ends(speedup), text: format.times(speedup) }] : []),
    ];
  });
  const shown = variants.filter((name) => rows.some(({ variant }) => variant === name));
  const devices = analysis.run.devices.filter((device) => places.has(device)).map(deviceLabel);
  const batches = [...new Set(cells.map(({ latency }) => latency.batch))].sort((a, b) => a - b);
  const part = (of: 'latency' | 'speed', batch: number, title: string): PartSpec => {
    const x = {
      ...({ field: 'value', type: 'quantitative', title } as const),
      scale: { type: 'log', nice: false, padding: 14 },
      axis: { tickCount: 5 },
    } as const;
    const marks = (filled: boolean): Pick<LayerPart, 'transform' | 'mark'> => ({
      transform: [{ filter: `datum.hardware ${filled ? '!=' : '=='} '${NOT_HARDWARE}'` }],
      mark: { type: 'point', size: 60, filled, strokeWidth: 1.8, opacity: 1 },
    });
    const encoding = {
      x,
      shape: { field: 'variant', type: 'nominal', scale: shapeScale(variants, shown), title: 'variant' },
      tooltip: [
        { field: 'variant', type: 'nominal' },
        { field: 'device', type: 'nominal' },
        { field: 'text', type: 'nominal', title: `${of} (95 %)` },
        { field: 'timed', type: 'nominal' },
        { field: 'hardware', type: 'nominal', title: 'device is' },
      ],
    } as const;
    return {
      title: { text: `batch ${batch}`, fontSize: 13, anchor: 'middle' },
      data: { values: rows.filter((row) => row.part === of && row.batch === `batch ${batch}`) },
      width: 330,
      height: { step: Math.max(40, BAND * shown.length), for: 'position' },
      encoding: {
        y: { field: 'device', type: 'nominal', title: null, sort: devices },
        yOffset: { field: 'variant', type: 'nominal', sort: shown },
        color: { field: 'variant', type: 'nominal', scale: colourScale(variants, shown), title: 'variant' },
        opacity: emphasis(1),
      },
      layer: [
        ...(of === 'speed' ? [sameAsBaseline] : []),
        {
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' } },
        },
        { ...marks(true), encoding: { ...encoding, tooltip: [...encoding.tooltip] } },
        ...(rows.some(({ hardware }) => hardware === NOT_HARDWARE)
          ? [{ ...marks(false), encoding: { ...encoding, tooltip: [...encoding.tooltip] } }]
          : []),
      ],
    };
  };
  const faster = rows.some((row) => row.part === 'speed');
  return {
    id: 'between-devices',
    title: 'Devices compared with each other',
    caption:
      'Everywhere else each device has an axis of its own. Here they share one, whose steps are ratios: ' +
      (faster
        ? 'left, the median latency of a query; right, how many times as fast as fp32 on the same device. '
        : 'the median latency of a query. ') +
      'Lines are 95 % intervals. Hollow marks are of emulated devices, whose timings say nothing about the hardware.',
    basis: MEASURED,
    spec: {
      $schema: SCHEMA,
      config,
      params: [linkedParam],
      concat: batches.flatMap((batch) => [
        part('latency', batch, 'median latency of a query, ms'),
        ...(rows.some((row) => row.part === 'speed' && row.batch === `batch ${batch}`)
          ? [part('speed', batch, 'times as fast as fp32')]
          : []),
      ]),
      columns: faster ? 2 : 1,
    },
  };
};

/** Where a variant is as fast as fp32. */
const sameAsBaseline: LayerPart = {
  mark: { type: 'rule', strokeDash: [4, 3], aria: false },
  encoding: {
    ...{ x: { datum: 1 }, y: { value: 'height' }, y2: { value: 0 }, yOffset: { value: 0 } },
    ...{ color: { value: INK }, opacity: { value: 1 } },
  },
};

const NOT_HARDWARE = 'not the hardware';

function ends({ value, low, high }: Estimate): Record<'value' | 'low' | 'high', number> {
  return { value, low, high };
}
