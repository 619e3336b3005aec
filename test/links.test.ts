import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../src/base/paths.js';
import { commands } from '../src/cli/commands.js';

const documents = [
  join(packageRoot(), 'README.md'),
  join(packageRoot(), 'CONTRIBUTING.md'),
  ...readdirSync(join(packageRoot(), 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(packageRoot(), 'docs', name)),
].map((path) => ({ path, name: relative(packageRoot(), path), text: readFileSync(path, 'utf8') }));

test('every link of the documents leads somewhere', () => {
  const dead = documents.flatMap(({ path, name, text }) =>
    [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(path), target)))
      .map((target) => `${name}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('every command that the documents show is one', () => {
  const known = new Set(commands.map(({ name }) => name));
  const unknown = documents.flatMap(({ name, text }) =>
    [...text.matchAll(/(?:npx |^|[`"])edgeflex ([a-z][a-z-]*)/gm)]
      .map(([, command = '']) => command)
      .filter((command) => !known.has(command) && command !== 'help')
      .map((command) => `${name}: edgeflex ${command}`),
  );
  expect(unknown).toEqual([]);
});
