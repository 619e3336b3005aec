import { createHash } from 'node:crypto';
import type { Analysis } from '../analysis.js';
import type { PicturedChart } from '../charts/pictured.js';
import { behaviour } from './behaviour.js';
import { chartLibraries, type Library } from './libraries.js';
import { codeElement, html, type Markup } from './markup.js';
import { chartFigures } from './sections/charts.js';
import { environment } from './sections/environment.js';
import { glossary } from './sections/glossary.js';
import { header } from './sections/header.js';
import { kernels } from './sections/kernels.js';
import { published } from './sections/published.js';
import { recipes } from './sections/recipes.js';
import { results } from './sections/results.js';
import { style } from './style.js';

/**
 * The report as one page that needs nothing but itself: code and pictures are inside, and its policy forbids everything else.
 *
 * @param analysis - of a run
 * @param charts - its charts with their pictures
 * @returns an HTML document
 * @throws the file system's error when a library of the charts is not installed as it should be
 */
export async function page(analysis: Analysis, charts: readonly PicturedChart[]): Promise<string> {
  const libraries = await chartLibraries();
  const scripts = [...libraries.map(({ code }) => code), behaviour];
  const sections: readonly (readonly [id: string, title: string, content: Markup | undefined])[] = [
    ['results', 'Results', results(analysis)],
    ['reading', 'How to read this', glossary()],
    ['charts', 'Charts', chartFigures(charts)],
    ['recipes', 'What each recipe did', recipes(analysis)],
    ['kernels', 'Kernels that ran', kernels(analysis)],
    ['published', 'Published by others', published(analysis)],
    ['environment', 'Where and how it was measured', environment(analysis)],
  ];
  const shown = sections.filter(([, , content]) => content !== undefined);
  const links = shown.map(([id, title]) => ({ id, title }));
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy(scripts)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>EdgeFlex: ${analysis.run.row.suite}, run ${analysis.run.row.id}</title>
        ${codeElement('style', style)}
      </head>
      <body>
        ${header(analysis, links)}
        <main>
          ${shown.map(
            ([id, title, content]) =>
              html`<section id="${id}">
                <h2>${title}</h2>
                ${content}
              </section> `,
          )}
        </main>
        ${footer(analysis, libraries)} ${scripts.map((code) => codeElement('script', code))}
      </body>
    </html> `.text;
}

/** Only the page's own scripts run, whatever else gets into it; nothing is fetched. */
function policy(scripts: readonly string[]): string {
  const hashes = scripts.map((code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`);
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function footer({ run }: Analysis, libraries: readonly Library[]): Markup {
  return html`<footer>
    <p>
      Written by EdgeFlex ${run.row.version} from its results database, where every sample and every
      prediction behind these figures is kept. The same figures for programs: <a href="report.json">JSON</a>,
      <a href="report.csv">CSV</a>, <a href="report.md">Markdown</a>; the charts as SVG lie in
      <code>charts/</code>.
    </p>
    <details>
      <summary>Licences of the libraries that draw the charts</summary>
      ${libraries.map(
        ({ name, licence }) =>
          html`<h4>${name}</h4>
            <pre>${licence}</pre>`,
      )}
    </details>
  </footer>`;
}
