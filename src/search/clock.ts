/** The time that a search may take. */
export interface Clock {
  /**
   * Whether so much of it is gone.
   *
   * @param share - from 0 to 1
   */
  isPast(share: number): boolean;
  /** Seconds that are left; infinite without a limit. */
  left(): number;
}

/**
 * Starts a clock.
 *
 * @param seconds - that may be taken; undefined sets no limit
 */
export function startClock(seconds = Infinity): Clock {
  const started = performance.now();
  const taken = (): number => (performance.now() - started) / 1000;
  return {
    isPast: (share) => taken() > share * seconds,
    left: () => seconds - taken(),
  };
}
