import type { FactPicture } from '../../compress/facts.js';
import type { ChartMaker } from './chart.js';
import { picturesOfKind } from './recipes.js';
import { config, INK, REFERENCE, SCHEMA } from './theme.js';

/** In the order in which a block computes them. */
const ROLES = ['q', 'k', 'v', 'o', 'fc1', 'fc2'];

/** Width of a panel that the name of a variant fits above, in pixels. */
const PANEL = 180;

/** How near each linear's output stays to what it was before quantisation. */
export const linearSqnr: ChartMaker = (analysis) => {
  const quantized = picturesOfKind(analysis, 'linear-sqnr');
  const rows = quantized.flatMap(({ panel, picture }) =>
    cellsOf(picture).map((cell) => ({ panel, ...cell })),
  );
  if (rows.length === 0) return undefined;
  const roles = [...new Set([...ROLES, ...rows.map(({ role }) => role)])].filter((role) =>
    rows.some((row) => row.role === role),
  );
  const blocks = Math.max(...rows.map(({ block }) => block)) + 1;
  const step = blocks > 16 ? 24 : Math.max(32, Math.ceil(PANEL / blocks));
  return {
    id: 'linear-sqnr',
    title: 'Signal-to-noise ratio of quantised linear layers',
    caption:
      'SQNR of the output of each linear layer on calibration images, in decibels: 10 dB more means a tenth of the error power, and 40 dB ' +
      'means an error of 1 % of the signal. q, k, v and o are the linear layers of the attention, fc1 and fc2 those of the MLP; ' +
      'blocks count from 0. "float" marks layers that stayed float or were returned to it.',
    spec: {
      $schema: SCHEMA,
      config,
      data: { values: rows },
      facet: { field: 'panel', type: 'nominal', title: null, sort: quantized.map(({ panel }) => panel) },
      columns: blocks > 16 ? 1 : blocks > 8 ? 2 : 3,
      spec: {
        width: { step },
        height: { step: 22 },
        encoding: {
          x: { field: 'block', type: 'ordinal', title: 'block', axis: { labelAngle: 0 } },
          y: { field: 'role', type: 'nominal', title: null, sort: roles },
          tooltip: [
            { field: 'panel', type: 'nominal', title: 'variant' },
            { field: 'linear', type: 'nominal' },
            { field: 'sqnr', type: 'quantitative', title: 'SQNR, dB', format: '.1f' },
            { field: 'state', type: 'nominal' },
          ],
        },
        layer: [
          {
            mark: { type: 'rect', stroke: '#ffffff' },
            encoding: {
              color: {
                condition: { test: "datum.state !== 'quantised'", value: REFERENCE },
                field: 'sqnr',
                type: 'quantitative',
                title: 'SQNR, dB',
                // The pale half of the scheme, on which black figures can be read.
                scale: { scheme: { name: 'yellowgreenblue', extent: [0.02, 0.55] }, zero: false },
              },
            },
          },
          {
            mark: { type: 'text', fontSize: blocks > 16 ? 9 : 11, color: INK },
            encoding: { text: { field: 'text', type: 'nominal' } },
          },
        ],
      },
      resolve: { axis: { x: 'independent' } },
    },
  };
};

interface LinearCell {
  readonly linear: string;
  readonly block: number;
  readonly role: string;
  readonly sqnr: number | null;
  readonly state: 'quantised' | 'returned to float' | 'kept float';
  readonly text: string;
}

function cellsOf({ linears }: Extract<FactPicture, { kind: 'linear-sqnr' }>): LinearCell[] {
  return linears.flatMap(({ linear, sqnr, state }): LinearCell[] => {
    const [, block, role] = /^layers\.(\d+)\.(\w+)$/.exec(linear) ?? [];
    if (block === undefined || role === undefined) return [];
    const text = state === 'quantised' ? (sqnr?.toFixed(0) ?? '∞') : 'float';
    return [{ linear, block: Number(block), role, sqnr: sqnr ?? null, state, text }];
  });
}
