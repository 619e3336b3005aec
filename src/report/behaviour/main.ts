import { drawCharts, type ChartSpec, type Embed } from './charts.js';
import { SPECS_ID, TOOLS_ID, VALUES_ID } from './ids.js';
import { SeriesLink } from './link.js';
import { watchScrolling } from './scroll.js';
import { enableTable, type RowValues } from './table.js';

/** The library, whose script stands before this one. */
declare const vegaEmbed: Embed;

/** The code of a report's page: it needs no library but those of the charts, and nothing of it stands in an attribute. */
const link = new SeriesLink();
void drawCharts((keptAt(SPECS_ID) ?? []) as ChartSpec[], link, (...args) => vegaEmbed(...args));
const table = document.querySelector<HTMLTableElement>('.main-table');
const tools = document.getElementById(TOOLS_ID);
if (table !== null && tools !== null)
  enableTable({ table, tools, values: (keptAt(VALUES_ID) ?? []) as RowValues[] }, link);
watchScrolling();

/** What the page keeps as JSON in an element of its own, which EdgeFlex wrote. */
function keptAt(id: string): unknown {
  const text = document.getElementById(id)?.textContent;
  return text === undefined ? undefined : JSON.parse(text);
}
