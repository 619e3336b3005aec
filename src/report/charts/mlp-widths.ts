import * as format from '../../text/format.js';
import type { ChartMaker } from './chart.js';
import { picturesOfKind } from './recipes.js';
import { BETTER, config, REFERENCE, SCHEMA } from './theme.js';

/** Width of a panel that the name of a variant fits above, in pixels. */
const PANEL = 180;

/** How wide the MLP of each block is before and after pruning. */
export const mlpWidths: ChartMaker = (analysis) => {
  const pruned = picturesOfKind(analysis, 'mlp-widths');
  const rows = pruned.flatMap(({ panel, picture }) =>
    picture.blocks.map(({ layer, before, after, loss }) => ({
      panel,
      block: layer,
      removed: before - after,
      before,
      after,
      loss: loss === undefined ? format.NONE : `${format.significant(loss * 100)} %`,
    })),
  );
  if (rows.length === 0) return undefined;
  const blocks = Math.max(...rows.map(({ block }) => block)) + 1;
  const panels = pruned.map(({ panel }) => panel);
  return {
    id: 'mlp-widths',
    title: 'MLP neurons left in each block',
    caption:
      'Pruning removes neurons from the MLP of each block (blocks count from 0, as in the names of the linear layers): the original width ' +
      'in grey, what is left in blue.',
    spec: {
      $schema: SCHEMA,
      config,
      data: { values: rows },
      facet: { field: 'panel', type: 'nominal', title: null, sort: panels },
      columns: blocks > 16 ? 1 : blocks > 8 ? 2 : 3,
      spec: {
        width: { step: blocks > 16 ? 20 : Math.max(26, Math.ceil(PANEL / blocks)) },
        height: 150,
        encoding: {
          x: { field: 'block', type: 'ordinal', title: 'block', axis: { labelAngle: 0 } },
          tooltip: [
            { field: 'panel', type: 'nominal', title: 'variant' },
            { field: 'block', type: 'ordinal' },
            { field: 'before', type: 'quantitative', title: 'neurons before' },
            { field: 'after', type: 'quantitative', title: 'neurons left' },
            { field: 'loss', type: 'nominal', title: "predicted error, share of the output's variance" },
          ],
        },
        layer: [
          {
            mark: { type: 'bar', color: REFERENCE },
            encoding: { y: { field: 'before', type: 'quantitative', title: 'neurons' } },
          },
          {
            mark: { type: 'bar', color: BETTER },
            encoding: { y: { field: 'after', type: 'quantitative', title: 'neurons' } },
          },
        ],
      },
      resolve: { axis: { x: 'independent' } },
    },
  };
};
