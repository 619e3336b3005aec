import type { Analysis } from '../../analysis/analysis.js';
import { basisText } from '../../text/basis.js';
import type { PageSection } from './frame.js';
import { html, type Markup } from './markup.js';
import { ablation } from './sections/ablation.js';
import { answers } from './sections/answers.js';
import { chartFigures, type ShownChart } from './sections/charts.js';
import { devices } from './sections/devices.js';
import { environment } from './sections/environment.js';
import { glossary } from './sections/glossary.js';
import { kernels } from './sections/kernels.js';
import { limits } from './sections/limits.js';
import { load } from './sections/load.js';
import { published } from './sections/published.js';
import { recipes, type VariantLink } from './sections/recipes.js';
import { refit } from './sections/refit.js';
import { results } from './sections/results.js';

/**
 * What is to be said of a run, in the order of the report.
 *
 * @param analysis - of a run
 * @param charts - of it
 * @param pages - of its variants, where there are any
 */
export function runSections(
  analysis: Analysis,
  charts: readonly ShownChart[],
  pages: readonly VariantLink[] = [],
): PageSection[] {
  const sections: readonly (readonly [id: string, title: string, content: Markup | undefined])[] = [
    ['answers', 'In short', answers(analysis)],
    ['results', 'Results', results(analysis)],
    ['ablation', 'Ablation', ablation(analysis)],
    ['refit', 'What a new head gives', refit(analysis)],
    ['load', 'Under load', load(analysis)],
    [
      'charts',
      'Charts',
      html`<div class="charts">${chartFigures(charts, (basis) => basisText(analysis, basis))}</div>`,
    ],
    ['devices', 'Agreement between devices', devices(analysis)],
    ['recipes', 'What each recipe did', recipes(analysis, pages)],
    ['kernels', 'Kernels that ran', kernels(analysis)],
    ['limits', 'How far from the limit', limits(analysis)],
    ['published', 'Published by others', published(analysis)],
    ['environment', 'Where and how it was measured', environment(analysis)],
    ['reading', 'How to read this', glossary()],
  ];
  return sections.map(([id, title, content]) => ({ id, title, content }));
}
