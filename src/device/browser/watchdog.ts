import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * A process that outlives the harness by a moment: when the harness is gone, however it went, it ends the browser that is
 * still there and removes the browsers' profiles.
 *
 * Argument: the folder of the profiles. Standard input: a process number a line, of the browser that runs now.
 */

const folder = process.argv[2]!;
let browser: number | undefined;

createInterface({ input: process.stdin })
  .on('line', (line) => {
    browser = Number(line) || undefined;
  })
  .on('close', () => {
    // A browser is the first of a group of its own.
    if (browser !== undefined) endGroup(browser);
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
