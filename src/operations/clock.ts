import { setTimeout as sleep } from 'node:timers/promises';
import { checkNext, type CheckedRun } from '../alerts/check.js';
import { sendNext, type Senders, type SentMessage } from '../alerts/deliver.js';
import { messageOf } from '../base/errors.js';
import { QueueAway } from '../queue/connection.js';
import type { JobQueue } from '../queue/queue.js';
import { fireDue, type ScheduleTime } from '../queue/schedules.js';

/** What happens by the clock. */
export type ClockEvent =
  | { readonly kind: 'time'; readonly time: ScheduleTime }
  | { readonly kind: 'checked'; readonly checked: CheckedRun }
  | { readonly kind: 'sent'; readonly sent: SentMessage }
  /** Something went wrong that concerns nobody's measuring; it is tried again. */
  | { readonly kind: 'fault'; readonly reason: string };

/** How a worker looks at the clock. */
export interface ClockOptions {
  /** Name of the worker. */
  readonly worker: string;
  /** Address of the queue's database. */
  readonly address: string;
  readonly senders: Senders;
  /** Whether nothing is measured at the moment: checking a run takes this machine's processor. */
  readonly isFree: () => boolean;
  readonly emit: (event: ClockEvent) => void;
}

/** How often a worker looks, in milliseconds; a time is submitted at most so much late. */
const LOOK_MILLISECONDS = 10_000;

/**
 * What is to be done by the clock, once: schedules that have come due, runs of theirs that have ended, messages.
 *
 * @param queue - open
 * @param options - who looks, and how
 * @throws QueueAway when the server does not answer
 */
export async function lookOnce(queue: JobQueue, options: ClockOptions): Promise<void> {
  const { worker, address, senders, isFree, emit } = options;
  for (const time of await fireDue(queue, worker)) emit({ kind: 'time', time });
  for (;;) {
    const checked = isFree() ? await checkNext(queue, address) : undefined;
    if (checked === undefined) break;
    emit({ kind: 'checked', checked });
  }
  for (;;) {
    const sent = isFree() ? await sendNext(queue, address, senders) : undefined;
    if (sent === undefined) break;
    emit({ kind: 'sent', sent });
  }
}

/**
 * Looks at the clock until a signal fires. A queue that is away is asked again the next time; what else goes wrong is told, and stops nothing.
 *
 * @param queue - open
 * @param options - who looks, and how
 * @param stop - ends it
 */
export async function watchClock(queue: JobQueue, options: ClockOptions, stop: AbortSignal): Promise<void> {
  let before: string | undefined;
  while (!stop.aborted) {
    try {
      await lookOnce(queue, options);
      before = undefined;
    } catch (error) {
      // The worker tells when the server is away.
      const reason = error instanceof QueueAway ? undefined : messageOf(error);
      if (reason !== undefined && reason !== before) options.emit({ kind: 'fault', reason });
      before = reason;
    }
    await sleep(LOOK_MILLISECONDS, undefined, { signal: stop }).catch(() => undefined);
  }
}
