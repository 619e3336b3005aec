import type { Analysis } from '../analysis/analysis.js';
import { refitEffects, type RefitEffect } from '../analysis/figures/refit.js';
import { deviceLabel, variantLabel } from '../analysis/label.js';
import type { Estimate } from '../stats/interval.js';
import * as format from './format.js';
import type { Table } from './table.js';

/**
 * What heads that were fitted anew behind a recipe gave.
 *
 * @param analysis - of a run
 * @returns without rows where there are none
 */
export function refitTable(analysis: Analysis): Table {
  const effects = refitEffects(analysis.run);
  const several = analysis.run.devices.length > 1;
  return {
    columns: [
      { key: 'variant', title: 'variant', align: 'left' },
      { key: 'without', title: 'like it without', align: 'left' },
      ...(several ? [{ key: 'device', title: 'device', align: 'left' } as const] : []),
      { key: 'before', title: 'top-1 % without (95 %)', align: 'right', spare: 1 },
      { key: 'after', title: 'top-1 % with (95 %)', align: 'right', spare: 2 },
      { key: 'change', title: 'points (95 %)', align: 'right' },
      { key: 'mcnemar', title: 'McNemar p', align: 'right' },
    ],
    rows: effects.map((effect) => rowOf(effect, analysis)),
    notes:
      effects.length === 0
        ? []
        : [
            'The head refitted after a recipe, on training images, compared with the same recipe with its original head: percentage points of ' +
              "top-1 on the same test images, with Tango's interval; McNemar p is exact, for each pair on its own.",
          ],
  };
}

function rowOf(
  { variant, without, device, before, after, change, mcnemarP }: RefitEffect,
  analysis: Analysis,
): Record<string, string> {
  return {
    variant: variantLabel(variant, analysis),
    without: variantLabel(without, analysis),
    device: deviceLabel(device),
    before: format.share(before),
    after: format.share(after),
    change: points(change),
    mcnemar: format.pValue(mcnemarP),
  };
}

/** A difference of shares in percentage points: `+0.31 (−0.02 to +0.64)`. */
function points({ value, low, high }: Estimate): string {
  const signed = (share: number): string => `${share < 0 ? '−' : '+'}${format.percent(Math.abs(share), 2)}`;
  return `${signed(value)} (${signed(low)} to ${signed(high)})`;
}
