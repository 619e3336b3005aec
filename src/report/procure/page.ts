import { decisionOf, type Decision } from '../../analysis/procure/decision.js';
import type { Procurement, Ranked } from '../../analysis/procure/procurement.js';
import * as format from '../../text/format.js';
import { listed } from '../../text/listed.js';
import { placeText } from '../../text/procure/table.js';
import {
  askedFor,
  candidateName,
  costUnit,
  fleetText,
  headline,
  missingOf,
  moneyText,
  quantitiesOf,
  reasonsFor,
  termsText,
} from '../../text/procure/words.js';
import type { PicturedChart } from '../charts/pictured.js';
import { framed, type PageSection } from '../html/frame.js';
import { grid, type GridColumn } from '../html/grid.js';
import { html, unbroken, type Content, type Markup } from '../html/markup.js';
import { chartFigures, type ShownChart } from '../html/sections/charts.js';
import { procurementStyle } from './style.js';

/** What fits on a printed page beside the rest; the other files have all. */
const MOST_ROWS = 8;
const MOST_FINDINGS = 8;
const MOST_REASONED = 2;

/**
 * A procurement for whoever decides: one page that needs nothing but itself and prints on one sheet of A4.
 *
 * @param procurement - what was found
 * @param charts - of it
 * @param version - of EdgeFlex
 * @returns an HTML document
 * @throws the file system's error when a library of the charts is not installed as it should be
 */
export async function procurementPage(
  procurement: Procurement,
  charts: readonly PicturedChart[],
  version: string,
): Promise<string> {
  const decision = decisionOf(procurement);
  const isNone = decision.kind !== 'buy';
  return framed({
    title: 'EdgeFlex: what to buy',
    header: () =>
      html`<header>
        <p class="soft">EdgeFlex procurement</p>
        <h1>Which device to buy</h1>
        <p class="${isNone ? 'answer none' : 'answer'}">${unbroken(headline(decision, procurement))}</p>
      </header>`,
    sections: procurementSections(procurement, decision, charts),
    closing: html`Written by EdgeFlex ${version} from ${procurement.runs.length === 1 ? 'run' : 'runs'}
      ${listed(procurement.runs)}, batch ${procurement.batch}. Intervals are 95 %. Every candidate:
      <a href="procurement.md">Markdown</a>, <a href="procurement.csv">CSV</a>,
      <a href="procurement.json">JSON</a>.`,
    ownStyle: procurementStyle,
  });
}

/**
 * What is to be said of a procurement.
 *
 * @param procurement - what was found
 * @param decision - what it comes to
 * @param charts - of it
 */
export function procurementSections(
  procurement: Procurement,
  decision: Decision,
  charts: readonly ShownChart[],
): PageSection[] {
  const missing = missingOf(procurement);
  return [
    { id: 'why', title: 'Why', content: reasons(decision, procurement) },
    { id: 'shortlist', title: shortlistTitle(decision), content: shortlist(decision, procurement) },
    {
      id: 'charts',
      title: 'All candidates',
      content: charts.length === 0 ? undefined : html`<div class="pair">${chartFigures(charts)}</div>`,
    },
    { id: 'asked', title: 'What was asked', content: asked(procurement) },
    {
      id: 'missing',
      title: 'What was not measured or not stated',
      content: missing.length === 0 ? html`<p>Nothing that was asked for.</p>` : findings(missing),
    },
  ];
}

function reasons(decision: Decision, procurement: Procurement): Markup | undefined {
  if (decision.kind !== 'buy') return undefined;
  const { best } = decision;
  const told = best.slice(0, MOST_REASONED);
  const tie =
    best.length > 1
      ? html`<p>
          The intervals of their costs all overlap, so their order is not known: choose by other criteria, or
          measure longer.
        </p>`
      : undefined;
  return html`${tie}${told.map(
    (each) =>
      html`${best.length > 1 ? html`<h3>${candidateName(each)}</h3>` : undefined}
        <ul class="reasons">
          ${reasonsFor(each, procurement).map((reason) => html`<li>${unbroken(reason)}</li> `)}
        </ul> `,
  )}`;
}

