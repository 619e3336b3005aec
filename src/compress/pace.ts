/** Own work must have gone on for so long before it says anything of what is left. */
const LEAST_SECONDS = 5;

/** How far a pipeline is, and how long the rest will take at the speed so far. */
export interface Pace {
  /**
   * Takes how far a step is.
   *
   * @param index - which step
   * @param done - of it, from 0 to 1
   * @returns the share of all that is done, and the seconds left; undefined while nothing can be said
   */
  at(index: number, done: number): { readonly done: number; readonly secondsLeft: number | undefined };
  /** What comes up to the next call of `at` was done before: it says nothing of the speed. */
  found(): void;
}

/**
 * Begins to keep the pace.
 *
 * @param given - how much work each step is, in any unit; steps that are all next to none count alike
 * @param now - the clock, in milliseconds
 */
export function startPace(given: readonly number[], now: () => number = () => performance.now()): Pace {
  const efforts = given.some((effort) => effort > 0) ? given : given.map(() => 1);
  const total = efforts.reduce((sum, effort) => sum + effort, 0);
  const started = now();
  let last = 0;
  let own = 0;
  let found = false;
  return {
    at(index, done) {
      const before = efforts.slice(0, index).reduce((sum, effort) => sum + effort, 0);
      const share = Math.min(1, (before + done * (efforts[index] ?? 0)) / total);
      if (!found) own += share - last;
      found = false;
      last = share;
      const seconds = (now() - started) / 1000;
      const secondsLeft = own > 0 && seconds >= LEAST_SECONDS ? (seconds * (1 - share)) / own : undefined;
      return { done: share, secondsLeft };
    },
    found() {
      found = true;
    },
  };
}
