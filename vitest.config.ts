import { defineConfig } from 'vitest/config';

/** Tests that start agents, browsers, boards or the command: on two cores one after the other. */
const alone = ['agent', 'cli', 'device', 'docs', 'run', 'search'].map((room) => `test/${room}/**/*.test.ts`);

const common = { globalSetup: ['test/setup.ts'], testTimeout: 60_000, hookTimeout: 60_000 };
const env = { ORT_DISABLE_TELEMETRY: '1' };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...{ name: 'together', ...common, env, maxWorkers: 2 },
          ...{ include: ['test/**/*.test.ts'], exclude: alone, sequence: { groupOrder: 0 } },
        },
      },
      {
        test: {
          ...{ name: 'alone', ...common, env, fileParallelism: false },
          ...{ include: alone, sequence: { groupOrder: 1 } },
        },
      },
    ],
  },
});
