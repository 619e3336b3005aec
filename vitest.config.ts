import { defineConfig } from 'vitest/config';
import { filesByKind } from './test/support/kinds.js';

const { unit, processes } = filesByKind();

const common = {
  globalSetup: ['test/setup.ts'],
  env: { ORT_DISABLE_TELEMETRY: '1' },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  maxWorkers: 2,
};

export default defineConfig({
  test: {
    reporters: ['dot', './test/support/reporter.ts'],
    projects: [
      { test: { ...common, name: 'processes', include: processes, sequence: { groupOrder: 0 } } },
      { test: { ...common, name: 'unit', include: unit, sequence: { groupOrder: 1 } } },
    ],
  },
});
