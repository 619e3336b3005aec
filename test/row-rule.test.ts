import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../src/base/paths.js';

const source = join(packageRoot(), 'src');

/** Where rows of the database may be known: where they are read, written and turned into facts. */
const KNOWS_ROWS = /^(store|analysis)\/|^run\/record\.ts$/;

/** What a file knows of the database's rows: imports of the tables' types, and names of columns that hold JSON. */
function rowsIn(name: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && /(^|\/)store\/tables\.js$/.test(node.text)) found.push(node.text);
    if ((ts.isIdentifier(node) || ts.isStringLiteralLike(node)) && /^\w+_json$/.test(node.text))
      found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  return found;
}

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(source, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  .sort();

describe('rows of the database', () => {
  it.each([
    ["import type { RunRow } from '../store/tables.js';", ['../store/tables.js']],
    ["type A = import('../../store/tables.js').RunRow;", ['../../store/tables.js']],
    ['JSON.parse(variant.card_json)', ['card_json']],
    ['const { model_json: model } = variant;', ['model_json']],
    ["variant['card_json']", ['card_json']],
    ['// card_json\nconst text = `the column card_json`;', []],
  ])('are seen in %s', (text, expected) => {
    expect(rowsIn('file.ts', text)).toEqual(expected);
  });

  it('are known to the store, to the analysis and to whoever records a run, and to nobody else', () => {
    expect(files.filter((file) => KNOWS_ROWS.test(file)).length).toBeGreaterThan(20);
    const faults = files
      .filter((file) => !KNOWS_ROWS.test(file))
      .flatMap((file) =>
        rowsIn(file, readFileSync(join(source, file), 'utf8')).map((what) => `${file}: ${what}`),
      );
    expect(faults).toEqual([]);
  });
});
