import type { Analysis } from '../../../analysis/analysis.js';
import { attributionTable, effectsTable } from '../../../text/ablation/table.js';
import { gridOf } from '../grid.js';
import { html, type Markup } from '../markup.js';

/**
 * What the factors of the suite's matrix do.
 *
 * @param analysis - of a run
 * @returns undefined where there is no matrix, or too little was measured
 */
export function ablation(analysis: Analysis): Markup | undefined {
  const [effects, attribution] = [effectsTable(analysis), attributionTable(analysis)];
  if (effects.rows.length === 0) return undefined;
  return html`${gridOf(effects)}
  ${
    attribution.rows.length === 0
      ? undefined
      : html`<h3>Attribution of the total difference</h3>
          ${gridOf(attribution)}`
  }`;
}
