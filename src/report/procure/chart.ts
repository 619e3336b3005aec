import { defined } from '../../base/defined.js';
import type { Chart } from '../charts/chart.js';
import { config, SCHEMA } from '../charts/theme.js';
import * as format from '../../text/format.js';
import type { Procurement } from '../../analysis/procure/procurement.js';

/**
 * Throughput against what it costs, one point for each candidate with its intervals.
 *
 * @param procurement - what was found
 * @returns undefined when no device has a price or nothing was timed
 */
export function procurementChart({ candidates, batch }: Procurement): Chart | undefined {
  const rows = candidates.flatMap(({ device, variant, answer, pareto, throughput, cost }) =>
    throughput && cost
      ? [
          {
            name: `${variant} · ${device}`,
            answer,
            pareto: pareto ?? 'not ranked',
            throughput: throughput.value,
            throughputLow: throughput.low,
            throughputHigh: throughput.high,
            cost: cost.value,
            costLow: cost.low,
            costHigh: cost.high,
            costText: `${format.significant(cost.value)} ${cost.currency}`,
          },
        ]
      : [],
  );
  if (rows.length === 0) return undefined;
  const currency = defined(candidates.find(({ cost }) => cost)?.cost, 'the cost of what is drawn').currency;
  const x = {
    field: 'throughput',
    type: 'quantitative',
    title: 'images a second',
    scale: { type: 'log', nice: false },
  } as const;
  const y = {
    field: 'cost',
    type: 'quantitative',
    title: `${currency} for each image a second`,
    scale: { type: 'log', nice: false },
  } as const;
  const color = {
    field: 'answer',
    type: 'nominal',
    title: 'constraints',
    scale: { domain: ['meets', 'cannot tell', 'fails'], range: ['#0072b2', '#e69f00', '#b8b8b8'] },
  } as const;
  return {
    id: 'procurement',
    title: 'What throughput costs',
    caption: `Batch ${batch}. Further right is faster, further down is cheaper for what it does; lines are 95 % intervals.`,
    spec: {
      $schema: SCHEMA,
      config,
      width: 520,
      height: 320,
      data: { values: rows },
      layer: [
        {
          mark: { type: 'rule' },
          encoding: { x: { ...x, field: 'throughputLow' }, x2: { field: 'throughputHigh' }, y, color },
        },
        {
          mark: { type: 'rule' },
          encoding: { x, y: { ...y, field: 'costLow' }, y2: { field: 'costHigh' }, color },
        },
        {
          mark: { type: 'point', filled: true, size: 80 },
          encoding: {
            ...{ x, y, color },
            shape: { field: 'pareto', type: 'nominal', title: 'Pareto front' },
            tooltip: [{ field: 'name' }, { field: 'costText', title: 'for each image a second' }],
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 8, dy: -6 },
          encoding: { x, y, text: { field: 'name' } },
        },
      ],
    },
  };
}
