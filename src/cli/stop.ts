import { Interrupted } from './failure.js';

/** A signal that fires when the user asks to stop. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Gives Ctrl-C back its usual meaning. */
  readonly release: () => void;
}

/**
 * Catches Ctrl-C and SIGTERM: the first asks to stop in good order, the second ends the process at once.
 *
 * @param words - what to say then; asked when it happens
 */
export function stopOnSignal(words: () => string = () => 'Stopped.'): Stop {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    release();
    controller.abort(new Interrupted(words(), name));
  };
  const release = (): void => {
    process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { signal: controller.signal, release };
}
