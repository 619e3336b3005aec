import type { Analysis } from '../../analysis/analysis.js';
import type { PicturedChart } from '../charts/pictured.js';
import { framed } from './frame.js';
import { runSections } from './run-sections.js';
import { html } from './markup.js';
import { header } from './sections/header.js';
import type { VariantLink } from './sections/recipes.js';

/**
 * The report as one page that needs nothing but itself: code and pictures are inside, and its policy forbids everything else.
 *
 * @param analysis - of a run
 * @param charts - its charts with their pictures
 * @param pages - of its variants, where there are any
 * @returns an HTML document
 * @throws the file system's error when a library of the charts is not installed as it should be
 */
export async function page(
  analysis: Analysis,
  charts: readonly PicturedChart[],
  pages: readonly VariantLink[] = [],
): Promise<string> {
  const { row } = analysis.run;
  return framed({
    title: `EdgeFlex: ${row.suite}, run ${row.id}`,
    header: (links) => header(analysis, links),
    sections: runSections(analysis, charts, pages),
    closing: html`Written by EdgeFlex ${row.version} from its results database, where every sample and every
      prediction behind these figures is stored. The same figures for programs:
      <a href="report.json">JSON</a>, <a href="report.csv">CSV</a>, <a href="report.md">Markdown</a>; the
      charts are in <code>charts/</code> as SVG.`,
  });
}
