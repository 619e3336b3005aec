import type { Analysis, VariantFigures } from '../analysis/analysis.js';
import type { Limits, OperatorLimit } from '../analysis/figures/limits.js';
import { precisionNames } from '../analysis/figures/roofline.js';
import * as format from './format.js';
import { labelOf } from '../analysis/label.js';
import type { Table } from './table.js';

/** Operators that are named of each variant: those that most time goes to. */
const NAMED = 4;

/** A variant with its limits. */
export type LimitedFigures = VariantFigures & { readonly limits: Limits };

/** The variants of which is known how far they are from the limit. */
export function limitedOf(analysis: Analysis): LimitedFigures[] {
  return analysis.figures.filter((figures): figures is LimitedFigures => figures.limits !== undefined);
}

/** How an operator is called: with the precision of its products, where it has any. */
export function operatorName({ opType, precision }: Pick<OperatorLimit, 'opType' | 'precision'>): string {
  return precision === undefined ? opType : `${opType} (${precisionNames[precision]})`;
}

/**
 * How far each variant is from what its device can do at best, and where the time goes.
 *
 * @param analysis - of a run
 * @returns without rows where no roofline fits
 */
export function limitsTable(analysis: Analysis): Table {
  const limited = limitedOf(analysis);
  return {
    columns: [
      { key: 'variant', title: 'variant', align: 'left' },
      { key: 'batch', title: 'batch', align: 'right' },
      { key: 'latency', title: 'latency ms', align: 'right', spare: 2 },
      { key: 'taken', title: 'operators ms', align: 'right' },
      { key: 'least', title: 'at best ms', align: 'right' },
      { key: 'reached', title: 'reached', align: 'right' },
      { key: 'where', title: 'where the time goes (and how close each comes to its best)', align: 'left' },
    ],
    rows: limited.map((figures) => {
      const { limits } = figures;
      const timed = figures.latencies.find(({ batch }) => batch === limits.batch);
      return {
        variant: labelOf(figures, analysis),
        batch: String(limits.batch),
        latency: timed ? format.milliseconds(timed.median.value) : '',
        taken: format.milliseconds(limits.milliseconds),
        least: format.milliseconds(limits.leastMilliseconds),
        reached: `${format.percent(limits.reached, 0)} %`,
        where: limits.operators.slice(0, NAMED).map(operatorText).join('; '),
      };
    }),
    notes: limited.length > 0 ? limitNotes(limited) : [],
  };
}

function operatorText(operator: OperatorLimit): string {
  const near = operator.reached === undefined ? '' : ` (${format.percent(operator.reached, 0)} %)`;
  return `${operatorName(operator)} ${format.percent(operator.share, 0)} %${near}`;
}

function limitNotes(limited: readonly LimitedFigures[]): string[] {
  const beyond = limited.some(({ limits }) => limits.operators.some(({ reached }) => (reached ?? 0) > 1));
  const unknown = limited.filter(({ limits }) => limits.unknownMilliseconds > 0.01 * limits.milliseconds);
  return [
    'At best: the sum over the operators of their compute-bound time, at the ceiling of their precision for the nearest shape that ' +
      '"edgeflex roofline" measured, or their memory-bound time where that is longer. Reached: that time as a share of the time they took.',
    ...(beyond
      ? [
          'More than 100 %: it was faster than the measured ceiling, because its values were still in a cache, or its shape suits ' +
            'the kernel better than the nearest one that was measured.',
        ]
      : []),
    ...(unknown.length > 0
      ? [
          'Operators without a known ceiling count as if they could take no time at all, so the share reached is underestimated.',
        ]
      : []),
  ];
}
