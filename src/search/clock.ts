/** The time that a search may take. */
export interface Clock {
  /** Whether there is an end to it. */
  readonly isLimited: boolean;
  /** Seconds since it was started. */
  taken(): number;
  /** Seconds that are left; infinite without a limit. */
  left(): number;
  /**
   * How much of it a time is; 0 without a limit.
   *
   * @param seconds - the time
   */
  shareOf(seconds: number): number;
}

/**
 * Starts a clock.
 *
 * @param limit - seconds that may be taken; left out, there is none
 */
export function startClock(limit = Infinity): Clock {
  const started = performance.now();
  const taken = (): number => (performance.now() - started) / 1000;
  return {
    isLimited: limit < Infinity,
    taken,
    left: () => limit - taken(),
    shareOf: (seconds) => seconds / limit,
  };
}
