import { readFileSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { mutants } from './test/mutants/list.js';

/** One project for each mutant: its tests with the fault put in while the source is loaded. */
const projects = mutants.map(({ source, from, to, test }, index): TestProjectInlineConfiguration => {
  const code = readFileSync(`src/${source}`, 'utf8');
  const changed = code.replace(from, () => to);
  if (code.split(from).length !== 2)
    throw new Error(`${source}: "${from}" occurs ${code.split(from).length - 1} times`);
  return {
    plugins: [
      {
        name: 'mutant',
        enforce: 'pre',
        transform: (_code, id) => (id.endsWith(`/src/${source}`) ? changed : undefined),
      },
    ],
    test: {
      name: `${index + 1}: ${source}: ${from} → ${to}`.replace(/\s+/g, ' '),
      include: [`test/${test}`],
      globalSetup: ['test/support/postgres/setup.ts'],
      sequence: { groupOrder: 0 },
      testTimeout: 60_000,
    },
  };
});

export default defineConfig({
  test: { reporters: ['./test/mutants/reporter.ts'], maxWorkers: 2, projects },
});
