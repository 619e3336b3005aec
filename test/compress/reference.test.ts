import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { allStages } from '../../src/compress/registry.js';
import { optionsIn, stageReference } from '../../src/report/reference.js';

it('every option of every stage has a description', () => {
  const bare = allStages().flatMap((stage) =>
    optionsIn(stage.options)
      .filter(({ description }) => description === '')
      .map(({ name }) => `${stage.name}.${name}`),
  );
  expect(bare).toEqual([]);
});

it('the reference in docs/ is that of the stages ("npm run docs" writes it)', async () => {
  // Prettier has put the columns of the file in line.
  const flat = (text: string): string =>
    text
      .replace(/-{3,}/g, '---')
      .replace(/[ \t]+/g, ' ')
      .trim();
  const file = await readFile(join(packageRoot(), 'docs', 'reference', 'stages.md'), 'utf8');
  expect(flat(file)).toBe(flat(stageReference(allStages())));
});
