import type { Basis } from '../../../text/basis.js';
import type { Chart } from '../../charts/chart.js';
import { SPECS_ID } from '../../behaviour/ids.js';
import { embeddedJson, html, unbroken, type Markup } from '../markup.js';

/** A chart as a page shows it. */
export interface ShownChart {
  readonly chart: Chart;
  /** An SVG document, which the page's own code replaces; left out where the page cannot be read without that code anyway. */
  readonly svg?: string;
}

/**
 * The charts, which the page's own code draws.
 *
 * @param charts - in order
 * @param basisOf - says what a chart rests on: number of observations, intervals, devices. Left out where each caption says it
 */
export function chartFigures(charts: readonly ShownChart[], basisOf?: (basis?: Basis) => string): Markup {
  const rest = (basis?: Basis): Markup | undefined =>
    basisOf && html` <span class="basis">${unbroken(basisOf(basis))}</span>`;
  return html`${charts.map(
      ({ chart: { id, title, caption, basis }, svg }) =>
        html`<figure id="${id}">
          <h3>${title}</h3>
          <figcaption>${unbroken(caption)}${rest(basis)}</figcaption>
          <div class="picture" data-label="${title}. ${caption}">
            ${svg === undefined ? undefined : pictureOf(svg, `${title}. ${caption}`)}
          </div>
        </figure> `,
    )}
    <script type="application/json" id="${SPECS_ID}">
      ${embeddedJson(charts.map(({ chart: { id, spec } }) => ({ id, spec })))}
    </script>`;
}

/** In an image the identifiers of one picture cannot be taken for those of another, and nothing in it can run. */
function pictureOf(svg: string, label: string): Markup {
  return html`<img src="data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}" alt="${label}" />`;
}
