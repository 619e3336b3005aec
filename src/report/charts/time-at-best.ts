import * as format from '../../text/format.js';
import { limitedOf, operatorName } from '../../text/limits.js';
import { labelOf } from '../../analysis/label.js';
import type { ChartMaker } from './chart.js';
import { config, colourAt, palette, REFERENCE, SCHEMA } from './theme.js';

const OTHERS = 'other operators';

const TAKEN = 'taken';
const LEAST = 'at best';

/** The time of a query by operator, and what the same operators would take at the device's ceilings, by variant. */
export const timeAtBest: ChartMaker = (analysis) => {
  const limited = limitedOf(analysis);
  if (limited.length === 0) return undefined;
  const named = largest(
    limited.flatMap(({ limits }) => limits.operators.map((each) => [operatorName(each), each.share])),
  );
  const places = [...named, OTHERS];
  const rows = limited.flatMap((figures) => {
    const bars = new Map<string, { taken: number; least: number }>();
    for (const operator of figures.limits.operators) {
      const name = named.includes(operatorName(operator)) ? operatorName(operator) : OTHERS;
      const { taken, least } = bars.get(name) ?? { taken: 0, least: 0 };
      bars.set(name, {
        taken: taken + operator.milliseconds,
        least: least + (operator.leastMilliseconds ?? 0),
      });
    }
    return [...bars].flatMap(([operator, { taken, least }]) =>
      ([TAKEN, LEAST] as const).map((bar) => {
        const milliseconds = bar === TAKEN ? taken : least;
        return {
          ...{ variant: labelOf(figures, analysis), operator, bar, milliseconds },
          place: places.indexOf(operator),
          time: `${format.milliseconds(milliseconds)} ms`,
          reached: taken > 0 ? `${format.percent(least / taken, 0)} %` : format.NONE,
        };
      }),
    );
  });
  const colours = new Map<string, string>(named.map((operator, index) => [operator, colourAt(index + 1)]));
  if (rows.some(({ operator }) => operator === OTHERS)) colours.set(OTHERS, REFERENCE);
  const batches = [...new Set(limited.map(({ limits }) => limits.batch))].join(' and ');
  return {
    id: 'time-at-best',
    title: 'How far from the limit: time taken, and at best',
    caption:
      `For each variant, one query of batch ${batches}: above, the time its operators took; below, the time the same operators would take at ` +
      'the peak performance of this device (ceilings of matrix products at the nearest shape, and memory bandwidth). The ' +
      'difference in length is what could be gained without changing the model.',
    spec: {
      $schema: SCHEMA,
      config,
      data: { values: rows },
      width: 720,
      height: { step: 14, for: 'offset' },
      mark: { type: 'bar', stroke: '#ffffff', strokeWidth: 1 },
      encoding: {
        x: {
          field: 'milliseconds',
          type: 'quantitative',
          title: 'time of the operators in a query, ms',
          stack: 'zero',
          axis: { tickCount: 8 },
        },
        y: {
          field: 'variant',
          type: 'nominal',
          title: null,
          sort: limited.map((figures) => labelOf(figures, analysis)),
        },
        yOffset: { field: 'bar', type: 'nominal', sort: [TAKEN, LEAST] },
        opacity: {
          field: 'bar',
          type: 'ordinal',
          title: 'bar',
          scale: { domain: [TAKEN, LEAST], range: [1, 0.55] },
        },
        color: {
          field: 'operator',
          type: 'nominal',
          title: 'operator',
          scale: { domain: [...colours.keys()], range: [...colours.values()] },
        },
        order: { field: 'place', type: 'quantitative' },
        tooltip: [
          { field: 'variant', type: 'nominal' },
          { field: 'operator', type: 'nominal' },
          { field: 'bar', type: 'nominal', title: 'bar' },
          { field: 'time', type: 'nominal', title: 'in a query' },
          { field: 'reached', type: 'nominal', title: 'of the best' },
        ],
      },
    },
  };
};

/** The operators with the largest shares over all variants, as many as there are colours for, the largest first. */
function largest(shares: readonly (readonly [string, number])[]): string[] {
  const totals = new Map<string, number>();
  for (const [name, share] of shares) totals.set(name, (totals.get(name) ?? 0) + share);
  return [...totals]
    .sort(([, a], [, b]) => b - a)
    .slice(0, palette.length - 1)
    .map(([name]) => name);
}