function shortlistTitle(decision: Decision): string {
  switch (decision.kind) {
    case 'buy':
      return decision.runnersUp.length === 0 ? 'Recommendation' : 'Recommendation and runners-up';
    case 'undecided':
      return 'What qualifies, without an order';
    case 'nothing qualifies':
      return 'Nearest';
  }
}

function shortlist(decision: Decision, procurement: Procurement): Markup | undefined {
  const rows = shortlisted(decision);
  if (rows.length === 0) return undefined;
  const quantities = quantitiesOf(procurement);
  const columns: readonly (GridColumn & { readonly of: (candidate: Ranked) => Content })[] = [
    { title: 'rank', of: ({ byCost }) => (byCost ? placeText(byCost) : format.NONE) },
    { title: 'device', of: ({ deviceLabel, offer }) => offer?.board ?? deviceLabel },
    { title: 'variant', of: ({ variant }) => variant },
    {
      title: costUnit(procurement),
      align: 'right',
      of: ({ cost }) => (cost ? moneyText(cost) : format.NONE),
    },
    ...(procurement.terms?.use.kind === 'load'
      ? [
          {
            title: 'devices',
            align: 'right' as const,
            of: ({ ownership }: Ranked) => (ownership ? fleetText(ownership.fleet) : format.NONE),
          },
          {
            title: `total ${procurement.currency ?? ''}`,
            align: 'right' as const,
            of: ({ ownership }: Ranked) => (ownership ? moneyText(ownership.total) : format.NONE),
          },
        ]
      : []),
    {
      title: `${quantities.latency.name} ms`,
      align: 'right',
      of: ({ latency }) => (latency ? format.latency(latency) : format.NONE),
    },
    {
      title: 'top-1 %',
      align: 'right',
      of: ({ accuracy }) => (accuracy ? format.share(accuracy) : format.NONE),
    },
    {
      title: 'peak memory',
      align: 'right',
      of: ({ memory }) => (memory ? format.mebibytes(memory.value) : format.NONE),
    },
    {
      title: 'J an image',
      align: 'right',
      of: ({ energy }) => (energy ? format.amount(energy) : format.NONE),
    },
  ];
  const shown = columns.filter(({ of }) => rows.some((row) => of(row) !== format.NONE));
  const more = rows.length - MOST_ROWS;
  return html`${grid(
    shown,
    rows.slice(0, MOST_ROWS).map((row) => shown.map(({ of }) => of(row))),
  )}${more > 0 ? html`<p class="soft">And ${more} more in the other files.</p>` : undefined}`;
}

function shortlisted(decision: Decision): readonly Ranked[] {
  switch (decision.kind) {
    case 'buy':
      return [...decision.best, ...decision.runnersUp];
    case 'undecided':
      return decision.qualifying;
    case 'nothing qualifies':
      return decision.nearest ? [decision.nearest.candidate] : [];
  }
}

function asked(procurement: Procurement): Markup {
  const { batch, images } = procurement;
  const limits = askedFor(procurement);
  return html`<p>
    ${limits.length === 0 ? 'No limit' : unbroken(limits.join('; '))};
    ${batch === 1 ? 'one image' : `${batch} images`} a
    query${images ? `; accuracy on images of ${images.name}` : ''}.
    ${termsText(procurement).map((sentence) => unbroken(`${sentence} `))}
  </p>`;
}

function findings(lines: readonly string[]): Markup {
  const shown = lines.length > MOST_FINDINGS ? lines.slice(0, MOST_FINDINGS - 1) : lines;
  const more = lines.length - shown.length;
  return html`<ul class="findings">
    ${shown.map((line) => html`<li>${unbroken(line)}</li> `)}
    ${more > 0 ? html`<li>and ${more} more, in the other files</li>` : undefined}
  </ul>`;
}
