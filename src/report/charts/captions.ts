import type { Analysis } from '../../analysis/analysis.js';
import { basisText } from '../../text/basis.js';
import { latexText } from '../../text/latex.js';
import { escaped } from '../../text/markdown.js';
import type { PicturedChart } from './pictured.js';

/**
 * What each chart shows, and what it rests on: number of rounds, queries and images, intervals, devices. As Markdown.
 *
 * @param charts - in order
 * @param analysis - of the run
 */
export function captions(charts: readonly PicturedChart[], analysis: Analysis): string {
  return charts
    .map(
      ({ chart: { id, title, caption, basis } }) =>
        `**${escaped(title)}** (\`${id}\`). ${escaped(`${caption} ${basisText(analysis, basis)}`)}\n`,
    )
    .join('\n');
}

/**
 * The charts as figures of LaTeX, which show the PDFs beside the file; `\\usepackage{graphicx}`, and `\\graphicspath` where the file is
 * read from another folder.
 *
 * @param charts - in order
 * @param analysis - of the run
 */
export function captionsInLatex(charts: readonly PicturedChart[], analysis: Analysis): string {
  return charts
    .map(({ chart: { id, title, caption, basis } }) =>
      [
        '\\begin{figure}',
        '  \\centering',
        `  \\includegraphics[width=\\linewidth,height=0.8\\textheight,keepaspectratio]{${id}.pdf}`,
        `  \\caption{\\textbf{${latexText(title)}.} ${latexText(`${caption} ${basisText(analysis, basis)}`)}}`,
        `  \\label{fig:edgeflex-${id}}`,
        '\\end{figure}',
        '',
      ].join('\n'),
    )
    .join('\n');
}
