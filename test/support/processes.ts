import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process runs; one that ended and was not yet waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    // The state follows the name, which is in parentheses and may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()!;
    return !fields.startsWith('Z');
  } catch {
    return false;
  }
}

/**
 * The agents among a process's children.
 *
 * @param parent - the process that started them
 */
export function agentsOf(parent = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const after = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()!;
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return after.split(' ')[1] === String(parent) && command.includes('agent/agent.mjs');
      } catch {
        return false;
      }
    });
}

/**
 * Waits until something holds.
 *
 * @param what - for the error
 * @param holds - asked every few milliseconds
 * @throws Error when it does not within ten seconds
 */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (holds()) return;
    await sleep(10);
  }
  throw new Error(`not within ten seconds: ${what}`);
}
