import type { Analysis } from '../../../analysis/analysis.js';
import { variantLabel } from '../../../analysis/label.js';
import { publishedOf } from '../../../analysis/published.js';
import { grid } from '../grid.js';
import { html, type Markup } from '../markup.js';

/**
 * What others published for like variants.
 *
 * @param analysis - of a run
 * @returns undefined when the suite names nothing
 */
export function published(analysis: Analysis): Markup | undefined {
  const rows = analysis.run.variants.flatMap((variant) => {
    const theirs = publishedOf(variant);
    if (theirs === undefined) return [];
    const { figures, model, hardware, source } = theirs;
    return figures.map((figure) => [variantLabel(variant, analysis), figure, model, hardware, source]);
  });
  if (rows.length === 0) return undefined;
  return html`<p>
      <b>Measured by others, on other hardware, with other software, and often on another model.</b> They are
      listed for orientation only; they cannot be compared with our columns. In the table of results their
      rows are marked with †.
    </p>
    ${grid(
      ['our variant', 'their figure', 'their model', 'their hardware', 'source'].map((title) => ({ title })),
      rows,
    )}`;
}
