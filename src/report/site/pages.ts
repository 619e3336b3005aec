import { changesPage, commitPage, type Hosting } from '../../base/hosting.js';
import { historyFindings } from '../../analysis/history/findings.js';
import type { HistoryRun } from '../../analysis/history/points.js';
import { siteStatusText } from '../../text/history/site.js';
import { changeText, codeText, dayOf, extentText, thresholdsText } from '../../text/history/words.js';
import type { PicturedChart } from '../charts/pictured.js';
import { changes, reading, seriesTable } from '../history/parts.js';
import { facts, grid } from '../html/grid.js';
import { html, unbroken, type Content, type Markup } from '../html/markup.js';
import { badge } from './badge.js';
import { picture, siteFrame } from './frame.js';
import type { SitePage } from './split.js';

/** A badge and the name of its file. */
export interface NamedBadge {
  readonly name: string;
  readonly svg: string;
}

/** Changes that the first page shows of each suite. */
const NEWEST = 10;

/**
 * The state of a page as a badge: whether anything is worse now.
 *
 * @param page - of one model on one device
 */
export function statusBadge({ history, model, device }: SitePage): string {
  const worse = historyFindings(history).worseNow.length;
  return badge(`${model} on ${device}`, siteStatusText(worse), worse > 0 ? 'bad' : 'good');
}

/**
 * The page of a model on a device.
 *
 * @param page - what it is about
 * @param charts - one for each of its cells, in the same order
 * @param badges - of its cells, in their order
 * @param hosting - where its commits can be looked at
 * @param version - of EdgeFlex
 */
export function modelPage(
  page: SitePage,
  charts: readonly PicturedChart[],
  badges: readonly NamedBadge[],
  hosting: Hosting,
  version: string,
): string {
  const { history, suite, model, device, slug } = page;
  const findings = historyFindings(history);
  const newest = history.runs.at(-1);
  const ids = charts.map(({ chart: { id } }) => id);
  return siteFrame({
    title: `${model} on ${device}: history of ${suite}`,
    heading: html`<p class="crumbs"><a href="index.html">All histories</a> › ${suite}</p>
      <h1>${model} on ${device}</h1>
      <p>
        ${picture(statusBadge(page), siteStatusText(findings.worseNow.length), 'badge')}
        ${extentText(history)}
      </p>
      ${facts([
        ['newest commit', newest && commitLink(newest, hosting)],
        ['changes count from', thresholdsText(history)],
      ])}`,
    sections: [
      {
        id: 'changes',
        title: 'What changed',
        content: html`${changes(history, findings)}${rangeLinks(page, hosting)}`,
      },
      {
        id: 'charts',
        title: 'Charts',
        content: html`<div class="gallery">${charts.map(figure)}</div>`,
      },
      { id: 'cells', title: 'Every series', content: seriesTable(history, ids, findings) },
      {
        id: 'badges',
        title: 'Badges',
        content: html`<p>Pictures to link to from elsewhere:</p>
          <ul class="findings">
            ${[{ name: `${slug}.svg`, svg: statusBadge(page) }, ...badges].map(
              ({ name, svg }) =>
                html`<li>${picture(svg, '', 'badge')}<a href="badges/${name}">badges/${name}</a></li> `,
            )}
          </ul>`,
      },
      { id: 'reading', title: 'How to read this', content: reading() },
    ],
    closing: closingOf(version, html`<a href="${slug}.json">JSON</a>`),
  });
}

/**
 * The first page: every suite, model and device, and what changed last.
 *
 * @param pages - all of them
 * @param hosting - where their commits can be looked at
 * @param version - of EdgeFlex
 */
export function indexPage(pages: readonly SitePage[], hosting: Hosting, version: string): string {
  const suites = [...new Set(pages.map(({ suite }) => suite))];
  return siteFrame({
    title: 'EdgeFlex: histories',
    heading: html`<p class="soft">EdgeFlex</p>
      <h1>Histories of ${suites.join(', ')}</h1>`,
    sections: suites.map((suite, index) => ({
      id: `suite-${index}`,
      title: suite,
      content: suiteContent(
        pages.filter((page) => page.suite === suite),
        hosting,
      ),
    })),
    closing: closingOf(version),
  });
}

function suiteContent(pages: readonly SitePage[], hosting: Hosting): Markup {
  const table = grid(
    [
      ...[{ title: 'model on device' }, { title: 'state' }, { title: 'runs', align: 'right' as const }],
      ...[{ title: 'newest commit' }, { title: 'of' }],
    ],
    pages.map((page) => {
      const { history, model, device, slug } = page;
      const newest = history.runs.at(-1);
      return [
        html`<a href="${slug}.html">${model} on ${device}</a>`,
        picture(statusBadge(page), siteStatusText(historyFindings(history).worseNow.length), 'badge'),
        history.runs.length,
        newest && commitLink(newest, hosting),
        newest && dayOf(newest),
      ];
    }),
  );
  const found = pages
    .flatMap(({ history }) => {
      const { regressions, improvements } = historyFindings(history);
      return [...regressions, ...improvements];
    })
    .sort((a, b) => (dayOf(a.change.firstAfter) < dayOf(b.change.firstAfter) ? 1 : -1))
    .slice(0, NEWEST);
  const list =
    found.length === 0
      ? html`<p>Nothing changed.</p>`
      : html`<ul class="findings">
          ${found.map((each) => html`<li>${unbroken(changeText(each))}.</li> `)}
        </ul>`;
  return html`${table}
    <h3>Newest changes</h3>
    ${list}`;
}

function figure({ chart: { id, title, caption }, svg }: PicturedChart): Markup {
  return html`<figure id="${id}">
    <h3>${title}</h3>
    <figcaption>${unbroken(caption)}</figcaption>
    <div class="picture">${picture(svg, `${title}. ${caption}`)}</div>
  </figure> `;
}

/** Where what lies between the commits of changes can be looked at, as far as that is known. */
function rangeLinks({ history }: SitePage, hosting: Hosting): Markup | undefined {
  const { regressions, improvements } = historyFindings(history);
  const links = new Map<string, string>();
  for (const { change } of [...regressions, ...improvements]) {
    const [before, after] = [change.lastBefore, change.firstAfter].map(
      ({ repository }) => repository?.commit,
    );
    const page = before && after ? changesPage(hosting, before, after) : undefined;
    if (page) links.set(`${codeText(change.lastBefore)}…${codeText(change.firstAfter)}`, page);
  }
  if (links.size === 0) return undefined;
  return html`<p>
    Changes between the commits: ${[...links].map(([name, page]) => html`<a href="${page}">${name}</a> `)}
  </p>`;
}

function commitLink(run: HistoryRun, hosting: Hosting): Content {
  const page = run.repository === null ? undefined : commitPage(hosting, run.repository.commit);
  return page === undefined ? codeText(run) : html`<a href="${page}">${codeText(run)}</a>`;
}

function closingOf(version: string, more?: Markup): Markup {
  return html`Written by EdgeFlex ${version} from its results
  database.${more === undefined ? undefined : html` The same figures for programs: ${more}.`}`;
}
