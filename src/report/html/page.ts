import type { Analysis } from '../../analysis/analysis.js';
import type { PicturedChart } from '../charts/pictured.js';
import { framed } from './frame.js';
import { html, type Markup } from './markup.js';
import { ablation } from './sections/ablation.js';
import { answers } from './sections/answers.js';
import { chartFigures } from './sections/charts.js';
import { devices } from './sections/devices.js';
import { environment } from './sections/environment.js';
import { glossary } from './sections/glossary.js';
import { header } from './sections/header.js';
import { kernels } from './sections/kernels.js';
import { limits } from './sections/limits.js';
import { load } from './sections/load.js';
import { published } from './sections/published.js';
import { recipes, type VariantLink } from './sections/recipes.js';
import { refit } from './sections/refit.js';
import { results } from './sections/results.js';

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
  const sections: readonly (readonly [id: string, title: string, content: Markup | undefined])[] = [
    ['answers', 'In short', answers(analysis)],
    ['results', 'Results', results(analysis)],
    ['ablation', 'Ablation', ablation(analysis)],
    ['refit', 'What a new head gives', refit(analysis)],
    ['load', 'Under load', load(analysis)],
    ['charts', 'Charts', html`<div class="charts">${chartFigures(charts)}</div>`],
    ['devices', 'Agreement between devices', devices(analysis)],
    ['recipes', 'What each recipe did', recipes(analysis, pages)],
    ['kernels', 'Kernels that ran', kernels(analysis)],
    ['limits', 'How far from the limit', limits(analysis)],
    ['published', 'Published by others', published(analysis)],
    ['environment', 'Where and how it was measured', environment(analysis)],
    ['reading', 'How to read this', glossary()],
  ];
  const { row } = analysis.run;
  return framed({
    title: `EdgeFlex: ${row.suite}, run ${row.id}`,
    header: (links) => header(analysis, links),
    sections: sections.map(([id, title, content]) => ({ id, title, content })),
    closing: html`Written by EdgeFlex ${row.version} from its results database, where every sample and every
      prediction behind these figures is stored. The same figures for programs:
      <a href="report.json">JSON</a>, <a href="report.csv">CSV</a>, <a href="report.md">Markdown</a>; the
      charts are in <code>charts/</code> as SVG.`,
  });
}
