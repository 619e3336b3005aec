import type { Tier } from './schema.js';

/** What is measured of a suite in place of what it says. Paths are relative to the working folder. */
export interface SuiteChanges {
  /** Where the images lie. */
  readonly data?: string | undefined;
  /** Device profiles in place of the suite's: files, or names of built-in ones. */
  readonly devices?: readonly string[] | undefined;
  /** Score only so many test images, the first ones. */
  readonly images?: number | undefined;
  /** Batch sizes that are timed in place of the suite's. */
  readonly batches?: readonly number[] | undefined;
  /** How long each is timed in place of what the suite says. */
  readonly tier?: Tier | undefined;
  /** Fresh processes that this time is divided among. */
  readonly rounds?: number | undefined;
}
