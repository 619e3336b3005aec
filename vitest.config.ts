import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/sequencer.js';
import { filesByKind } from './test/support/kinds.js';

const { unit, models, processes } = filesByKind();

const common = {
  globalSetup: ['test/setup.ts', 'test/support/postgres/setup.ts'],
  env: { ORT_DISABLE_TELEMETRY: '1' },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  maxWorkers: 2,
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['dot', './test/support/reporter.ts'],
    projects: [
      // What they start waits for disks, pages and connections for much of its time: four at once keep two cores busy.
      {
        test: {
          ...{ ...common, name: 'processes', include: processes, maxWorkers: 4 },
          sequence: { groupOrder: 0 },
        },
      },
      // Nothing that these do outlives a test, so that two processes do for all files: each loads the code once.
      { test: { ...common, name: 'models', include: models, isolate: false, sequence: { groupOrder: 1 } } },
      { test: { ...common, name: 'unit', include: unit, isolate: false, sequence: { groupOrder: 1 } } },
    ],
  },
});
