import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    // Real runtimes and processes on two cores: what takes long takes it one after the other.
    fileParallelism: false,
    testTimeout: 60_000,
    env: { ORT_DISABLE_TELEMETRY: '1' },
  },
});
