import * as format from '../../text/format.js';
import { modelPhases } from '../../protocol/peak.js';
import type { ChartMaker } from './chart.js';
import { placeCells } from './panels.js';
import { config, emphasis, INK, linkedParam, panelLayout, REFERENCE, SCHEMA, steps } from './theme.js';

const MIB = 1024 ** 2;

/** Memory over the runtime's base in each phase, and the base itself. */
export const memoryPhases: ChartMaker = (analysis) => {
  const { cells, variants, panels } = placeCells(analysis);
  const measured = cells.flatMap(({ latency: { memory, rounds }, variant, panel }) =>
    memory ? [{ memory, rounds, variant, panel }] : [],
  );
  if (measured.length === 0) return undefined;
  const text = (bytes: number): string => format.significant(bytes / MIB);
  const rows = measured.flatMap(({ memory, rounds, variant, panel }) =>
    [...memory.byPhase].map(([phase, bytes]) => ({
      variant,
      panel,
      phase,
      mebibytes: bytes / MIB,
      text: text(bytes),
      peak: format.mebibytesWithin(memory.estimate),
      rounds,
    })),
  );
  const bases = measured.map(({ memory: { base }, variant, panel }) => ({
    variant,
    panel,
    mebibytes: base / MIB,
    text: text(base),
  }));
  const shown = variants.filter((name) => rows.some(({ variant }) => variant === name));
  const places = panels.filter((name) => rows.some(({ panel }) => panel === name));
  const { columns, width } = panelLayout(places.length);
  const y = { field: 'variant', type: 'nominal', title: null, sort: shown } as const;
  const labels = { type: 'text', align: 'left', dx: 3, fontSize: 10, color: INK } as const;
  const together = measured.some(({ memory }) => !memory.peaksAreOfPhases);
  return {
    id: 'memory-phases',
    title: 'Memory by phase',
    caption:
      'The most memory the process held in each phase, above what it held before the model was loaded (its base, in ' +
      'grey): while the model was loaded, in the first query, while warming up, and in the timed queries. The larger of ' +
      'the first two is the peak memory of the table, the last its steady peak: means over the rounds.' +
      (together
        ? ' Some devices cannot separate the phases: there, a bar is the peak since the start of the process.'
        : ''),
    basis: { rounds: true },
    spec: {
      $schema: SCHEMA,
      config,
      params: [linkedParam],
      vconcat: [
        {
          data: { values: rows },
          facet: { field: 'panel', type: 'nominal', title: null, sort: places },
          columns,
          spec: {
            width,
            height: { step: 12, for: 'offset' },
            encoding: {
              x: {
                field: 'mebibytes',
                type: 'quantitative',
                title: 'peak over the base, MiB',
                axis: { tickCount: 5 },
              },
              y,
              yOffset: { field: 'phase', type: 'nominal', sort: [...modelPhases] },
              opacity: emphasis(1),
            },
            layer: [
              {
                mark: { type: 'bar' },
                encoding: {
                  color: {
                    field: 'phase',
                    type: 'ordinal',
                    scale: { domain: [...modelPhases], range: [...steps] },
                    title: 'phase',
                    legend: { orient: 'top', direction: 'horizontal' },
                  },
                  tooltip: [
                    { field: 'variant', type: 'nominal' },
                    { field: 'phase', type: 'nominal' },
                    { field: 'text', type: 'nominal', title: 'MiB over the base' },
                    { field: 'peak', type: 'nominal', title: 'peak memory (95 %)' },
                    { field: 'rounds', type: 'quantitative' },
                  ],
                },
              },
              { mark: labels, encoding: { text: { field: 'text', type: 'nominal' } } },
            ],
          },
          resolve: { scale: { x: 'independent' } },
        },
        {
          data: { values: bases },
          facet: { field: 'panel', type: 'nominal', title: null, sort: places },
          columns,
          spec: {
            width,
            height: { step: 16 },
            encoding: {
              x: {
                field: 'mebibytes',
                type: 'quantitative',
                title: 'base: runtime without a model, MiB',
                axis: { tickCount: 5 },
              },
              y,
              opacity: emphasis(1),
            },
            layer: [
              { mark: { type: 'bar', color: REFERENCE } },
              { mark: labels, encoding: { text: { field: 'text', type: 'nominal' } } },
            ],
          },
          resolve: { axis: { x: 'independent' } },
        },
      ],
    },
  };
};
