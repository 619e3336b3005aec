import type { TopLevelSpec } from 'vega-lite';
import type { Analysis } from '../../analysis/analysis.js';
import type { Basis } from '../../text/basis.js';

/** A chart of a report. */
export interface Chart {
  /** Name of its file without the extension, and of its place in the page. */
  readonly id: string;
  readonly title: string;
  /** What is seen and how to read it, in a sentence or two. */
  readonly caption: string;
  /** What of the run it shows; left out, what depends on no measurement, or what the caption says. */
  readonly basis?: Basis;
  /** Without the title, which the page and the file show each in their own way. */
  readonly spec: TopLevelSpec;
}

/** A part of a chart that is put together from several. */
export type PartSpec = Extract<TopLevelSpec, { concat: unknown }>['concat'][number];

/**
 * Makes a chart from an analysis: a pure function.
 *
 * @returns undefined where there is nothing to show
 */
export type ChartMaker = (analysis: Analysis) => Chart | undefined;
