import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/base/paths.js';

const text = (...path: string[]): string => readFileSync(join(packageRoot(), ...path), 'utf8');

test('the peers are measured beside recipes that there are', () => {
  const recipes = [...text('bench', 'peers', 'variants.py').matchAll(/\bedgeflex\('([^']+)'\)/g)].map(
    ([, recipe = '']) => recipe,
  );
  expect(recipes).toContain('edgeflex');
  expect(
    recipes.filter((recipe) => !existsSync(join(packageRoot(), 'suites', 'recipes', `${recipe}.yaml`))),
  ).toEqual([]);
});

test('the peers run on the ONNX Runtime that EdgeFlex uses', () => {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  expect(text('bench', 'peers', 'requirements.txt')).toMatch(new RegExp(`^onnxruntime==${version}$`, 'm'));
});
