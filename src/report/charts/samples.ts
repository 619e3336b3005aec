import { cellPage as words } from '../../text/dashboard/runs.js';
import type { Chart } from './chart.js';
import { drawable } from './drawable.js';
import { colourScale, config, dashScale, SCHEMA } from './theme.js';

/** The timed queries of a round. */
export interface RoundSamples {
  readonly round: number;
  /** Whether some were left out. */
  readonly thinned: boolean;
  /** How many were timed. */
  readonly queries: number;
  /** Numbers of those that are given, and how long each took. */
  readonly query: readonly number[];
  readonly milliseconds: readonly number[];
}

const WIDTH = 560;
const HEIGHT = 260;

/**
 * The timed queries of a cell: in the order in which they ran, and their distribution.
 *
 * @param rounds - in order
 * @returns none where nothing was timed
 */
export function sampleCharts(rounds: readonly RoundSamples[]): Chart[] {
  const timed = rounds.filter(({ milliseconds }) => milliseconds.length > 0);
  if (timed.length === 0) return [];
  const thinned = timed.some((round) => round.thinned);
  const names = timed.map(({ round }) => String(round));
  const color = {
    field: 'round',
    type: 'nominal',
    title: words.round,
    scale: colourScale(names),
  } as const;
  const latency = { field: 'milliseconds', type: 'quantitative', title: words.milliseconds } as const;
  let before = 0;
  const points = timed.flatMap(({ round, queries, query, milliseconds }) => {
    const start = before;
    before += queries;
    return milliseconds.map((each, index) => ({
      ...{ round: String(round), milliseconds: each, at: start + (query[index] ?? index) },
      query: query[index] ?? index,
    }));
  });
  const curves = timed.flatMap(({ round, milliseconds }) => {
    const sorted = [...milliseconds].sort((a, b) => a - b);
    return sorted.map((each, index) => ({
      ...{ round: String(round), milliseconds: each, share: (100 * (index + 1)) / sorted.length },
    }));
  });
  return [
    {
      id: 'samples-over-time',
      title: words.over,
      caption: words.overCaption(thinned),
      spec: drawable({
        $schema: SCHEMA,
        config,
        width: WIDTH,
        height: HEIGHT,
        data: { values: points },
        mark: { type: 'point', filled: true, size: 12, opacity: 0.7 },
        encoding: {
          x: { field: 'at', type: 'quantitative', title: words.query, scale: { zero: true, nice: false } },
          y: { ...latency, scale: { zero: false } },
          color,
          tooltip: [
            { field: 'round', type: 'nominal', title: words.round },
            { field: 'query', type: 'quantitative', title: words.query },
            { field: 'milliseconds', type: 'quantitative', title: words.milliseconds, format: '.4~r' },
          ],
        },
      }),
    },
    {
      id: 'samples-distribution',
      title: words.distribution,
      caption: words.distributionCaption(thinned),
      spec: drawable({
        $schema: SCHEMA,
        config,
        width: WIDTH,
        height: HEIGHT,
        data: { values: curves },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.5 },
        encoding: {
          x: { ...latency, scale: { zero: false } },
          y: { field: 'share', type: 'quantitative', title: words.share, scale: { domain: [0, 100] } },
          color,
          strokeDash: { field: 'round', type: 'nominal', title: words.round, scale: dashScale(names) },
        },
      }),
    },
  ];
}
