import type { AgainstReference } from '../../analysis/ablation/against.js';
import type { Analysis } from '../../analysis/analysis.js';
import { deviceLabel, variantLabel } from '../../analysis/label.js';
import { inWords, metricNames } from '../compare/words.js';
import * as format from '../format.js';
import type { Table } from '../table.js';

/**
 * Every variant of a run against one of them: a row for each figure.
 *
 * @param against - of the run
 * @param reference - name of the recipe that they are held against
 * @param analysis - of the run
 */
export function againstTable(
  against: readonly AgainstReference[],
  reference: string,
  analysis: Analysis,
): Table {
  const several = analysis.run.devices.length > 1;
  return {
    columns: [
      { key: 'variant', title: `against ${reference}`, align: 'left' },
      ...(several ? [{ key: 'device', title: 'device', align: 'left' } as const] : []),
      { key: 'batch', title: 'batch', align: 'right' },
      { key: 'figure', title: 'figure', align: 'left' },
      { key: 'difference', title: 'difference (95 %)', align: 'left' },
      { key: 'p', title: 'p (Holm)', align: 'right', spare: 1 },
    ],
    rows: against.map(({ cell: { variant, device, row }, judgement }) => ({
      variant: variantLabel(variant, analysis),
      device: deviceLabel(device),
      batch: row.kind === 'accuracy' ? '' : String(row.batch),
      figure: metricNames[judgement.metric],
      difference: inWords(judgement),
      p: judgement.adjustedP === undefined ? '' : format.pValue(judgement.adjustedP),
    })),
    notes:
      against.length === 0
        ? []
        : [
            'Ratios of the rounds that both variants have; of accuracy the exact McNemar test on the same images. Holm corrects over all variants of a figure.',
          ],
  };
}
