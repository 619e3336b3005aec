import { readFile } from 'node:fs/promises';
import { isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import { findStage } from '../compress/registry.js';
import { optionsIn } from '../report/reference.js';
import { readRecipe } from '../suite/read.js';
import { wrapped } from '../base/wrap.js';
import { COMMENT_WIDTH, firstSentence } from './comments.js';

/**
 * A recipe to begin with: another one by a new name, each stage explained.
 *
 * @param name - of the new one
 * @param path - of the other
 * @throws InputError when that is no recipe
 */
export async function recipeFile(name: string, path: string): Promise<string> {
  await readRecipe(path);
  const document = parseDocument(await readFile(path, 'utf8'));
  const before = document.get('name');
  document.set('name', name);
  document.commentBefore = commentOf([
    `A recipe: the stages that are applied to a model, in this order. It began as a copy of "${String(before)}".`,
    '"edgeflex stages" lists all stages, and "edgeflex stages <stage>" every option of one.',
  ]);
  if (isNode(document.contents) && isMap(document.contents))
    for (const { key } of document.contents.items) if (isNode(key)) key.commentBefore = undefined;
  const stages = document.get('stages');
  if (isSeq(stages))
    for (const entry of stages.items) {
      const first = isMap(entry) ? entry.items[0]?.key : undefined;
      if (isMap(entry) && isScalar(first)) entry.commentBefore = commentOf(explained(String(first.value)));
    }
  return document.toString({ lineWidth: 0 });
}

/** A stage and its options, in lines. */
function explained(stage: string): string[] {
  const found = findStage(stage);
  if (found === undefined) return [];
  return [
    ...wrapped(`${stage}: ${found.description}`, COMMENT_WIDTH),
    ...optionsIn(found.options)
      .filter(({ name }) => !name.includes('.'))
      .flatMap(({ name, type, fallback, description }) => {
        const values = `${type.replaceAll('`', '')}${fallback === undefined ? '' : `, default ${fallback}`}`;
        return wrapped(`  ${name} (${values}): ${firstSentence(description)}`, COMMENT_WIDTH, '      ');
      }),
  ];
}

function commentOf(lines: readonly string[]): string {
  return lines.map((line) => ` ${line}`).join('\n');
}
