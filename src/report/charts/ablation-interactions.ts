import { effectBasis } from '../../text/ablation/notes.js';
import type { AblationPanel, PairMean } from '../../analysis/ablation/ablation.js';
import type { Analysis } from '../../analysis/analysis.js';
import { effectText, figureName } from '../../text/ablation/words.js';
import { quantity } from '../../text/compare/words.js';
import { panelTitle, shownPanels } from './ablation-panels.js';
import type { ChartMaker, PartSpec } from './chart.js';
import { config, SCHEMA, steps } from './theme.js';

const MIB = 1024 ** 2;

/** Pairs of factors that are drawn of a panel: those whose interaction is the least likely to be chance. */
const MOST_PAIRS = 6;

/** Whether two factors change each other's effect: lines that are not parallel. */
export const ablationInteractions: ChartMaker = (analysis) => {
  const panels = shownPanels(analysis, ({ means }) => means.length > 0);
  // Speed is what most interactions are about; where nothing was timed, the first figure that there is.
  const timed = panels.filter(({ metric }) => metric === 'latency');
  const shown = timed.length > 0 ? timed : panels.slice(0, 1);
  const parts = shown.flatMap((panel) => pairsOf(panel).map((pair) => plot(panel, pair, analysis)));
  if (parts.length === 0) return undefined;
  return {
    id: 'ablation-interactions',
    title: "Which factors change each other's effect",
    caption:
      'Each point is a mean over the levels of the other factors; of ratios a geometric mean, on a logarithmic axis. Where lines are parallel, ' +
      'neither factor changes the effect of the other; the title has their interaction with its 95 % interval.',
    basis: effectBasis(shown),
    spec: {
      $schema: SCHEMA,
      config,
      concat: parts,
      columns: 3,
      resolve: { scale: { color: 'independent' } },
    },
  };
};

/** Two factors, and what is known of their interaction. */
interface Pair {
  readonly factors: readonly [string, string];
  readonly means: readonly PairMean[];
  /** With its interval; of two levels each alone, where it is one number. */
  readonly text: string;
  readonly p: number;
}

function pairsOf(panel: AblationPanel): Pair[] {
  const pairs = new Map<string, PairMean[]>();
  for (const mean of panel.means) {
    const key = mean.factors.join(' × ');
    pairs.set(key, [...(pairs.get(key) ?? []), mean]);
  }
  const known = [...pairs.values()].flatMap((means): Pair[] => {
    const factors = means[0]?.factors;
    if (factors === undefined) return [];
    const own = panel.effects.filter(
      ({ term }) => term.length === 2 && term.every(({ factor }) => factors.includes(factor)),
    );
    const [first] = own;
    if (first === undefined) return [];
    const text = own.length === 1 ? `: ${effectText(panel, first.effect)}` : '';
    return [{ factors, means, text, p: Math.min(...own.map(({ adjustedP, p }) => adjustedP ?? p ?? 1)) }];
  });
  return known.sort((a, b) => a.p - b.p).slice(0, MOST_PAIRS);
}

function plot(panel: AblationPanel, { factors, means, text }: Pair, analysis: Analysis): PartSpec {
  const { metric } = panel;
  const [first, second] = factors;
  const drawn = (value: number): number => {
    if (metric === 'accuracy') return value * 100;
    return metric === 'latency' ? value : value / MIB;
  };
  const values = means.map(({ levels, value }) => ({
    ...{ first: levels[0], second: levels[1], value: drawn(value), text: quantity(metric, value) },
  }));
  const levels = [...new Set(values.map((each) => each.second))];
  return {
    title: {
      ...{ text: `${first} × ${second}${text}`, fontSize: 12, anchor: 'middle' },
      ...{ subtitle: panelTitle(panel, analysis), subtitleFontSize: 11 },
    },
    data: { values },
    width: 200,
    height: 160,
    mark: { type: 'line', point: { size: 50, filled: true }, strokeWidth: 2 },
    encoding: {
      x: {
        field: 'first',
        type: 'nominal',
        title: first,
        sort: null,
        axis: { labelAngle: 0 },
        scale: { padding: 0.4 },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        title: UNITS[metric],
        scale:
          metric === 'accuracy'
            ? { type: 'linear', zero: false, nice: false, padding: 12 }
            : { type: 'log', nice: false, padding: 12 },
        axis: { tickCount: 5, format: '.3~r' },
      },
      color: {
        field: 'second',
        type: 'nominal',
        title: second,
        sort: null,
        scale: {
          domain: levels,
          range: levels.map((_, index) => steps[(2 * index) % steps.length] ?? steps[0]),
        },
      },
      tooltip: [
        { field: 'first', type: 'nominal', title: first },
        { field: 'second', type: 'nominal', title: second },
        { field: 'text', type: 'nominal', title: figureName(panel) },
      ],
    },
  };
}

const UNITS = { latency: 'ms', memory: 'MiB', file: 'MiB', accuracy: '%' } as const;
