import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../src/base/paths.js';

/** Phrases that native engineers stumbled over, and what they say instead. */
const banned: readonly (readonly [RegExp, string])[] = [
  [/chance's share/, 'not significant after Holm correction'],
  [/(device|machine) can tell/, 'minimum detectable effect'],
  [/to the (faster|slower)\b/, 'got 9 % faster'],
  [/others took/, 'other processes used'],
  [/process(or|ors) plays|played by the (CPU|processor)/, 'software GPU'],
  [/found nothing\b/, 'no such file'],
  [/at it already/, 'is locked by'],
  [/the sum is right/, 'checksum OK, extracting'],
  [/\bto mend\b|be mended/, 'how to fix'],
  [/keep to limits/, 'meet the constraints'],
  [/known to so much/, 'until the 95 % CI is ±1 %'],
  [/for nearly so many/, 'memory-bound time'],
  [/what that bought/, 'what that gains'],
  [/nothing of (the hardware|a GPU|either)/, 'nothing about the hardware'],
  [/be told apart|is told from|told from none/, 'cannot be distinguished, minimum detectable effect'],
  [/they differ:|not made alike/, 'despite differences'],
  [/with which .{0,30} begin\b/, 'which matches 3 runs'],
  [/(nobody|system|board|browser|device) (does not |do not )?tells?\b/, 'is not reported'],
  [/asked for as it is/, 'requested unchanged'],
  [/, as is usual|where nothing else is said/, 'by default'],
  [/lies? in(side)? <code>|lies? beside/, 'is in, is next to'],
  [/at best that|seen to (do|compute)/, 'peak performance'],
  [/takes off\b|\bputs on\b/, 'removes, adds'],
  [/(?<![\d,.] ?)\b1 (threads|rounds|images|cells|runs|files)\b/, 'singular'],
];

/** Files of a kind below a folder. */
function filesIn(folder: string, ending: RegExp): string[] {
  return readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name) && !/(^|\/)(node_modules|examples)\//.test(name))
    .map((name) => join(packageRoot(), folder, name));
}

/** What users may come to read of a source file: its strings and templates, not its comments. */
function stringsOf(path: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    else if (ts.isTemplateExpression(node))
      found.push([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…'));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true));
  return found;
}

describe('what users read', () => {
  test('has none of the phrases that readers stumbled over', () => {
    const texts = [
      ...filesIn('src', /\.ts$/).flatMap((path) => stringsOf(path).map((text) => ({ path, text }))),
      ...[
        join(packageRoot(), 'README.md'),
        ...filesIn('docs', /\.md$/),
        ...filesIn('suites', /\.(yaml|md)$/),
        ...filesIn('devices', /\.yaml$/),
      ].map((path) => ({ path, text: readFileSync(path, 'utf8') })),
    ];
    const faults = texts.flatMap(({ path, text }) =>
      banned
        .filter(([phrase]) => phrase.test(text))
        .map(([phrase, instead]) => `${relative(packageRoot(), path)}: ${phrase.source} → ${instead}`),
    );
    expect(texts.length).toBeGreaterThan(1000);
    expect(faults).toEqual([]);
  });

  test('is looked at within strings and templates', () => {
    const [, instead] = banned.find(([phrase]) => phrase.test('the sum is right; unpacking')) ?? [];
    expect(instead).toContain('checksum');
  });
});
