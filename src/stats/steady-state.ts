import { median } from 'simple-statistics';
import { mannWhitney } from './mann-whitney.js';

/** When a warm-up counts as over. */
export interface SteadyStateRule {
  /** A window lasts at least so long, in milliseconds, */
  readonly windowMilliseconds: number;
  /** and has at least so many samples. */
  readonly windowSamples: number;
  /** Medians of neighbouring windows closer than this share are the same. */
  readonly tolerance: number;
  /**
   * Windows that a Mann–Whitney test cannot tell apart at this level are the same, too, if it could: of two windows of three
   * samples even the most uneven ones are no finding at 0.05.
   */
  readonly significance: number;
}

/** The rule that measurements use unless a scenario says otherwise. */
const defaultSteadyState: SteadyStateRule = {
  windowMilliseconds: 250,
  windowSamples: 4,
  tolerance: 0.02,
  significance: 0.05,
};

/**
 * Watches samples in the order they come and says when they have stopped changing: the last window of samples is like the
 * one before it, in its median or by a Mann–Whitney test. Windows are bounded in time and in number, so that fast and slow
 * models are judged alike.
 */
export class SteadyStateDetector {
  private window: number[] = [];
  private previous: number[] | undefined;
  private elapsed = 0;
  private reached = false;

  constructor(private readonly rule: SteadyStateRule = defaultSteadyState) {}

  /** Whether the steady state has been reached; it is never left again. */
  get steady(): boolean {
    return this.reached;
  }

  /**
   * Takes the next sample.
   *
   * @param milliseconds - how long it took
   * @returns whether the steady state is reached
   */
  add(milliseconds: number): boolean {
    this.window.push(milliseconds);
    this.elapsed += milliseconds;
    if (this.elapsed >= this.rule.windowMilliseconds && this.window.length >= this.rule.windowSamples) {
      if (this.previous !== undefined && this.alike(this.previous, this.window)) this.reached = true;
      this.previous = this.window;
      this.window = [];
      this.elapsed = 0;
    }
    return this.reached;
  }

  private alike(before: readonly number[], after: readonly number[]): boolean {
    const change = Math.abs(median([...after]) / median([...before]) - 1);
    if (change <= this.rule.tolerance) return true;
    const { significance } = this.rule;
    return (
      leastProbability(before.length, after.length) <= significance &&
      mannWhitney(before, after) > significance
    );
  }
}

/** The two-sided probability of the most uneven ranks that two samples can have: one above the other. */
function leastProbability(m: number, n: number): number {
  let orders = 1;
  for (let i = 1; i <= m; i++) orders *= (n + i) / i;
  return 2 / orders;
}
