/** An estimate and the interval that covers the truth with the stated confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}
