import { oneLine } from './format.js';
import type { Table } from './table.js';

/** How a table is set. */
export interface LatexOptions {
  /** For `\ref`; left out, none. */
  readonly label?: string;
  /** Whether it is scaled to the width of the text, for which `\usepackage{graphicx}` is needed, too. */
  readonly fitted?: boolean;
}

/**
 * A table as LaTeX with the rules of the package booktabs, its notes below it; `\usepackage{booktabs}` and any engine with UTF-8.
 *
 * @param table - what to show
 * @param caption - of the table
 * @param options - how it is set
 */
export function latexTable(
  { columns, rows, notes }: Table,
  caption: string,
  { label, fitted = false }: LatexOptions = {},
): string {
  const line = (cells: readonly string[]): string => `    ${cells.map(latexText).join(' & ')} \\\\`;
  return [
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latexText(caption)}}`,
    ...(label === undefined ? [] : [`  \\label{${label}}`]),
    ...(fitted ? ['  \\resizebox{\\linewidth}{!}{%'] : []),
    `  \\begin{tabular}{@{}${columns.map(({ align }) => (align === 'right' ? 'r' : 'l')).join('')}@{}}`,
    '    \\toprule',
    line(columns.map(({ title }) => title)),
    '    \\midrule',
    ...rows.map((row) => line(columns.map(({ key }) => row[key] ?? ''))),
    '    \\bottomrule',
    fitted ? '  \\end{tabular}}' : '  \\end{tabular}',
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
