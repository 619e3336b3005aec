import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../src/base/paths.js';

const source = join(packageRoot(), 'src');

/** The rooms in the order of the table, and what each may import. */
const rooms = roomsIn(readFileSync(join(packageRoot(), 'CONTRIBUTING.md'), 'utf8'));

/** Reads the table of rooms: `room/`, what it holds, what it may import. */
function roomsIn(markdown: string): Map<string, readonly string[]> {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => /^\|\s*room\s*\|.*\|\s*may import\s*\|$/.test(line));
  const found = new Map<string, readonly string[]>();
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const cells = line.split('|').map((cell) => cell.trim());
    const room = /^`([a-z]+)\/`$/.exec(cells[1]!)?.[1];
    if (room === undefined) throw new Error(`not a room: ${line}`);
    const may = cells.at(-2)!;
    const named = [...may.matchAll(/`([a-z/-]+)`/g)].map((match) => match[1]!);
    if (may !== 'all above' && may !== '–' && named.length === 0)
      throw new Error(`neither rooms nor "–" nor "all above": ${line}`);
    found.set(room, may === 'all above' ? [...found.keys()] : named);
  }
  return found;
}

/** Everything a file imports or takes types from, in whatever form. */
function importsOf(path: string, text = readFileSync(path, 'utf8')): string[] {
  const imports: string[] = [];
  const visit = (node: ts.Node): void => {
    const target = ts.isImportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined;
    if (target) imports.push(ts.isStringLiteralLike(target) ? target.text : `(${target.getText()})`);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true));
  return imports;
}

/**
 * What is wrong with an import; undefined when nothing is.
 *
 * @param from - the importing file, relative to `src/`
 * @param specifier - what stands in its import
 */
function faultOf(from: string, specifier: string): string | undefined {
  // Plug-ins are code of others, which nothing here may depend on: loading it is what that room is for.
  if (specifier.startsWith('('))
    return from.startsWith('plugins/') ? undefined : `${from} imports ${specifier}, which cannot be checked`;
  if (!specifier.startsWith('.')) return undefined;
  const target = join(dirname(from), specifier).replace(/\.js$/, '');
  const [room, other] = [from.split('/')[0]!, target.split('/')[0]!];
  const may = rooms.get(room);
  if (may === undefined) return `${from} lies in the room ${room}/, which the table does not have`;
  if (!rooms.has(other)) return `${from} imports ${target}, which is in no room of the table`;
  if (other === room || other === 'base') return undefined;
  if (may.some((each) => each === other || each === target)) return undefined;
  return `${from} imports ${target}; ${room}/ may import ${may.join(', ') || 'nothing'}`;
}

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(source, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
  .sort();

describe('the map of the rooms', () => {
  it('names every room of src/, and no other', () => {
    const present = readdirSync(source, { withFileTypes: true });
    expect(present.filter((entry) => !entry.isDirectory()).map(({ name }) => name)).toEqual([]);
    expect([...rooms.keys()].sort()).toEqual(present.map(({ name }) => name).sort());
  });

  it('lets rooms import only what stands above them', () => {
    const above: string[] = [];
    for (const [room, may] of rooms) {
      for (const each of may) expect(above, `${room} may import ${each}`).toContain(each.split('/')[0]);
      above.push(room);
    }
  });
});

describe('an import', () => {
  it.each(['static', 'of types', 'of a side effect', 'dynamic', 'in a type', 're-exported'])(
    'is seen when it is %s',
    (kind) => {
      const forms: Record<string, string> = {
        static: "import { a } from './a.js';",
        'of types': "import type { A } from './a.js';",
        'of a side effect': "import './a.js';",
        dynamic: "const load = async () => (await import('./a.js')).a;",
        'in a type': "type A = import('./a.js').A;",
        're-exported': "export type { A } from './a.js';",
      };
      expect(importsOf('room/file.ts', forms[kind])).toEqual(['./a.js']);
    },
  );

  it('is not seen in a text or a comment', () => {
    expect(importsOf('room/file.ts', "// import './a.js'\nconst b = `import './b.js'`;")).toEqual([]);
  });

  it('that cannot be checked is a fault', () => {
    const [specifier] = importsOf('room/file.ts', 'await import(name);');
    expect(faultOf('vit/file.ts', specifier!)).toContain('cannot be checked');
  });

  it('against the table is a fault, also of a part of a room where another part is allowed', () => {
    expect(faultOf('onnx/file.ts', '../cli/main.js')).toContain('onnx/ may import nothing');
    expect(faultOf('suite/plan.ts', '../compress/recipe.js')).toBeUndefined();
    expect(faultOf('suite/plan.ts', '../compress/pipeline.js')).toContain('compress/pipeline');
    expect(faultOf('attic/file.ts', './other.js')).toContain('attic/');
    expect(faultOf('cli/file.ts', '../attic/file.js')).toContain('no room');
  });
});

describe('the sources', () => {
  it('are found', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(new Set(files.map((file) => file.split('/')[0])).size).toBe(rooms.size);
  });

  it('import nothing that the table does not allow', () => {
    const faults = files.flatMap((file) =>
      importsOf(join(source, file)).flatMap((specifier) => faultOf(file, specifier) ?? []),
    );
    expect(faults).toEqual([]);
  });
});
