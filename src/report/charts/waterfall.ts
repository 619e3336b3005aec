import type { PartSpec } from './chart.js';
import { BETTER, INK, REFERENCE, WORSE } from './theme.js';

/** A step of a waterfall: from where to where its bar goes, and what stands beside it. */
export interface WaterfallBar<Change extends string> {
  readonly step: string;
  readonly change: Change;
  readonly left: number;
  readonly right: number;
  readonly text: string;
}

/** A waterfall: what is the whole, and what every step takes off it or puts on it. */
export interface Waterfall<Change extends string> {
  readonly title: string;
  readonly bars: readonly WaterfallBar<Change>[];
  /** Names of the kinds of bars: the whole, a step for the better, one for the worse. */
  readonly changes: readonly [whole: Change, better: Change, worse: Change];
  readonly axis: {
    readonly title: string;
    readonly start: number;
    readonly end: number;
    /** Left out, they are the chart's to choose. */
    readonly ticks?: readonly number[] | undefined;
  };
  /** What tooltips call a step, and its text. */
  readonly names: { readonly step: string; readonly text: string };
  /** A field of the bars that says where a step ends, to be marked: a step that changes nothing has a bar of no width. */
  readonly mark?: string;
}

/**
 * Draws a waterfall: a bar a step, each from where the one before it ends, with its text to the right of it.
 *
 * @param waterfall - what it shows
 */
export function waterfallPart<Change extends string>({
  title,
  bars,
  changes,
  axis: { title: axisTitle, start, end, ticks },
  names,
  mark,
}: Waterfall<Change>): PartSpec {
  const x = {
    field: 'left',
    type: 'quantitative',
    title: axisTitle,
    scale: { domainMin: start, domainMax: end, zero: start === 0, nice: false },
    axis: ticks === undefined ? { tickCount: 6 } : { values: [...ticks], format: '~g' },
  } as const;
  const [whole] = changes;
  return {
    title: { text: title, fontSize: 13, anchor: 'middle' },
    data: { values: bars.map((bar) => (bar.change === whole ? { ...bar, left: start } : bar)) },
    width: 400,
    height: { step: 24 },
    encoding: { y: { field: 'step', type: 'nominal', title: null, sort: null } },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          x,
          x2: { field: 'right' },
          color: {
            field: 'change',
            type: 'nominal',
            title: null,
            scale: { domain: [...changes], range: [REFERENCE, BETTER, WORSE] },
            legend: { orient: 'top' },
          },
          tooltip: [
            { field: 'step', type: 'nominal', title: names.step },
            { field: 'text', type: 'nominal', title: names.text },
          ],
        },
      },
      ...(mark === undefined
        ? []
        : [
            {
              mark: { type: 'tick', thickness: 2, color: INK },
              encoding: { x: { ...x, field: mark } },
            } as const,
          ]),
      {
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 11, color: INK },
        encoding: { x: { ...x, field: 'right' }, text: { field: 'text', type: 'nominal' } },
      },
    ],
  };
}
