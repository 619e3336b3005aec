import type { ComparisonReport } from '../../../analysis/compare/gates.js';

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
