import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, or not even that when the signal fires. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
