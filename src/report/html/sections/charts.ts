import type { PicturedChart } from '../../charts/pictured.js';
import { SPECS_ID } from '../../behaviour/ids.js';
import { embeddedJson, html, unbroken, type Markup } from '../markup.js';

/**
 * The charts: as pictures, which the page's own code replaces.
 *
 * @param charts - in order
 */
export function chartFigures(charts: readonly PicturedChart[]): Markup {
  return html`${charts.map(({ chart: { id, title, caption }, svg }) => {
      // In an image the identifiers of one picture cannot be taken for those of another, and nothing in it can run.
      const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
      return html`<figure id="${id}">
        <h3>${title}</h3>
        <figcaption>${unbroken(caption)}</figcaption>
        <div class="picture"><img src="${source}" alt="${title}. ${caption}" /></div>
      </figure> `;
    })}
    <script type="application/json" id="${SPECS_ID}">
      ${embeddedJson(charts.map(({ chart: { id, spec } }) => ({ id, spec })))}
    </script>`;
}
