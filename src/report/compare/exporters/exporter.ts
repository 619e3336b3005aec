import type { Comparison } from '../compare.js';
import type { GateResult } from '../gates.js';

/** A comparison, and what its gates say. */
export interface ComparisonReport {
  readonly comparison: Comparison;
  /** Empty where none were asked for. */
  readonly gates: readonly GateResult[];
}

/** A format of comparisons. A new one is a new file here, and a line in `list.ts`. */
export interface ComparisonExporter {
  /** What a user calls it. */
  readonly name: string;
  /**
   * The comparison in this format, with a newline at its end.
   *
   * @param report - of two runs
   * @param screen - the terminal it is shown on; undefined when it goes elsewhere
   */
  render(report: ComparisonReport, screen?: Screen): string;
}

/** What a terminal can show. */
export interface Screen {
  readonly colour: boolean;
  /** In characters. */
  readonly width: number | undefined;
}
