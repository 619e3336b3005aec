import type { Reporter, TestModule } from 'vitest/node';
import { parts } from './parts.js';

/** The last lines of a run of the tests: how many passed, and what did not run for want of a part. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const { children } of modules)
      for (const test of children.allTests()) counts[test.result().state] += 1;
    const lines = [`Tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped.`];
    const missing = parts.filter((part) => part.missing !== undefined);
    for (const part of missing)
      lines.push(`Not tested for want of ${part.missing!}: ${part.untested} (${part.hint}).`);
    if (missing.some(({ optional }) => !optional) && process.env['CI'] !== undefined) {
      lines.push('In CI a missing part is a failure.');
      process.exitCode = 1;
    }
    console.log(lines.join('\n'));
  }
}
