import type { KernelShare } from '../../analysis/figures/kernels.js';
import * as format from '../../text/format.js';
import { labelOf, variantLabel } from '../../analysis/label.js';
import type { ChartMaker } from './chart.js';
import { config, colourAt, emphasis, linkedParam, palette, REFERENCE, SCHEMA } from './theme.js';

const OTHERS = 'other kernels';

/** Kernels' share of the time of a query, by variant. */
export const kernelShares: ChartMaker = (analysis) => {
  const listed = analysis.figures.filter(({ kernels }) => kernels.length > 0);
  if (listed.length === 0) return undefined;
  const named = largestKernels(listed.flatMap(({ kernels }) => kernels));
  const rows = listed.flatMap((figures) => {
    const variant = labelOf(figures, analysis);
    const bars = new Map<string, { share: number; milliseconds: number }>();
    for (const { opType, share, milliseconds } of figures.kernels) {
      const kernel = named.includes(opType) ? opType : OTHERS;
      const sum = bars.get(kernel) ?? { share: 0, milliseconds: 0 };
      bars.set(kernel, { share: sum.share + share, milliseconds: sum.milliseconds + milliseconds });
    }
    return [...bars].map(([kernel, { share, milliseconds }]) => ({
      ...{ variant, series: variantLabel(figures.variant, analysis) },
      kernel,
      place: [...named, OTHERS].indexOf(kernel),
      share: share * 100,
      time: `${format.milliseconds(milliseconds)} ms`,
    }));
  });
  const colours = new Map<string, string>(named.map((kernel, index) => [kernel, colourAt(index + 1)]));
  if (rows.some(({ kernel }) => kernel === OTHERS)) colours.set(OTHERS, REFERENCE);
  const batches = [...new Set(listed.map(({ kernelBatch }) => kernelBatch))].join(' and ');
  return {
    id: 'kernel-shares',
    title: 'Where the time goes: kernels that ran',
    caption:
      `What the profiler of the runtime recorded in one query of batch ${batches}. MatMulIntegerToFloat and MatMulNBits are the ` +
      'kernels of quantised linears, Gemm and FusedMatMul those of float ones. Shares, not times: a faster variant has bars ' +
      'of the same length.',
    spec: {
      $schema: SCHEMA,
      config,
      params: [linkedParam],
      data: { values: rows },
      width: 720,
      height: { step: 26 },
      mark: { type: 'bar', stroke: '#ffffff', strokeWidth: 1 },
      encoding: {
        x: {
          field: 'share',
          type: 'quantitative',
          title: "share of the kernels' time, %",
          stack: 'zero',
          scale: { domain: [0, 100] },
          axis: { tickCount: 10 },
        },
        y: {
          field: 'variant',
          type: 'nominal',
          title: null,
          sort: listed.map((figures) => labelOf(figures, analysis)),
        },
        color: {
          field: 'kernel',
          type: 'nominal',
          title: 'kernel',
          scale: {
            domain: [...colours.keys()],
            range: [...colours.values()],
          },
        },
        opacity: emphasis(1),
        order: { field: 'place', type: 'quantitative' },
        tooltip: [
          { field: 'variant', type: 'nominal' },
          { field: 'kernel', type: 'nominal' },
          { field: 'share', type: 'quantitative', title: 'share, %', format: '.1f' },
          { field: 'time', type: 'nominal', title: 'in a query' },
        ],
      },
    },
  };
};

/** The kernels with the largest shares over all variants, as many as there are colours for, the largest first. */
function largestKernels(kernels: readonly KernelShare[]): string[] {
  const totals = new Map<string, number>();
  for (const { opType, share } of kernels) totals.set(opType, (totals.get(opType) ?? 0) + share);
  return [...totals]
    .sort(([, a], [, b]) => b - a)
    .slice(0, palette.length - 1)
    .map(([opType]) => opType);
}
