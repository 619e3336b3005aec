import { expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { edgeflexProcess } from '../cli/support.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

/** Makes a process that has everything but one package. */
function without(name: string): string {
  const hooks = `export async function resolve(asked, context, next) {
    if (asked === '${name}') throw new Error('Cannot find package ${name}');
    return next(asked, context);
  }`;
  const asUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
  return `--import=${asUrl(`import { register } from 'node:module'; register(${JSON.stringify(asUrl(hooks))});`)}`;
}

it('the dashboard is refused by name where its library is not installed', async () => {
  const { code, err } = await edgeflexProcess(['serve', '--results', folder('results')], {
    NODE_OPTIONS: without('fastify'),
  });
  expect(code).toBe(exitCodes.usage);
  expect(err).toContain('Cannot find package fastify');
  expect(err).toContain('npm install --include=optional');
});
