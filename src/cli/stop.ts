import { Interrupted } from './failure.js';

/** A signal that fires when the user asks to stop. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C back its usual meaning. */
  readonly release: () => void;
}

/** Catches Ctrl-C and SIGTERM: the first asks to stop in good order, the second ends the process at once. */
export function stopOnSignal(): Stop {
  const controller = new AbortController();
  const onSignal = (): void => {
    controller.abort(new Interrupted('Stopped.'));
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => {
      process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
    },
  };
}
