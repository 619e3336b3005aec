import { createHash } from 'node:crypto';
import { codeElement, html, type Content, type Markup } from '../html/markup.js';
import { style } from '../html/style.js';

/** Rules of the site's own. */
const ownStyle = `
.badge { vertical-align: -4px; margin-right: 8px; }
.crumbs { margin: 0 0 4px; color: var(--soft); }
td .badge { margin: 0; }
`;

/** What a page of the site shows. */
export interface SiteFrame {
  readonly title: string;
  readonly heading: Content;
  readonly sections: readonly { readonly id: string; readonly title: string; readonly content: Markup }[];
  readonly closing: Content;
}

/**
 * A page of the site: nothing in it runs, it fetches nothing, and its policy says so. Light or dark as the reader prefers.
 *
 * @param frame - what it shows
 * @returns an HTML document
 */
export function siteFrame({ title, heading, sections, closing }: SiteFrame): string {
  const rules = style + ownStyle;
  const hash = createHash('sha256').update(rules).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${codeElement('style', rules)}
      </head>
      <body>
        <header>
          ${heading}
          <nav>${sections.map((each) => html`<a href="#${each.id}">${each.title}</a> `)}</nav>
        </header>
        <main>
          ${sections.map(
            ({ id, title: name, content }) =>
              html`<section id="${id}">
                <h2>${name}</h2>
                ${content}
              </section> `,
          )}
        </main>
        <footer><p>${closing}</p></footer>
      </body>
    </html> `.text;
}

/**
 * A picture within a page.
 *
 * @param svg - an SVG document
 * @param alt - what it says
 * @param name - of its class
 */
export function picture(svg: string, alt: string, name = ''): Markup {
  // In an image the identifiers of one picture cannot be taken for those of another, and nothing in it can run.
  const source = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  return html`<img class="${name}" src="${source}" alt="${alt}" />`;
}
