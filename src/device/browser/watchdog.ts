import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

/**
 * A process that outlives the harness by a moment: when the harness is gone, however it went, it ends the browser that is
 * still there and removes the browsers' profiles.
 *
 * Argument: the folder of the profiles. Standard input: a process number a line, of the browser that runs now.
 */

/** How often, a tenth of a second apart, it looks for what is still there. */
const LOOKS = 50;

const [, , folder = ''] = process.argv;
// Without a folder every process would be one of it.
if (folder === '') throw new Error('the watchdog was not told which folder it is to watch');
let browser: number | undefined;

createInterface({ input: process.stdin })
  .on('line', (line) => {
    browser = Number(line) || undefined;
  })
  .on('close', () => void end());

async function end(): Promise<void> {
  // A browser is the first of a group of its own.
  if (browser !== undefined) kill(-browser);
  // One that was just being started is not known by its number. While it ends it would make its profile anew.
  for (let look = 0; look < LOOKS; look++) {
    const left = processesOf(folder);
    if (left.length === 0) break;
    left.forEach(kill);
    await setTimeout(100);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** The processes that have the folder in their command line, this one left out; none where there is no `/proc`. */
function processesOf(part: string): number[] {
  const command = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      // It ended.
      return '';
    }
  };
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && command(name).includes(part))
      .map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
