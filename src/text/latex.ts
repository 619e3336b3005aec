import { oneLine } from './format.js';
import type { Table } from './table.js';

/**
 * A table as LaTeX with the rules of the package booktabs, its notes below it; one that is wider than the text is scaled down to it.
 * `\usepackage{booktabs,graphicx}` and any engine with UTF-8.
 *
 * @param table - what to show
 * @param caption - of the table
 * @param label - for `\ref`; left out, none
 */
export function latexTable({ columns, rows, notes }: Table, caption: string, label?: string): string {
  const line = (cells: readonly string[]): string => `    ${cells.map(latexText).join(' & ')} \\\\`;
  return [
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latexText(caption)}}`,
    ...(label === undefined ? [] : [`  \\label{${label}}`]),
    '  \\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%',
    `  \\begin{tabular}{@{}${columns.map(({ align }) => (align === 'right' ? 'r' : 'l')).join('')}@{}}`,
    '    \\toprule',
    line(columns.map(({ title }) => title)),
    '    \\midrule',
    ...rows.map((row) => line(columns.map(({ key }) => row[key] ?? ''))),
    '    \\bottomrule',
    '  \\end{tabular}}',
    ...(notes.length > 0
      ? [
          '',
          '  \\medskip',
          '  \\begin{minipage}{\\linewidth}\\footnotesize',
          ...notes.map((note) => `    ${latexText(note)}\\par`),
          '  \\end{minipage}',
        ]
      : []),
    '\\end{table}',
    '',
  ].join('\n');
}

/** Characters that LaTeX reads as commands, or that its usual fonts have in math alone. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  $: '\\$',
  '&': '\\&',
  '#': '\\#',
  _: '\\_',
  '%': '\\%',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '$<$',
  '>': '$>$',
  '“': '``',
  '”': "''",
  '×': '$\\times$',
  '−': '$-$',
  '±': '$\\pm$',
  '≤': '$\\leq$',
  '≥': '$\\geq$',
  '·': '$\\cdot$',
  '†': '\\dag{}',
  '§': '\\S{}',
  '–': '--',
  '—': '---',
  '…': '\\ldots{}',
  '‡': '\\ddag{}',
  '✗': '$\\times$',
  '∅': '$\\emptyset$',
  '⚑': '$\\triangleright$',
  '→': '$\\rightarrow$',
  λ: '$\\lambda$',
  '’': "'",
};

/** A text that LaTeX sets as it is, on one line. */
export function latexText(text: string): string {
  return oneLine(text)
    .replace(/"([^"]*)"/g, '“$1”')
    .replace(/./gu, (character) => ESCAPES[character] ?? character);
}
