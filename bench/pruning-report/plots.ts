import type { TopLevelSpec } from 'vega-lite';
import { BETTER, colourAt, config, REFERENCE, SCHEMA } from '../../src/report/charts/theme.js';
import { renderSvg } from '../../src/report/charts/svg.js';
import type { Figures } from './figures.js';

interface Plot {
  readonly name: string;
  readonly title: string;
  readonly spec: object;
}

const BLOCK = { field: 'block', type: 'ordinal', title: 'block', axis: { labelAngle: 0 } };

/**
 * The pictures of the figures.
 *
 * @returns SVG documents by name
 */
export async function plots(figures: Figures): Promise<Map<string, string>> {
  const drawn = new Map<string, string>();
  for (const { name, title, spec } of [
    alone(figures),
    growth(figures),
    widths(figures),
    choices(figures),
    certainty(figures),
  ]) {
    const whole = { $schema: SCHEMA, config, ...spec } as TopLevelSpec;
    drawn.set(name, await renderSvg({ id: name, title, caption: title, spec: whole }));
  }
  return drawn;
}

/** What each block alone does, and what was predicted of it. */
function alone({ alone: blocks }: Figures): Plot {
  const series = {
    'logits, as measured': (each: (typeof blocks)[number]) => each.logits,
    'predicted, relative to the stream': (each: (typeof blocks)[number]) => each.relative,
    'predicted, squared error': (each: (typeof blocks)[number]) => each.squared,
  };
  const values = Object.entries(series).flatMap(([what, of]) => {
    const total = blocks.reduce((sum, each) => sum + of(each), 0);
    return blocks.map((each) => ({ block: each.block, what, share: of(each) / total }));
  });
  return {
    name: 'alone',
    title: 'Half of one block’s neurons gone: its share of all blocks’ errors',
    spec: {
      ...{ width: 460, height: 260, data: { values } },
      mark: { type: 'line', point: true },
      encoding: {
        x: BLOCK,
        y: {
          field: 'share',
          type: 'quantitative',
          scale: { type: 'log' },
          axis: { format: '.2~%' },
          title: 'share',
        },
        color: scaleOf('what', Object.keys(series)),
      },
    },
  };
}

const rules = ({ variants }: Figures) => variants.filter(({ question }) => question === 'widths');

/** How far the residual stream lies from that of the whole model, behind each block. */
function growth(figures: Figures): Plot {
  const values = rules(figures).flatMap(({ name, apart = [] }) =>
    apart.map(({ all }, layer) => ({ block: layer + 1, name, apart: all })),
  );
  return {
    name: 'growth',
    title: 'The stream behind each block: squared error, share of its spread',
    spec: {
      ...{ width: 460, height: 260, data: { values } },
      mark: { type: 'line', point: true },
      encoding: {
        x: BLOCK,
        y: { field: 'apart', type: 'quantitative', axis: { format: '%' }, title: 'apart' },
        color: scaleOf(
          'name',
          rules(figures).map(({ name }) => name),
          'widths',
        ),
      },
    },
  };
}

/** Neurons that are left in each block. */
function widths(figures: Figures): Plot {
  const values = rules(figures).flatMap(({ name, widths: left }) =>
    left.map((width, layer) => ({ block: layer + 1, name, width })),
  );
  return {
    name: 'widths',
    title: 'Neurons left in each block',
    spec: {
      ...{ width: 460, height: 220, data: { values } },
      mark: { type: 'line', interpolate: 'step', point: true },
      encoding: {
        x: BLOCK,
        y: { field: 'width', type: 'quantitative', title: 'neurons' },
        color: scaleOf(
          'name',
          rules(figures).map(({ name }) => name),
          'widths',
        ),
      },
    },
  };
}

/** Points lost by each way to prune. */
function choices({ variants, calibratedOn, ridge }: Figures): Plot {
  const [usual, ...others] = variants;
  const usualNames = {
    widths: usual?.name,
    'training images': String(calibratedOn),
    ridge: `${ridge.toExponential(0)} (from the rows)`,
    'calibrated on': 'the whole model',
    compensation: 'least squares',
  };
  const questions = Object.keys(usualNames) as (keyof typeof usualNames)[];
  const rows = questions.flatMap((question) => [
    { question, name: usualNames[question], points: usual?.points, usual: true },
    ...others
      .filter((each) => each.question === question)
      .map(({ name, points }) => ({ question, name, points, usual: false })),
  ]);
  const values = rows.map(({ points, ...row }) => ({
    ...row,
    ...{ lost: points?.value, low: points?.low, high: points?.high },
  }));
  const sort = values.map(({ name }) => name);
  const y = { field: 'name', type: 'nominal', title: null, sort, axis: { labelLimit: 320 } };
  return {
    name: 'choices',
    title: 'Points of top-1 lost, 95 % intervals; the usual way in blue',
    spec: {
      data: { values },
      facet: {
        row: {
          field: 'question',
          type: 'nominal',
          title: null,
          sort: questions,
          header: { labelAngle: 0, labelAlign: 'left' },
        },
      },
      resolve: { scale: { y: 'independent' } },
      spec: {
        ...{ width: 420, height: { step: 20 } },
        layer: [
          {
            mark: { type: 'rule', color: REFERENCE, strokeWidth: 2 },
            encoding: {
              y,
              x: { field: 'low', type: 'quantitative', title: 'points lost' },
              x2: { field: 'high' },
            },
          },
          {
            mark: { type: 'point', filled: true, size: 60, opacity: 1 },
            encoding: {
              y,
              x: { field: 'lost', type: 'quantitative' },
              color: {
                field: 'usual',
                type: 'nominal',
                legend: null,
                scale: { domain: [true, false], range: [BETTER, colourAt(0)] },
              },
            },
          },
        ],
      },
    },
  };
}

/** Which images get another class. */
function certainty({ certainty: groups }: Figures): Plot {
  const values = groups.map(({ name, group, images, changed }) => ({ name, group, share: changed / images }));
  return {
    name: 'certainty',
    title: 'Images that get another class, by how sure the whole model is of them',
    spec: {
      ...{ width: 460, height: 220, data: { values } },
      mark: { type: 'line', point: true },
      encoding: {
        x: {
          field: 'group',
          type: 'ordinal',
          title: 'tenth of the images, the least sure first',
          axis: { labelAngle: 0 },
        },
        y: { field: 'share', type: 'quantitative', axis: { format: '%' }, title: 'other class' },
        color: scaleOf('name', [...new Set(groups.map(({ name }) => name))], 'widths'),
      },
    },
  };
}

function scaleOf(field: string, domain: readonly string[], title: string | null = null): object {
  return {
    ...{ field, type: 'nominal', title },
    scale: { domain, range: domain.map((_, index) => colourAt(index + 1)) },
    legend: { orient: 'bottom', direction: 'vertical' },
  };
}
