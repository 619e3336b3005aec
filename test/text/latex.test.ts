import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { latexTable, latexText } from '../../src/text/latex.js';
import type { Table } from '../../src/text/table.js';
import { useFolder } from '../support/folder.js';
import { texPart } from '../support/parts.js';

const folder = useFolder();
const table: Table = {
  columns: [
    { key: 'name', title: 'variant_1 & more', align: 'left' },
    { key: 'value', title: 'share % (95 %)', align: 'right' },
  ],
  rows: [{ name: 'a\\b{c}~^#', value: '0.62× (−0.31–0.64)' }, { name: '<"x">' }],
  notes: ['n.s.: ± 1 %, ≤ $5'],
};

const wide: Table = { ...table, rows: [{ name: 'a variant '.repeat(12), value: '0.62×' }] };

describe('a table in LaTeX', () => {
  it('has the rules of booktabs, a line for each row, and sides', () => {
    const text = latexTable(table, 'Effects.');
    for (const rule of ['\\toprule', '\\midrule', '\\bottomrule']) expect(text.split(rule)).toHaveLength(2);
    expect(text).toContain('{@{}lr@{}}');
    const rows = text.split('\\midrule')[1]!.split('\\bottomrule')[0]!.trim().split('\n');
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(row).toMatch(/^[^&]*( [^&]*)? & .*\\\\$/);
  });

  it('shows every character that LaTeX reads as a command as it is', () => {
    expect(latexText('50 % & $5_a')).toBe('50 \\% \\& \\$5\\_a');
    expect(latexText('{\\x}')).toBe('\\{\\textbackslash{}x\\}');
    expect(latexText('a\nb')).toBe('a b');
  });

  it.skipIf(texPart.missing !== undefined)('is set by pdflatex', async () => {
    const document = `\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\n${latexTable(table, 'Effects, 95 %.')}${latexTable(wide, 'Fitted ✗ ∅ ⚑ ‡.', 'tab:a')}\\end{document}\n`;
    await writeFile(folder('a.tex'), document);
    const { status, stdout } = spawnSync(
      'pdflatex',
      ['-interaction=nonstopmode', '-halt-on-error', 'a.tex'],
      {
        cwd: folder(),
        encoding: 'utf8',
      },
    );
    expect(status, stdout).toBe(0);
    expect(stdout).not.toContain('Overfull');
    expect(existsSync(folder('a.pdf'))).toBe(true);
  });
});
