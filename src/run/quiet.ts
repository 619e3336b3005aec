import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { MOST_OTHER_CORES } from '../protocol/disturbance.js';

/** So long is looked for whether a machine is quiet: a hundredth of a second, in which times are counted, is 0.01 of a core. */
const LOOK_MILLISECONDS = 1000;

/**
 * Waits until this machine is quiet, until others take little of its processors for a second, but no longer than asked.
 *
 * @param seconds - at most
 * @param signal - ends the waiting
 * @throws the signal's reason when it fires
 */
export async function waitForQuiet(seconds: number, signal: AbortSignal): Promise<void> {
  const latest = performance.now() + seconds * 1000;
  for (let before = times(); performance.now() < latest;) {
    await sleep(LOOK_MILLISECONDS, undefined, { signal }).catch(() => {
      signal.throwIfAborted();
    });
    const now = times();
    if ((now.busy - before.busy - (now.own - before.own)) / (now.at - before.at) <= MOST_OTHER_CORES) return;
    before = now;
  }
}

/** Processor time of the machine and of this process so far, in milliseconds. */
function times(): { readonly at: number; readonly busy: number; readonly own: number } {
  const own = process.cpuUsage();
  return {
    at: performance.now(),
    busy: cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0),
    own: (own.user + own.system) / 1000,
  };
}
