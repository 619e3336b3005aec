import { createHash } from 'node:crypto';
import { behaviour, chartLibraries } from './libraries.js';
import { codeElement, html, type Content, type Markup } from './markup.js';
import type { SectionLink } from './sections/header.js';
import { style } from './style.js';

/** A part of a page with a title of its own. */
export interface PageSection extends SectionLink {
  /** Undefined where there is nothing to show. */
  readonly content: Markup | undefined;
}

/** What a page shows. */
export interface PageParts {
  /** Of the browser's window. */
  readonly title: string;
  /** The top of the page. */
  readonly header: (links: readonly SectionLink[]) => Markup;
  readonly sections: readonly PageSection[];
  /** What stands at the end, before the licences. */
  readonly closing: Content;
  /** Rules of its own, behind those that all pages share. */
  readonly ownStyle?: string;
}

/**
 * A page that needs nothing but itself: code and pictures are inside, and its policy forbids everything else.
 *
 * @param parts - what it shows; its charts come from `chartFigures`
 * @returns an HTML document
 * @throws the file system's error when a library of the charts is not installed as it should be, or the package is not built
 */
export async function framed({
  title,
  header,
  sections,
  closing,
  ownStyle = '',
}: PageParts): Promise<string> {
  const libraries = await chartLibraries();
  const scripts = [...libraries.map(({ code }) => code), await behaviour()];
  const shown = sections.filter(({ content }) => content !== undefined);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy(scripts)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${codeElement('style', style + ownStyle)}
      </head>
      <body>
        ${header(shown.map(({ id, title: name }) => ({ id, title: name })))}
        <main>
          ${shown.map(
            ({ id, title: name, content }) =>
              html`<section id="${id}">
                <h2>${name}</h2>
                ${content}
              </section> `,
          )}
        </main>
        <footer>
          <p>${closing}</p>
          <details>
            <summary>Licences of the libraries that draw the charts</summary>
            ${libraries.map(
              ({ name, licence }) =>
                html`<h3>${name}</h3>
                  <pre>${licence}</pre>`,
            )}
          </details>
        </footer>
        ${scripts.map((code) => codeElement('script', code))}
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
